"""P23: a lease that is over is over everywhere at once, and an answer that comes too late is an alternative, never a second reply."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.accounts.models import User
from app.kernel.db import db
from app.kernel.errors import Conflict
from app.web import frame
from community.moderation import actions as moderation
from community.moderation.queries import item_of
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.tasks import actions as tasks
from community.tasks.models import Task
from community.tasks.offers import desk
from community.tasks.queries import claims_of, holder_of, holders_of
from tests import factories
from tests.promises.conftest import Town

LEASE = timedelta(minutes=20)


def held_anywhere(town: Town, task: Task, by: User) -> dict[str, bool]:
    """Whether each place that looks at a hold still sees it."""
    with db.transaction(read_only=True):
        now = factories.fresh(task)
        return {
            "verb": tasks.live_claim(now) is not None,
            "workspace": holder_of(now) is not None,
            "lists": bool(holders_of([task.id])),
            "claims": bool(claims_of(by, town.brand)),
            "desk": any(one.holder is not None for one in desk(town.ben, town.brand).items),
            "rail": bool(frame._counts(by, town.brand, {"claims"}, points=False)["counts"]["claims"]),
        }


def test_p23_the_moment_it_is_over_nobody_sees_it_any_more(town: Town, clock: time_machine.Coordinates) -> None:
    """Red when one of these places asks `ended_at` alone. No sweep runs here."""
    task = factories.task(town.account)
    factories.claimed(task, town.ada)
    clock.shift(LEASE - timedelta(seconds=1))
    assert set(held_anywhere(town, task, town.ada).values()) == {True}
    clock.shift(timedelta(seconds=1))
    assert set(held_anywhere(town, task, town.ada).values()) == {False}


def begin(town: Town, task: Task) -> Reply:
    return factories.drafted(task, town.ada)


STEPS: tuple[Callable[[Town, Task, Reply], object], ...] = (
    lambda town, task, draft: replies.save(factories.fresh(draft), by=town.ada, text=factories.answer()),
    lambda town, task, draft: replies.draft(factories.fresh(task), by=town.ada, text=factories.answer(), revision=draft.revision),
)


@pytest.mark.parametrize("step", range(2))
def test_p23_no_step_brings_a_lease_back_that_is_over(town: Town, clock: time_machine.Coordinates, step: int) -> None:
    """Red when saving prolongs a lapsed lease."""
    task = factories.task(town.account)
    draft = begin(town, task)
    clock.shift(LEASE)
    with db.transaction():
        STEPS[step](town, task, draft)
    assert set(held_anywhere(town, task, town.ada).values()) == {False}
    factories.claimed(task, town.ben)


def test_p23_handed_in_after_the_end_while_nobody_else_took_it_it_is_the_answer(town: Town, clock: time_machine.Coordinates) -> None:
    task = factories.task(town.account)
    draft = begin(town, task)
    clock.shift(LEASE + timedelta(hours=1))
    with db.transaction():
        assert not replies.submit(factories.fresh(draft), by=town.ada, revision=1).late
    assert factories.fresh(task).state == "in_review"


@pytest.mark.parametrize("then", ["claimed", "handed in", "approved"])
def test_p23_what_comes_too_late_is_an_alternative_and_never_a_second_reply(town: Town, clock: time_machine.Coordinates, then: str) -> None:
    """Red when a late submission is taken for the task's own."""
    task = factories.task(town.account)
    draft = begin(town, task)
    clock.shift(LEASE)
    theirs = factories.drafted(task, town.ben)
    if then != "claimed":
        with db.transaction():
            replies.submit(factories.fresh(theirs), by=town.ben, revision=1)
    with db.transaction():
        late = replies.submit(factories.fresh(draft), by=town.ada, revision=1)
    assert late.late
    if then == "approved":
        with db.transaction():
            moderation.approve(factories.fresh(theirs), by=town.cleo, revision=1)
        with pytest.raises(Conflict), db.transaction():
            moderation.approve(factories.fresh(late), by=town.cleo, revision=1)
    else:
        with db.transaction():
            moderation.approve(factories.fresh(late), by=town.cleo, revision=1)
    with db.transaction(read_only=True) as session:
        live = session.scalar(select(func.count()).select_from(Posting).where(Posting.task_id == task.id, Posting.state.in_(("approved", "posting", "posted"))))
        assert live == 1
        assert factories.fresh(task).state == "in_review"


@pytest.mark.parametrize("jump", [timedelta(hours=24), timedelta(hours=5)])
def test_p23_a_lease_given_by_a_clock_that_jumped_holds_nothing(town: Town, clock: time_machine.Coordinates, jump: timedelta) -> None:
    """Red when a lease is believed however far off it ends: the task would stay away from everybody for a day, and the review too."""
    clock.shift(jump)
    task, other = factories.task(town.account), factories.task(town.account)
    factories.claimed(task, town.ada)
    reply = factories.submitted(other, town.ada)
    with db.transaction():
        moderation.open_review(factories.fresh(reply), by=town.mo)
    clock.shift(-jump)

    assert set(held_anywhere(town, task, town.ada).values()) == {False}
    assert tasks.lapse_due() == 1
    factories.claimed(task, town.ben)
    with db.transaction(read_only=True):
        assert item_of(town.cleo, factories.fresh(reply)).holder is None
    with db.transaction():
        moderation.approve(factories.fresh(reply), by=town.cleo, revision=1)
    assert factories.fresh(reply).state == "approved"
