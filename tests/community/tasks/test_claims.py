"""One person's hold on a task: won once, prolonged by work, over everywhere at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, TooMany
from community.replies import actions as replies
from community.tasks import actions as tasks
from community.tasks.states import TASK
from tests import factories as make
from tests.community.conftest import Town


def test_the_second_to_come_hears_who_was_faster_and_until_when(town: Town, clock: time_machine.Coordinates) -> None:
    task = make.task(town.account)
    make.claimed(task, town.ada)
    with pytest.raises(Conflict, match="Ada Example was faster and has it until 09:20"):
        make.claimed(task, town.ben)


def test_a_lapsed_lease_is_over_at_once_and_the_draft_is_kept(town: Town, clock: time_machine.Coordinates) -> None:
    task = make.task(town.account)
    draft = make.drafted(task, town.ada, "A half-written answer")
    clock.shift(timedelta(minutes=21))
    make.claimed(task, town.ben)
    with db.transaction():
        saved = replies.save(make.fresh(draft), by=town.ada, text="Still writing on")
        assert saved.state == "draft"
    assert make.fresh(task).state == "claimed"


def test_saving_renews_the_lease_but_never_past_its_cap(town: Town, clock: time_machine.Coordinates) -> None:
    task = make.task(town.account)
    draft = make.drafted(task, town.ada)
    for _ in range(5):
        clock.shift(timedelta(minutes=15))
        with db.transaction():
            replies.save(make.fresh(draft), by=town.ada, text=make.answer())
    with db.transaction():
        assert tasks.live_claim(make.fresh(task)) is None, "an hour is the most"


def test_the_sweep_frees_what_lapsed(town: Town, clock: time_machine.Coordinates) -> None:
    task = make.task(town.account)
    make.claimed(task, town.ada)
    assert tasks.lapse_due() == 0
    clock.shift(timedelta(minutes=20, seconds=1))
    assert tasks.lapse_due() == 1
    assert make.fresh(task).state == "open"
    assert tasks.lapse_due() == 0


def test_a_clock_that_jumped_gives_nobody_a_lease_for_ever(town: Town, clock: time_machine.Coordinates) -> None:
    task = make.task(town.account)
    clock.shift(timedelta(days=1))
    held = make.claimed(task, town.ada)
    clock.shift(timedelta(days=-1))
    assert held.cap_at is not None and held.cap_at - held.started_at <= timedelta(hours=1)


def test_how_many_one_may_hold_grows_with_trust(town: Town) -> None:
    new = make.person("neo", town.brand, "advocate")
    make.claimed(make.task(town.account), new)
    with pytest.raises(TooMany, match="1 of 1"):
        make.claimed(make.task(town.account, author="harbour"), new)


def test_an_advocate_never_takes_what_is_with_the_team(town: Town) -> None:
    task = make.task(town.account, "#tier_1 furious")
    with pytest.raises(Forbidden, match="with the team"):
        make.claimed(task, town.ada)
    assert make.claimed(task, town.tim).ends_at is None, "an employee's assignment has no lease"


def test_handing_back_frees_the_task(town: Town) -> None:
    task = make.task(town.account)
    make.claimed(task, town.ada)
    with db.transaction():
        tasks.release(make.fresh(task), by=town.ada)
    make.claimed(task, town.ben)


@pytest.mark.parametrize(
    ("state", "verb"), [("cancelled", "claim"), ("resolved", "answer"), ("answered", "claim"), ("in_review", "claim"), ("open", "release")]
)
def test_moves_that_do_not_exist(state: str, verb: str) -> None:
    assert not TASK.can(state, verb)
