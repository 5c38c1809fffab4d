"""What is refused keeps the words that were typed, says what did not happen, and leads back; nothing is a dead end."""

from __future__ import annotations

from app.kernel.db import db
from community.replies.queries import draft_of
from tests.harness.visitor import PASSWORD, Visitor
from tests.stories import fresh, handed_in, told
from tests.web.conftest import Town, words
from tests.web.test_cases import opened

TEXT = "Hold the small button for ten seconds, then wait for the light."
PRIVATE = "Call me on +1 202 555 0175 and we look at it together."


def test_an_employees_refused_reply_stays_in_the_composer(town: Town) -> None:
    case, tim = opened(town), town.browser("tim")
    tim.post("/cases/next")
    refused = tim.post(f"/cases/{case.id}/reply", data={"text": PRIVATE})
    assert refused.status_code == 422
    assert "phone number" in words(refused)
    assert f"required>{PRIVATE}</textarea>" in refused.text
    assert "Nobody came AGAIN" in words(refused), "the case itself is still before one's eyes"


def test_a_refused_form_shows_what_was_typed_and_leads_back(town: Town) -> None:
    reply = handed_in(told(town.brand), town.ada, TEXT)
    mona, cleo = town.browser("mona"), town.browser("cleo")
    assert mona.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"}).status_code == 303
    note = "The light is blue, <b>not</b> white.\nPlease look once more."
    late = cleo.post(
        f"/replies/{reply.id}/reviews",
        data={"decision": "return", "revision": "1", "reason": "incorrect", "note": note},
        headers={"Referer": "http://localhost/reviews?channel=3"},
    )
    assert late.status_code == 409
    assert "The light is blue, &lt;b&gt;not&lt;/b&gt; white.\nPlease look once more.</textarea>" in late.text
    assert 'href="/reviews?channel=3"' in late.text
    for place in ("https://evil.example/reviews", "http://localhost//evil.example/reviews", "http://[::1/evil.example"):
        elsewhere = cleo.post(
            f"/replies/{reply.id}/reviews",
            data={"decision": "return", "revision": "1", "reason": "incorrect", "note": note},
            headers={"Referer": place},
        )
        assert elsewhere.status_code == 409 and "evil.example" not in elsewhere.text


def test_a_session_that_ended_takes_no_words_along(town: Town) -> None:
    case, tim = opened(town), town.browser("tim")
    with tim.session_transaction() as session:
        sid = session["sid"]
        session["sid"] = "vs_ended"
    gone = tim.post(
        f"/cases/{case.id}/notes", data={"text": "Called twice, rings through to the shop."}, headers={"Referer": f"http://localhost/cases/{case.id}"}
    )
    assert gone.status_code == 401
    assert "Called twice, rings through to the shop." in words(gone)
    assert f'href="/login?next=/cases/{case.id}"' in gone.text
    with tim.session_transaction() as session:
        session["sid"] = sid
    assert tim.get(f"/login?next=/cases/{case.id}").location == f"/cases/{case.id}", "signed in meanwhile in another window: on to where one was"


def test_a_page_older_than_the_sign_in_says_so(town: Town) -> None:
    tim = town.browser("tim")
    stale = tim.post(f"/cases/{opened(town).id}/notes", data={"text": "Called twice, rings through.", "csrf_token": "of another session"}, csrf=False)
    assert stale.status_code == 400
    assert "older than your sign-in" in words(stale)
    assert "Called twice, rings through." in words(stale)
    asked = tim.put("/tasks/1/draft", json={"text": "x"}, csrf=False)
    assert (asked.status_code, asked.json["code"]) == (400, "stale"), "the composer's script tells it from other refusals"


def test_no_secret_is_shown_again(town: Town, client: Visitor) -> None:
    for path in ("/login", "/me/leave"):
        told_ = client.post(path, data={"email": town.ada.email, "password": PASSWORD, "csrf_token": "no token at all, but long enough"}, csrf=False)
        assert told_.status_code == 400
        assert PASSWORD not in told_.text
        assert "no token at all" not in told_.text


def test_a_reply_taken_back_leaves_its_task_to_be_claimed_again(town: Town) -> None:
    reply, ada = handed_in(told(town.brand), town.ada, TEXT), town.browser("ada")
    assert f'action="/tasks/{reply.task_id}/claim"' not in ada.get(f"/tasks/{reply.task_id}").text
    ada.post(f"/replies/{reply.id}/withdraw")
    page = ada.get(f"/tasks/{reply.task_id}")
    assert TEXT in words(page)
    assert "Nothing was posted. The task is free again, for you as well." in words(page)
    assert f'action="/tasks/{reply.task_id}/claim"' in page.text


def test_a_sentence_that_only_begins_is_not_sent(town: Town) -> None:
    reply, cleo = handed_in(told(town.brand), town.ada, TEXT), town.browser("cleo")
    for decision in ("return", "reject"):
        half = cleo.post(f"/replies/{reply.id}/reviews", data={"decision": decision, "revision": "1", "reason": "incorrect", "note": "One fact is not right: "})
        assert half.status_code == 422
        assert "Finish the sentence" in words(half)
    assert fresh(reply).state == "submitted"
    whole = {"decision": "return", "revision": "1", "reason": "incorrect", "note": "One fact is not right: the light is blue."}
    assert cleo.post(f"/replies/{reply.id}/reviews", data=whole).status_code == 303


def test_without_script_a_draft_is_saved_and_a_reason_chosen(town: Town) -> None:
    task, ada = told(town.brand), town.browser("ada")
    ada.post(f"/tasks/{task.id}/claim")
    assert f'formaction="/tasks/{task.id}/draft"' in ada.get(f"/tasks/{task.id}").text
    saved = ada.post(f"/tasks/{task.id}/draft", data={"text": TEXT, "revision": ""})
    assert (saved.status_code, saved.location) == (303, f"/tasks/{task.id}")
    with db.transaction(read_only=True):
        draft = draft_of(town.ada, fresh(task))
    assert draft is not None
    older = ada.post(f"/tasks/{task.id}/draft", data={"text": "Other words.", "revision": "7"})
    assert older.status_code == 409
    assert "Other words." in words(older)
    ada.post(f"/tasks/{task.id}/submit", data={"text": TEXT, "revision": "1"})
    shown = town.browser("cleo").get("/reviews").text
    plain = shown.index('<select class="form-select" id="reason" name="reason">')
    assert plain < shown.index('<input type="hidden" name="reason"'), "of two fields of one name the first is read"


OWN = (
    "Hold the small button for ten seconds.", "Your router wants new firmware first.", "Try the cable of another lamp once.",
    "In the app, choose Family, then Schedules.", "Mesh pods like to stand in the open.", "The serial number is under the base.",
)  # fmt: skip


def test_only_the_first_replies_are_numbered(town: Town) -> None:
    """All were handed in before anybody looked, so each is coached as one of the first; the sixth has no number among five."""
    cleo = town.browser("cleo")
    waiting = [handed_in(told(town.brand), town.ada, text) for text in OWN]
    for number, reply in enumerate(waiting[:5], 1):
        assert f"This is number {number}." in words(cleo.get("/reviews"))
        cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "escalate", "revision": "1"})
    assert "first 5 replies" in words(cleo.get("/reviews"))
    assert "This is number" not in words(cleo.get("/reviews"))


def test_a_reply_that_came_back_mended_keeps_its_number(town: Town) -> None:
    """Red when looks are counted instead of replies."""
    ada, cleo = town.browser("ada"), town.browser("cleo")
    reply = handed_in(told(town.brand), town.ada, OWN[0])
    cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "return", "revision": "1", "reason": "incomplete", "note": "Say which button."})
    ada.post(f"/tasks/{reply.task_id}/submit", data={"text": OWN[1], "revision": "1"})
    assert "This is number 1." in words(cleo.get("/reviews"))
