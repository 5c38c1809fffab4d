"""Who waited for a task hears when it frees; who lost a hold hears why."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.notices.models import Notice
from community.moderation import actions as moderation
from community.replies import actions as replies
from community.tasks import actions as tasks
from community.tasks import wishes
from community.tasks.models import Task, Watch
from community.tasks.waiting import free_kept
from tests.stories import FixedTriage, brand, fresh, news, person, rooms, told, triage

__all__ = ["rooms", "triage"]


@pytest.fixture
def northwind(triage: FixedTriage) -> Brand:
    return brand()


def heard(who: User) -> list[tuple[str, str]]:
    news()
    with db.transaction(read_only=True) as session:
        return [(kind, text) for kind, text in session.execute(select(Notice.kind, Notice.text).where(Notice.user_id == who.id).order_by(Notice.id))]


def test_when_it_frees_the_one_who_asked_hears_once(northwind: Brand, clock: time_machine.Coordinates) -> None:
    ada, ben = person(northwind, "advocate"), person(northwind, "advocate")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
    for _ in range(2):
        with db.transaction():
            wishes.watch(fresh(task), by=ben)
    clock.shift(timedelta(minutes=20))
    tasks.lapse_due()
    assert heard(ben) == [("freed", "@petra's post is free now. You asked to hear.")]
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
        tasks.release(fresh(task), by=ada)
    assert len(heard(ben)) == 1


def test_what_was_answered_or_went_to_the_team_is_waited_for_no_more(northwind: Brand) -> None:
    ada, ben, cleo = person(northwind, "advocate"), person(northwind, "advocate"), person(northwind, "moderator")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
        wishes.watch(fresh(task), by=ben)
        tasks.escalate(fresh(task), "tier_1", because="rerouted", by=cleo)
    assert heard(ben) == []
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Watch)) == 0


def test_what_is_kept_for_its_writer_is_not_free_yet(northwind: Brand) -> None:
    ada, ben, cleo = person(northwind, "advocate"), person(northwind, "advocate"), person(northwind, "moderator")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
        wishes.watch(fresh(task), by=ben)
        reply = replies.draft(fresh(task), by=ada, text="Hold the small button for ten seconds, then wait for the light.")
        replies.submit(reply, by=ada, revision=1)
        moderation.approve(fresh(reply), by=cleo, revision=1)
        replies.pull_back(fresh(reply), by=cleo)
    assert [kind for kind, _ in heard(ben)] == []


def test_once_the_keeping_is_over_it_is_free_and_who_waited_hears(northwind: Brand, clock: time_machine.Coordinates) -> None:
    """Red without `free_kept`: nothing happens to a task when a moment passes."""
    from app.kernel import clock as ours

    ada, ben = person(northwind, "advocate"), person(northwind, "advocate")
    task = told(northwind)
    with db.transaction() as session:
        tasks.claim(fresh(task), by=ada)
        wishes.watch(fresh(task), by=ben)
        tasks.release(fresh(task), by=ada)
        session.execute(update(Task).where(Task.id == task.id).values(returned_to_id=ada.id, kept_until=ours.now() + timedelta(hours=4)))
    assert heard(ben) == []
    clock.shift(timedelta(hours=4))
    assert (free_kept(), free_kept()) == (1, 0)
    assert [kind for kind, _ in heard(ben)] == ["freed"]


def test_whoever_loses_a_hold_through_somebody_else_is_told(northwind: Brand) -> None:
    """Red without `ClaimEnded` in `_end`."""
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
        tasks.escalate(fresh(task), "tier_1", because="rerouted", by=cleo)
    assert heard(ada) == [("taken", "The team has the post you were on now. Your draft is kept for you.")]


def test_whoever_held_the_task_when_a_late_answer_was_chosen_is_told(northwind: Brand, clock: time_machine.Coordinates) -> None:
    ada, ben, cleo = person(northwind, "advocate"), person(northwind, "advocate"), person(northwind, "moderator")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
        draft = replies.draft(fresh(task), by=ada, text="Hold the small button for ten seconds, then wait for the light.")
    clock.shift(timedelta(minutes=21))
    with db.transaction():
        tasks.claim(fresh(task), by=ben)
    with db.transaction():
        late = replies.submit(fresh(draft), by=ada, revision=1)
        assert late.late
        moderation.approve(fresh(late), by=cleo, revision=1)
    assert ("taken", "Another answer to the post you were on was approved. Your draft is kept for you.") in heard(ben)


def test_the_word_for_the_next_person_is_shown_to_them(northwind: Brand) -> None:
    from community.tasks.queries import handed_on

    ada, ben = person(northwind, "advocate", name="Ada Okafor"), person(northwind, "advocate")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
        tasks.release(fresh(task), by=ada, note="It is the Hub 3, not the 2.")
    with db.transaction(read_only=True):
        assert handed_on(fresh(task), ben) == (ada.id, "Ada", "It is the Hub 3, not the 2.", None)


def test_who_moves_their_own_task_on_is_not_told_about_it(northwind: Brand) -> None:
    cleo = person(northwind, "moderator")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=cleo)
        tasks.escalate(fresh(task), "tier_1", because="rerouted", by=cleo)
    assert heard(cleo) == []
