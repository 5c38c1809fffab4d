"""The desk: found beyond the most pressing, ranked for a person, mixed so that they stay well."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from app.accounts.models import User
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from community.advocates.models import Advocate, TopicRecord
from community.tasks import offers, wishes
from community.tasks.models import Task
from community.tasks.offers import DeskPage, desk
from community.tasks.rules import HOSTILE, lane_of
from tests.harness.statements import statements
from tests.stories import CALM, FixedTriage, brand, fresh, person, rooms, told, triage

__all__ = ["rooms", "triage"]


def suits(who: User, *, languages: list[str] | None = None, topics: list[str] | None = None, trust: int = 2) -> User:
    with db.transaction() as session:
        session.execute(update(Advocate).where(Advocate.user_id == who.id).values(languages=languages or ["en"], topics=topics or [], trust_level=trust))
    return who


def of(who: User, **asked: Any) -> DeskPage:
    with db.transaction(read_only=True) as session:
        from app.accounts.models import Brand

        northwind = session.scalars(select(Brand).where(Brand.slug == "northwind")).one()
        return desk(who, northwind, **asked)


def order(page: DeskPage) -> list[int]:
    return [one.task.id for one in page.items]


def test_what_fits_is_found_however_much_else_is_more_pressing(triage: FixedTriage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red with the windows of languages and topics left out."""
    monkeypatch.setattr(offers, "OVERALL_WINDOW", 10)
    monkeypatch.setattr(offers, "OLDEST_WINDOW", 3)
    offers._windows.cache_clear()
    northwind = brand()
    mina = suits(person(northwind, "advocate"), languages=["ja"], topics=["delivery"])
    for n in range(15):
        told(northwind, f"Question {n}", priority=90)
    ours = told(northwind, "ルーターはどこですか", lang="ja", priority=1)
    triage.signals = replace(CALM, category="delivery")
    parcel = told(northwind, "Where is my parcel?", priority=2, author="percy")
    with statements() as asked:
        page = of(mina)
    offers._windows.cache_clear()
    assert order(page)[0] == ours.id
    assert parcel.id in order(page)[:13]
    assert page.items[0].because == "You read its language."
    assert len(asked) <= 7, asked


def test_the_number_of_statements_is_the_same_for_one_and_for_many(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    told(northwind)
    of(ada)
    with statements() as one:
        of(ada)
    for n in range(30):
        told(northwind, f"Question {n}", author=f"author{n}")
    with statements() as many:
        of(ada)
    assert len(one) == len(many)


def test_what_is_easy_comes_first_for_somebody_new(triage: FixedTriage) -> None:
    northwind = brand()
    new, old = suits(person(northwind, "advocate"), trust=0), suits(person(northwind, "advocate"), trust=3)
    triage.signals = replace(CALM, category="billing", urgency=0.8)
    hard = told(northwind, "Charged twice, and due today", priority=40)
    triage.signals = CALM
    easy = told(northwind, "Where is the button?", priority=10)
    assert order(of(new)) == [easy.id, hard.id]
    assert order(of(old)) == [hard.id, easy.id]
    assert "good one to begin with" in of(new).items[0].because


def test_thanks_are_mixed_in_and_follow_each_hostile_post(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"), trust=2)
    triage.signals = replace(CALM, anger=HOSTILE)
    hostile = told(northwind, "You lot", priority=99)
    triage.signals = CALM
    for n in range(6):
        told(northwind, f"Question {n}", priority=50)
    thanks = [told(northwind, f"Lovely {n}", kind="thank", priority=0) for n in range(2)]
    assert order(of(ada))[:2] == [hostile.id, thanks[0].id]
    assert order(of(ada)).index(thanks[1].id) == 6


def test_a_lane_says_what_a_task_asks_of_people() -> None:
    assert lane_of("answer", "how_to", 0.1, 0.1) == "easy"
    assert lane_of("answer", "how_to", 0.1, 0.5) == "plain"
    assert lane_of("answer", "billing", 0.1, 0.1) == "plain"
    assert lane_of("thank", "praise", 0.1, 0.1) == "thank"
    assert lane_of("thank", "praise", HOSTILE, 0.1) == "hostile"


def test_what_waits_longer_rises_and_says_when_the_team_gets_it(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    old = told(northwind, "Old", priority=10)
    clock.shift(timedelta(minutes=40))
    told(northwind, "New", priority=25)
    first = of(ada).items[0]
    assert first.task.id == old.id
    assert first.because == "The team gets it in 5 min."


def test_what_is_kept_for_a_person_is_found_and_shown_to_nobody_else(triage: FixedTriage, clock: time_machine.Coordinates) -> None:
    northwind = brand()
    ada, ben = suits(person(northwind, "advocate")), suits(person(northwind, "advocate"))
    task = told(northwind)
    with db.transaction() as session:
        from app.kernel import clock as ours

        session.execute(update(Task).where(Task.id == task.id).values(returned_to_id=ada.id, kept_until=ours.now() + timedelta(hours=1)))
    assert of(ada).items[0].because.startswith("Kept for you")
    assert of(ben).items == []
    clock.shift(timedelta(hours=2))
    assert order(of(ben)) == [task.id]


# Filters and words


def test_filters_and_words_narrow_the_desk(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"), languages=["en", "ja"])
    hub = told(northwind, "How do I reset the HUB, please?", author="petra")
    thanks = told(northwind, "Lovely", kind="thank")
    ja = told(northwind, "ルーターはどこですか", lang="ja")
    triage.signals = replace(CALM, category="delivery")
    parcel = told(northwind, "Where is my parcel?", author="percy")
    assert order(of(ada, topic="delivery")) == [parcel.id]
    assert order(of(ada, lang="ja")) == [ja.id]
    assert order(of(ada, kind="thank")) == [thanks.id]
    assert order(of(ada, words="hub RESET")) == [hub.id]
    assert order(of(ada, words="percy")) == [parcel.id]
    assert order(of(ada, words="hub parcel")) == []
    assert order(of(ada, channel=hub.id + 10**9)) == []
    assert len(of(ada, channel=of(ada).items[0].mention.account_id).items) == 4
    assert of(ada, topic="delivery").topics == {"question": 3, "delivery": 1}, "the other topics stay to be chosen"


# Not for me


def test_what_is_not_for_a_person_is_theirs_alone_to_hide_and_to_bring_back(triage: FixedTriage) -> None:
    northwind = brand()
    ada, ben = suits(person(northwind, "advocate")), suits(person(northwind, "advocate"))
    task = told(northwind)
    with db.transaction():
        wishes.pass_on(fresh(task), by=ada, reason="hard")
        wishes.pass_on(fresh(task), by=ada, reason="time")
    assert of(ada).items == []
    assert order(of(ben)) == [task.id]
    with db.transaction():
        wishes.take_back_pass(fresh(task), by=ada)
    assert order(of(ada)) == [task.id]
    with pytest.raises(Invalid), db.transaction():
        wishes.pass_on(fresh(task), by=ada, reason="boring")


def test_topics_passed_on_come_up_less(triage: FixedTriage) -> None:
    """Red with PASSED_FIT at 0."""
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    triage.signals = replace(CALM, category="billing")
    billing = [told(northwind, f"Bill {n}", priority=20) for n in range(4)]
    triage.signals = replace(CALM, category="delivery")
    parcel = told(northwind, "Parcel", priority=10)
    assert order(of(ada))[-1] == parcel.id
    with db.transaction():
        for task in billing[:2]:
            wishes.pass_on(fresh(task), by=ada, reason="topic")
    assert order(of(ada))[0] == parcel.id


def test_one_waits_for_held_tasks_only(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    task = told(northwind)
    with pytest.raises(Conflict, match="free"), db.transaction():
        wishes.watch(fresh(task), by=ada)


def test_a_topic_one_proved_to_be_good_at_has_a_window_too(triage: FixedTriage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red when only chosen topics are looked for."""
    monkeypatch.setattr(offers, "OVERALL_WINDOW", 5)
    monkeypatch.setattr(offers, "OLDEST_WINDOW", 3)
    monkeypatch.setattr(offers, "LANE_WINDOW", 3)
    offers._windows.cache_clear()
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    with db.transaction() as session:
        session.add(TopicRecord(brand_id=northwind.id, user_id=ada.id, topic="delivery", answered=12, good=12, bad=0, thanked=2, clean=12))
    triage.signals = replace(CALM, category="billing")
    for n in range(9):
        told(northwind, f"Question {n}", priority=90)
    triage.signals = replace(CALM, category="delivery")
    parcel = told(northwind, "Where is my parcel?", priority=1, author="percy")
    found = [one for one in of(ada).items if one.task.id == parcel.id]
    offers._windows.cache_clear()
    assert found
    assert found[0].because == "12 of your 12 answers about delivery were good."
