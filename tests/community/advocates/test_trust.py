"""Trust levels: earned by vetted work, lost with a warning, and what a moderator may say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.notices.models import Notice
from community.advocates import actions as advocates
from community.advocates import trust
from community.advocates.models import Advocate
from community.advocates.records import Record
from community.answers import actions as answers
from community.jobs import recount_records
from community.moderation import actions as moderation
from community.moderation import flags
from community.tasks import actions as tasks
from tests.factories import answer
from tests.stories import FixedTriage, brand, fresh, handed_in, news, person, told


def row(user: User, of: Brand) -> Advocate:
    with db.transaction(read_only=True):
        found = trust.advocate_row(user.id, of.id)
    assert found is not None
    return found


def looked_at(of: Brand, writer: User, by: User, *, good: int = 0, bad: int = 0) -> None:
    for n in range(good + bad):
        reply = fresh(handed_in(told(of), writer, answer()))
        if reply.state != "submitted":
            continue
        with db.transaction():
            if n < good:
                moderation.approve(reply, by=by, revision=reply.revision)
            else:
                moderation.reject(reply, by=by, revision=reply.revision, reason="incorrect")
    news()


def told_of_trust(user: User) -> list[str]:
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Notice.text).where(Notice.user_id == user.id, Notice.kind == "trust").order_by(Notice.id)))


@pytest.mark.parametrize(
    ("vetted", "bad", "level"),
    [(0, 0, 0), (4, 0, 0), (5, 0, 1), (5, 3, 0), (19, 0, 1), (20, 0, 2), (20, 3, 2), (20, 6, 1), (49, 0, 2), (50, 4, 3), (99, 0, 3), (100, 5, 4), (100, 40, 1)],
)
def test_what_work_carries_which_level(vetted: int, bad: int, level: int) -> None:
    assert trust.earned(Record(vetted=vetted, good=vetted, bad=bad)) == level


def test_a_level_is_gained_the_moment_the_work_is_there_and_the_person_is_told(triage: FixedTriage) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    looked_at(northwind, ada, cleo, good=4)
    assert row(ada, northwind).trust_level == 0
    looked_at(northwind, ada, cleo, good=1)
    assert row(ada, northwind).trust_level == 1
    [words] = told_of_trust(ada)
    assert "Trust level 1" in words


def test_a_level_is_lost_two_weeks_after_the_warning_and_no_day_before(triage: FixedTriage, clock: Any) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    looked_at(northwind, ada, cleo, good=6)
    clock.shift(timedelta(days=101))
    recount_records()
    news()
    assert row(ada, northwind).trust_level == 1
    assert row(ada, northwind).grace_until is not None
    assert "needs a little more" in told_of_trust(ada)[-1]
    clock.shift(timedelta(days=13))
    recount_records()
    assert row(ada, northwind).trust_level == 1
    clock.shift(timedelta(days=1))
    recount_records()
    recount_records()
    news()
    assert row(ada, northwind).trust_level == 0
    assert len(told_of_trust(ada)) == 3, "each is told once"


def test_work_within_the_grace_keeps_the_level(triage: FixedTriage, clock: Any) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    looked_at(northwind, ada, cleo, good=6)
    clock.shift(timedelta(days=101))
    recount_records()
    looked_at(northwind, ada, cleo, good=6)
    assert row(ada, northwind).grace_until is None
    clock.shift(timedelta(days=20))
    recount_records()
    assert row(ada, northwind).trust_level == 1


def test_a_break_costs_nothing(triage: FixedTriage, clock: Any) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    looked_at(northwind, ada, cleo, good=6)
    begun = row(ada, northwind).joined_at
    for gone in (0, 50, 100):
        with db.transaction():
            advocates.pause(ada, northwind, until=begun + timedelta(days=gone + 55))
        clock.shift(timedelta(days=50 if gone < 100 else 30))
    recount_records()
    assert (row(ada, northwind).trust_level, row(ada, northwind).grace_until) == (1, None)


def test_a_moderator_s_word_raises_and_holds_for_a_hundred_days(triage: FixedTriage, clock: Any) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    with db.transaction():
        trust.set_level(row(ada, northwind), 3, by=cleo, reason="Known from the forum for years.")
    news()
    looked_at(northwind, ada, cleo, good=1)
    assert row(ada, northwind).trust_level == 3
    assert row(ada, northwind).grace_until is None
    with db.transaction(read_only=True) as session:
        notice = session.scalars(select(Notice).where(Notice.user_id == ada.id, Notice.kind == "trust")).one()
    assert (cleo.name in notice.text, notice.quote) == (True, "Known from the forum for years.")
    clock.shift(timedelta(days=101))
    recount_records()
    assert row(ada, northwind).grace_until is not None


def test_a_moderator_s_lower_word_is_not_undone_by_the_next_good_reply(triage: FixedTriage) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    looked_at(northwind, ada, cleo, good=6)
    with db.transaction():
        trust.set_level(row(ada, northwind), 0, by=cleo, reason="We talked about tone.")
    looked_at(northwind, ada, cleo, good=2)
    assert row(ada, northwind).trust_level == 0


@pytest.mark.parametrize("ability", ["claim", "flag", "propose"])
def test_one_ability_can_be_taken_away_and_given_back_with_the_reason(ability: str, triage: FixedTriage) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    task = told(northwind)
    with db.transaction():
        trust.set_level(row(ada, northwind), 2, by=cleo, reason="Known for years.")

    def use() -> None:
        with db.transaction():
            if ability == "claim":
                tasks.claim(fresh(task), by=ada)
            elif ability == "flag":
                flags.flag(fresh(task), by=ada, kind="spam")
            else:
                answers.add(fresh(northwind), by=fresh(ada), title="Where is the manual?", body="Under Help, at the very bottom.", lang="en")

    with db.transaction():
        trust.limit(row(ada, northwind), ability, by=cleo, reason="Three tasks were taken and left.")
    with pytest.raises(Forbidden, match="Three tasks"):
        use()
    with pytest.raises(Conflict), db.transaction():
        trust.limit(row(ada, northwind), ability, by=cleo, reason="again")
    with db.transaction():
        trust.lift(row(ada, northwind), ability, by=cleo)
    use()
    news()
    _, limited, back = told_of_trust(ada)
    assert ("limited one thing" in limited, "gave this back" in back) == (True, True)


def test_only_a_moderator_with_a_reason_may_limit_or_set(triage: FixedTriage) -> None:
    northwind = brand()
    ada, ben, cleo = person(northwind, "advocate"), person(northwind, "advocate"), person(northwind, "moderator")
    stranger = person(brand("kestrel"), "moderator")
    for by in (ada, ben, stranger):
        with pytest.raises(Forbidden), db.transaction():
            trust.limit(row(ada, northwind), "vet", by=by, reason="because")
        with pytest.raises(Forbidden), db.transaction():
            trust.set_level(row(ada, northwind), 4, by=by, reason="because")
    with pytest.raises(Invalid), db.transaction():
        trust.limit(row(ada, northwind), "vet", by=cleo, reason="  ")
    with pytest.raises(Invalid), db.transaction():
        trust.limit(row(ada, northwind), "fly", by=cleo, reason="because")
    with pytest.raises(Invalid), db.transaction():
        trust.set_level(row(ada, northwind), 5, by=cleo, reason="because")


def test_what_the_next_level_asks() -> None:
    vetted, ratio = trust.needs(Record(vetted=14, good=14, bad=2), 2)
    assert (vetted.have, vetted.need, vetted.share, vetted.met) == ("14", "20", 70, False)
    assert (ratio.have, ratio.need, ratio.met) == ("80 %", "80 %", True)
