"""Cases as people read them: each list in its order, each history whole."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from app.accounts.models import Brand, User
from app.kernel.db import Database
from app.kernel.errors import Invalid
from escalation.cases import actions, queries
from tests.escalation.cases.parts import WORDS, live_posting, opened
from tests.harness.statements import statements
from tests.stories import fresh, news, placed

# Lists


def test_the_nearest_promise_stands_first_and_pages_follow_on(northwind: Brand, tim: User, db: Database, clock: time_machine.Coordinates) -> None:
    made = []
    for n, (minutes, priority) in enumerate([(0, 10), (5, 80), (10, 10), (3, 10), (39, 90)]):
        clock.move_to(1_772_442_000 + minutes * 60)
        made.append(opened(northwind, db, author=f"a{n}", priority=priority)[1].id)
    soonest_first = [made[1], made[0], made[3], made[4], made[2]]
    with db.transaction(read_only=True):
        assert [row.case.id for row in queries.cases(tim, northwind).items] == soonest_first
        first = queries.cases(tim, northwind, tier="tier_1", limit=2)
        second = queries.cases(tim, northwind, tier="tier_1", limit=2, cursor=first.next)
        third = queries.cases(tim, northwind, tier="tier_1", limit=2, cursor=second.next)
        assert [row.case.id for page in (first, second, third) for row in page.items] == soonest_first and third.next is None
        assert not queries.cases(tim, northwind, tier="tier_2").items
        row = queries.next_case(tim, northwind)
        assert row is not None and row.case.id == soonest_first[0]
        assert queries.counts(northwind, "tier_1") == queries.Counts(open=5, late=1, waiting=0)
        assert (queries.case_count(northwind), queries.case_count(northwind, "tier_2")) == (5, 0)
    for bad in ("x", "W10", "WyJ4IiwgMV0"):
        with pytest.raises(Invalid), db.transaction(read_only=True):
            queries.cases(tim, northwind, cursor=bad)


def test_each_list_shows_its_own(northwind: Brand, tim: User, db: Database) -> None:
    _, mine = opened(northwind, db, author="a")
    _, free = opened(northwind, db, author="b")
    waiting_task, waiting = opened(northwind, db, author="c")
    _, done = opened(northwind, db, author="d")
    with db.transaction():
        actions.assign(mine, by=tim)
        actions.reply(waiting, by=tim, text=WORDS)
        actions.resolve(done, by=tim, outcome="other")
    placed(live_posting(waiting_task, db), tim)
    news()
    every = {mine.id, free.id, waiting.id, done.id}
    expected = {"open": {mine.id, free.id}, "mine": {mine.id, waiting.id}, "waiting": {waiting.id}, "resolved": {done.id}, "all": every}
    with db.transaction(read_only=True):
        assert {show: {row.case.id for row in queries.cases(tim, northwind, show=show).items} for show in expected} == expected
        with pytest.raises(Invalid):
            queries.cases(tim, northwind, show="everything")


def test_a_list_is_one_statement_however_long(northwind: Brand, tim: User, db: Database) -> None:
    for n in range(6):
        opened(northwind, db, author=f"a{n}")
    with statements() as seen, db.transaction(read_only=True):
        rows = queries.cases(tim, northwind).items
        assert all(row.mention.text and row.task.category and row.clock for row in rows)
    assert len(rows) == 6 and [words.split()[0] for words in seen if words != "BEGIN"] == ["SELECT"]


def test_the_history_tells_the_whole_story_in_order(northwind: Brand, tim: User, db: Database, clock: time_machine.Coordinates) -> None:
    task, case = opened(northwind, db)
    clock.shift(timedelta(minutes=1))
    with db.transaction():
        actions.assign(case, by=tim)
    clock.shift(timedelta(minutes=1))
    with db.transaction():
        actions.reply(fresh(case), by=tim, text=WORDS)
    clock.shift(timedelta(minutes=1))
    placed(live_posting(task, db), tim)
    news()
    with db.transaction(read_only=True):
        told_ = [moment.kind for moment in queries.timeline(case)]
    assert told_ == ["mention", "decision", "opened", "assigned", "reply", "waiting"]
