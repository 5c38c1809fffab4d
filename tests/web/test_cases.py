"""Cases by the page: the nearest promise first, taken, answered in the brand's voice, handed on, resolved, opened again."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import select

from app.kernel.db import db
from community.answers import actions as answers
from community.answers.models import Use
from community.replies.queries import replies_on
from escalation.cases.models import Case
from escalation.cases.queries import case_of_task
from tests.stories import fresh, news, told
from tests.web.conftest import Town, words

KNOWN = "Book a new visit in the app under Visits; whoever waited in vain gets the first slot of the day."
ANSWER = "We are sorry for the trouble. Which evening suits you for a visit?"


def opened(town: Town, text: str = "Nobody came AGAIN", tier: str = "tier_1", **how: int) -> Case:
    task = told(town.brand, text, audience=tier, **how)  # type: ignore[arg-type]
    news()
    with db.transaction(read_only=True):
        case = case_of_task(task.id)
    assert case is not None
    return case


def test_each_tier_has_its_list_with_its_clock(town: Town) -> None:
    opened(town, "Nobody came AGAIN")
    opened(town, "The line drops with error 51", "tier_2")
    tim = words(town.browser("tim").get("/cases"))
    assert "Nobody came AGAIN" in tim
    assert "error 51" not in tim
    assert "left" in tim
    both = words(town.browser("tess").get("/cases"))
    assert "error 51" in both
    assert "Nobody came AGAIN" in both
    assert "error 51" not in words(town.browser("tess").get("/cases?tier=tier_1"))


def test_a_missed_promise_says_by_how_much(town: Town, clock: time_machine.Coordinates) -> None:
    opened(town)
    tim = town.browser("tim")
    clock.shift(timedelta(minutes=74))
    assert "missed by 14 min" in words(tim.get("/cases"))


def test_the_next_one_is_taken_and_answered_as_the_brand(town: Town) -> None:
    case = opened(town)
    tim = town.browser("tim")
    assert tim.post("/cases/next").location == f"/cases/{case.id}"
    assert fresh(case).assignee_id == town.tim.id
    done = tim.post(f"/cases/{case.id}/reply", data={"text": ANSWER})
    assert done.location == f"/cases/{case.id}"
    with db.transaction(read_only=True):
        (one,) = replies_on(fresh(case).task_id and _task(case))
    assert one.reply.voice == "brand"
    assert one.reply.state == "approved"
    assert ANSWER in words(tim.get(f"/cases/{case.id}"))
    assert tim.post("/cases/next").location == "/cases"


def test_a_second_answer_is_refused_with_the_first_shown(town: Town) -> None:
    case = opened(town)
    town.browser("tim").post(f"/cases/{case.id}/reply", data={"text": ANSWER})
    second = town.browser("tess").post(f"/cases/{case.id}/reply", data={"text": "Something else entirely, from me."})
    assert second.status_code == 409
    assert "Which evening suits you" in words(second)


def test_notes_are_for_colleagues_only(town: Town) -> None:
    case = opened(town)
    tim = town.browser("tim")
    assert tim.post(f"/cases/{case.id}/notes", data={"text": "  "}).status_code == 422
    tim.post(f"/cases/{case.id}/notes", data={"text": "The depot has the old address."})
    assert "The depot has the old address." in words(town.browser("tess").get(f"/cases/{case.id}"))
    ada = town.browser("ada")
    assert ada.get(f"/cases/{case.id}").status_code == 403
    assert "old address" not in ada.get(f"/tasks/{case.task_id}").text


def test_up_down_and_back_each_with_a_sentence(town: Town) -> None:
    case = opened(town)
    tim, tess = town.browser("tim"), town.browser("tess")
    assert tim.post(f"/cases/{case.id}/transfer", data={"tier": "tier_2", "note": ""}).status_code == 422
    assert tim.post(f"/cases/{case.id}/transfer", data={"tier": "tier_2", "note": "Needs an engineer."}).status_code == 303
    assert fresh(case).tier == "tier_2"
    assert tim.post(f"/cases/{case.id}/reply", data={"text": ANSWER}).status_code == 403
    assert tess.post(f"/cases/{case.id}/transfer", data={"tier": "community", "note": "Write to me@depot.example if it fails."}).status_code == 303
    desk = words(town.browser("ada").get("/desk"))
    assert "Nobody came AGAIN" in desk
    assert "me@depot.example" not in desk


def test_it_resolves_with_an_outcome_and_opens_again(town: Town) -> None:
    case = opened(town)
    tim = town.browser("tim")
    assert tim.post(f"/cases/{case.id}/resolve", data={"outcome": ""}).status_code == 422
    assert tim.post(f"/cases/{case.id}/resolve", data={"outcome": "visit_booked"}).status_code == 303
    assert "Visit booked" in words(tim.get(f"/cases/{case.id}"))
    assert f"/cases/{case.id}" in tim.get("/cases?show=resolved").text
    assert tim.post(f"/cases/{case.id}/reopen").status_code == 303
    assert fresh(case).state == "reopened"


def test_it_is_given_to_a_colleague_of_its_tier(town: Town) -> None:
    case = opened(town, tier="tier_2")
    assert town.browser("max").post(f"/cases/{case.id}/assign", data={"assignee": str(town.tess.id)}).status_code == 303
    assert fresh(case).assignee_id == town.tess.id
    assert town.browser("max").post(f"/cases/{case.id}/assign", data={"assignee": str(town.tim.id)}).status_code == 422
    assert town.browser("max").post(f"/cases/{case.id}/assign", data={"assignee": "x"}).status_code == 422
    assert town.browser("max").post(f"/cases/{case.id}/assign", data={"assignee": "²"}).status_code == 422


def test_an_analyst_reads_and_changes_nothing(town: Town) -> None:
    case = opened(town)
    ann = town.browser("ann")
    page = ann.get(f"/cases/{case.id}")
    assert page.status_code == 200
    assert "/resolve" not in page.text
    assert "/reply" not in page.text
    for verb in ("assign", "reply", "notes", "transfer", "resolve", "reopen"):
        assert ann.post(f"/cases/{case.id}/{verb}", data={"text": "x", "note": "x", "tier": "tier_2", "outcome": "other"}).status_code == 403, verb


def test_another_brands_case_is_not_here(town: Town) -> None:
    case = opened(town)
    assert town.browser("kim").get(f"/cases/{case.id}").status_code == 404
    assert "Nobody came" not in words(town.browser("kim").get("/cases"))


def test_an_employee_who_opens_the_task_sees_its_case(town: Town) -> None:
    case = opened(town)
    assert town.browser("tim").get(f"/tasks/{case.task_id}").location == f"/cases/{case.id}"


def _task(case: Case):  # type: ignore[no-untyped-def]
    from community.tasks.models import Task

    return db.session.get_one(Task, case.task_id)


def test_an_employee_starts_from_what_the_brand_knows(town: Town) -> None:
    with db.transaction():
        answer = answers.add(town.brand, by=town.cleo, title="Nobody came to connect my line. What now?", body=KNOWN)
    case = opened(town, "Nobody came to connect my line AGAIN")
    tim = town.browser("tim")
    page = tim.get(f"/cases/{case.id}").text
    assert f'data-suggest="/tasks/{case.task_id}/suggestions"' in page
    panel = tim.get(f"/tasks/{case.task_id}/suggestions").text
    assert KNOWN in panel
    assert "Insert" in panel
    done = tim.post(f"/cases/{case.id}/reply", data={"text": f"We are sorry. {KNOWN}", "used": f"a{answer.id}.1 r999999 nonsense"})
    assert done.location == f"/cases/{case.id}"
    with db.transaction(read_only=True) as session:
        (use,) = session.scalars(select(Use)).all()
    assert (use.answer_id, use.version, use.revision) == (answer.id, 1, 1), "a later recall finds what the team said as well"


def test_without_a_script_an_answer_is_put_into_the_case_and_its_taker_has_it(town: Town) -> None:
    with db.transaction():
        answer = answers.add(town.brand, by=town.cleo, title="Nobody came to connect my line. What now?", body=KNOWN)
    case = opened(town, "Nobody came to connect my line AGAIN")
    tim = town.browser("tim")
    put = tim.post(f"/tasks/{case.task_id}/suggestions", data={"code": f"a{answer.id}.1"})
    assert put.location == f"/cases/{case.id}"
    assert fresh(case).assignee_id == town.tim.id
    assert f">{KNOWN}</textarea>" in tim.get(f"/cases/{case.id}").text
    assert KNOWN not in town.browser("tess").get(f"/cases/{case.id}").text, "a draft is its writer's alone"
    assert town.browser("ada").post(f"/tasks/{case.task_id}/suggestions", data={"code": f"a{answer.id}.1"}).status_code in (403, 404)


def test_an_answer_that_a_check_stops_is_not_lost(town: Town) -> None:
    case = opened(town)
    tim = town.browser("tim")
    stopped = tim.post(f"/cases/{case.id}/reply", data={"text": "Write to {{name}} about your visit, please, and we will see."})
    assert stopped.status_code == 422
    assert "Write to {{name}} about your visit" in stopped.text
    assert fresh(case).assignee_id is None, "what was stopped changed nothing"


def test_a_task_claimed_elsewhere_is_its_case_taken(town: Town) -> None:
    """By the page of the task or the API: nobody else is offered what somebody already answers; put back, it waits for all again."""
    case = opened(town)
    tim, task_id = town.browser("tim"), fresh(case).task_id
    tim.post(f"/tasks/{task_id}/claim")
    news()
    assert (fresh(case).state, fresh(case).assignee_id) == ("assigned", town.tim.id)
    assert "Nobody came AGAIN" in words(tim.get("/cases?show=mine"))
    assert town.browser("tess").post("/cases/next").location == "/cases", "taken already"
    tim.post(f"/tasks/{task_id}/claim/release")
    news()
    assert (fresh(case).state, fresh(case).assignee_id) == ("open", None)
    assert "Nothing is with you." in words(tim.get("/cases?show=mine"))
