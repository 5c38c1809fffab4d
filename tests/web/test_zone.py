"""Times by the reader's own clock: what the browser says, else what was chosen for mail, else UTC by its name."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from app.notices.preferences import wishes_of
from community.tasks.models import Task
from tests.harness.visitor import PASSWORD, Visitor
from tests.stories import fresh, news, told
from tests.web.conftest import Town, words


def held(town: Town) -> tuple[Task, Visitor]:
    task, ada = told(town.brand), town.browser("ada")
    ada.post(f"/tasks/{task.id}/claim")
    return task, ada


def test_a_lease_ends_by_the_clock_on_the_wall(town: Town, clock: time_machine.Coordinates) -> None:
    """At nine o'clock UTC it is ten in Berlin and half past two in Kolkata."""
    task, ada = held(town)
    assert "yours alone until 09:20 UTC" in words(ada.get(f"/tasks/{task.id}"))
    ada.set_cookie("zone", "Europe/Berlin")
    assert "yours alone until 10:20" in words(ada.get(f"/tasks/{task.id}"))
    assert "10:20 UTC" not in words(ada.get(f"/tasks/{task.id}"))
    assert ada.put(f"/tasks/{task.id}/draft", json={"text": "Hold the small button."}).json["saved_at"] == "10:00:00"
    ben = town.browser("ben")
    ben.set_cookie("zone", "Asia/Kolkata")
    assert "14:50" in words(ben.get("/desk"))
    clock.shift(timedelta(hours=16))
    assert 'title="2 March 2026, 10:00:00 CET"' in ada.get(f"/tasks/{task.id}").text, "the tooltip names the zone"


def test_a_promise_is_summed_by_the_clock_on_the_wall(town: Town, clock: time_machine.Coordinates) -> None:
    told(town.brand, audience="tier_1")
    news()
    tim = town.browser("tim")
    tim.set_cookie("zone", "Europe/Berlin")
    shown = words(tim.get("/cases"))
    assert "reached us 10:00" in shown
    assert "reached us 09:00" not in shown


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "\\x00", "x" * 4000, "<b>"])
def test_a_zone_nobody_knows_is_no_zone(town: Town, clock: time_machine.Coordinates, zone: str) -> None:
    task, ada = held(town)
    ada.set_cookie("zone", zone)
    assert "until 09:20 UTC" in words(ada.get(f"/tasks/{task.id}"))


def test_quiet_hours_begin_in_the_zone_one_signs_in_from(town: Town, clock: time_machine.Coordinates) -> None:
    ada = town.browser("ada")
    assert wishes_of(fresh(town.ada)).zone == "UTC"
    ada.post("/logout")
    ada.set_cookie("zone", "Asia/Tokyo")
    assert ada.post("/login", data={"email": town.ada.email, "password": PASSWORD}).status_code == 303
    wishes = wishes_of(fresh(town.ada))
    assert (wishes.zone, wishes.quiet) == ("Asia/Tokyo", (22, 7)), "the rest is as it is for everybody"
    ada.post("/logout")
    ada.set_cookie("zone", "Europe/Berlin")
    ada.post("/login", data={"email": town.ada.email, "password": PASSWORD})
    assert wishes_of(fresh(town.ada)).zone == "Asia/Tokyo", "what is kept is changed by its owner only"


def test_what_was_chosen_for_mail_serves_where_no_script_says_more(town: Town, clock: time_machine.Coordinates) -> None:
    task, ada = held(town)
    ada.post("/preferences", data={"hour": "7", "zone": "Europe/Berlin"})
    assert "until 10:20" in words(ada.get(f"/tasks/{task.id}"))
