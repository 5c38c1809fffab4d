"""The workspace: words are saved by themselves, checked while typing, stopped with a reason, handed in."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import select

from app.kernel.db import db
from community.feedback import links
from community.feedback.models import Receipt
from community.replies.queries import draft_of
from community.tasks.models import Task
from tests.harness.visitor import Visitor
from tests.stories import fresh, handed_in, told
from tests.web.conftest import Town, words

GOOD = "Hold the small button for ten seconds, then wait for the white light."


def begun(town: Town) -> tuple[Task, Visitor]:
    task = told(town.brand)
    ada = town.browser("ada")
    ada.post(f"/tasks/{task.id}/claim")
    return task, ada


def test_a_draft_saves_itself_and_prolongs_the_lease(town: Town, clock: time_machine.Coordinates) -> None:
    task, ada = begun(town)
    clock.shift(timedelta(minutes=10))
    saved = ada.put(f"/tasks/{task.id}/draft", json={"text": "Hold the"}).json
    assert saved["revision"] == 1
    assert saved["left"] == 20 * 60
    again = ada.put(f"/tasks/{task.id}/draft", json={"text": GOOD, "revision": saved["revision"]}).json
    assert again["revision"] == 2
    assert GOOD in ada.get(f"/tasks/{task.id}").text


def test_a_second_window_does_not_overwrite_the_first(town: Town) -> None:
    task, ada = begun(town)
    ada.put(f"/tasks/{task.id}/draft", json={"text": "one"})
    ada.put(f"/tasks/{task.id}/draft", json={"text": "two", "revision": 1})
    stale = ada.put(f"/tasks/{task.id}/draft", json={"text": "three", "revision": 1})
    assert stale.status_code == 409
    assert "another window" in stale.json["message"]
    with db.transaction(read_only=True):
        assert draft_of(town.ada, fresh(task)).revision == 2  # type: ignore[union-attr]


def test_two_windows_before_any_draft_the_second_overwrites_nothing(town: Town) -> None:
    """Both pages were opened before a word was written: the second's first save hears of the first's words."""
    task, ada = begun(town)
    ada.put(f"/tasks/{task.id}/draft", json={"text": "one", "revision": None})
    second = ada.put(f"/tasks/{task.id}/draft", json={"text": "two", "revision": None})
    assert second.status_code == 409
    assert second.json["body"] == "one"
    assert second.json["revision"] == 1
    assert ada.put(f"/tasks/{task.id}/draft", json={"text": "one"}).json["revision"] == 1, "the same words again: only the answer was lost"
    kept = ada.put(f"/tasks/{task.id}/draft", json={"text": "two", "revision": second.json["revision"]})
    assert kept.json["revision"] == 2


def test_words_that_cannot_be_handed_in_are_on_the_page_that_says_so(town: Town, clock: time_machine.Coordinates) -> None:
    task, ada = begun(town)
    ada.put(f"/tasks/{task.id}/draft", json={"text": "newer words"})
    stale = ada.post(f"/tasks/{task.id}/submit", data={"text": "words of the older page", "revision": ""})
    assert stale.status_code == 409
    assert "newer words" in words(stale)
    assert ">words of the older page</textarea>" in stale.text
    assert 'name="revision" value="1"' in stale.text, "handed in again, the person's choice stands"

    late = told(town.brand, "Which light is which?")
    ben = town.browser("ben")
    ben.post(f"/tasks/{late.id}/claim")
    clock.shift(timedelta(minutes=21))
    town.browser("cleo").post(f"/tasks/{late.id}/claim")
    refused = ben.post(f"/tasks/{late.id}/submit", data={"text": "The upper one is the line."})
    assert refused.status_code == 409
    assert "The upper one is the line." in words(refused)
    assert "You don't hold this task" in words(refused)


def test_checks_say_what_stops_the_words_and_offer_others(town: Town) -> None:
    task, ada = begun(town)
    said = words(ada.post(f"/tasks/{task.id}/checks", json={"text": "Northwind will refund you, write to me@home.example"}))
    assert "Only Northwind may promise money" in said
    assert "the team can look at your case" in said
    assert "mail address" in said
    assert "As it will appear" in said
    assert "I help out as a Northwind advocate." in said
    assert "Only Northwind" not in words(ada.post(f"/tasks/{task.id}/checks", json={"text": GOOD}))


def test_what_a_check_stops_is_kept_and_not_handed_in(town: Town) -> None:
    task, ada = begun(town)
    refused = ada.post(f"/tasks/{task.id}/submit", data={"text": "We guarantee it works. Northwind will refund you."})
    assert refused.status_code == 422
    assert "Only Northwind may promise" in words(refused)
    with db.transaction(read_only=True):
        draft = draft_of(town.ada, fresh(task))
        assert draft is not None
        assert draft.state == "draft"


def test_handed_in_it_waits_for_its_look(town: Town) -> None:
    task, ada = begun(town)
    assert ada.post(f"/tasks/{task.id}/submit", data={"text": GOOD}).location == "/desk"
    assert "Nothing is posted before that" in words(ada.get("/desk"))
    assert fresh(task).state == "in_review"
    said = words(ada.get(f"/tasks/{task.id}"))
    assert "waits for its look" in said
    assert GOOD in said
    assert "waits for its look" in words(ada.get("/claims"))


def test_words_that_are_missing_are_a_bad_request(town: Town) -> None:
    task, ada = begun(town)
    assert ada.put(f"/tasks/{task.id}/draft", json={"txt": "x"}).status_code == 400
    assert ada.put(f"/tasks/{task.id}/draft", json=["x"]).status_code == 400
    assert ada.put(f"/tasks/{task.id}/draft", json={"text": "x", "revision": "soon"}).status_code == 422
    assert ada.put(f"/tasks/{task.id}/draft", json={"text": "x", "voice": "loud"}).status_code == 422


def test_a_colleague_never_sees_the_draft(town: Town) -> None:
    task, ada = begun(town)
    ada.put(f"/tasks/{task.id}/draft", json={"text": "half a thought nobody should read"})
    for who in ("ben", "cleo", "tim", "ann", "max"):
        assert "half a thought" not in town.browser(who).get(f"/tasks/{task.id}").text


def test_taken_back_it_is_free(town: Town) -> None:
    task = told(town.brand)
    reply = handed_in(task, town.ada)
    assert town.browser("ben").post(f"/replies/{reply.id}/withdraw").status_code == 404
    assert town.browser("ada").post(f"/replies/{reply.id}/withdraw").status_code == 303
    assert fresh(task).state == "open"


def test_a_flag_that_is_urgent_acts_at_once(town: Town) -> None:
    task, ada = begun(town)
    assert ada.post(f"/tasks/{task.id}/flags", data={"kind": "at_risk"}).location == "/desk"
    assert fresh(task).audience == "tier_2"
    seen = ada.get(f"/tasks/{task.id}")
    assert seen.status_code == 200
    assert "Submit" not in words(seen)


def test_the_writer_sees_the_link_to_how_it_was_vetted_before_and_after_the_first_save(town: Town) -> None:
    """Red when the preview leaves out the line, or when the checks don't know of it."""
    assert town.browser("max").post("/settings", data={"receipt_link": "1"}).status_code == 303
    task, ada = begun(town)
    before = words(ada.post(f"/tasks/{task.id}/checks", data={"text": GOOD}))
    assert "Ends with the link to how it was vetted" in before
    assert f"How this was vetted: http://127.0.0.1:5000/r/{links.STAND_IN}" in before
    ada.put(f"/tasks/{task.id}/draft", json={"text": GOOD})
    with db.transaction(read_only=True) as session:
        token = session.scalars(select(Receipt.token)).one()
    for page in (ada.get(f"/tasks/{task.id}"), ada.post(f"/tasks/{task.id}/checks", data={"text": GOOD})):
        assert f"/r/{token}" in words(page)
    assert ada.get(f"/r/{token}").status_code == 404, "not before it is out"
    assert "Not yet" not in words(ada.get(f"/r/{token}")), "a draft may never go out"
    ada.post(f"/tasks/{task.id}/submit", data={"text": GOOD, "revision": "1"})
    with db.transaction(read_only=True) as session:
        reply_id = session.scalars(select(Receipt.reply_id)).one()
    assert town.browser("cleo").post(f"/replies/{reply_id}/reviews", data={"decision": "approve", "revision": "1"}).status_code == 303
    early = town.visit(town.kai.email).get(f"/r/{token}")
    assert early.status_code == 404 and "Not yet" in words(early) and "Look again" in words(early)
    assert GOOD not in words(early), "nothing of it before it is out"


def test_a_task_is_handed_on_with_the_draft_and_taken_up_from_there(town: Town) -> None:
    task, ada = begun(town)
    ada.put(f"/tasks/{task.id}/draft", json={"text": GOOD})
    assert "Let them start from my draft" in words(ada.get(f"/tasks/{task.id}"))
    back = ada.post(f"/tasks/{task.id}/claim/release", data={"note": "", "leave_draft": "1"}, follow_redirects=True)
    assert f'action="/tasks/{task.id}/claim/words/forget"' in back.text, "there is an undo"
    ben = town.browser("ben")
    assert GOOD not in words(ben.get(f"/tasks/{task.id}"))
    ben.post(f"/tasks/{task.id}/claim")
    page = words(ben.get(f"/tasks/{task.id}"))
    assert "How Ada began" in page and GOOD in page
    assert ben.post(f"/tasks/{task.id}/draft/start").status_code == 303
    assert f">{GOOD}</textarea>" in ben.get(f"/tasks/{task.id}").text
    assert ada.post(f"/tasks/{task.id}/claim/words/forget").status_code == 303
    assert "How Ada began" not in words(ben.get(f"/tasks/{task.id}"))
    assert f">{GOOD}</textarea>" in ben.get(f"/tasks/{task.id}").text, "what was put in stays"
    assert ben.post(f"/tasks/{task.id}/draft/start").status_code == 404
