"""P05, P06: what is decided is one exact revision, read by somebody else than its writer."""

from __future__ import annotations

import pytest

from tests import factories
from tests.api.conftest import Town, problem


def test_handing_in_names_the_revision(town: Town) -> None:
    reply = factories.drafted(town.task(), town.people["ada"])
    town("ada").put(f"/replies/{reply.id}", {"body": factories.answer()})

    assert problem(town("ada").post(f"/replies/{reply.id}/submit"), 400)["field"] == "revision"
    assert problem(town("ada").post(f"/replies/{reply.id}/submit", {"revision": 1}), 409)["revision"] == 2
    assert town("ada").post(f"/replies/{reply.id}/submit", {"revision": 2}).json["state"] == "submitted"


@pytest.mark.parametrize("decision", ["approve", "return", "reject", "escalate"])
def test_a_decision_names_the_revision(town: Town, decision: str) -> None:
    reply = factories.submitted(town.task(), town.people["ada"])
    path, words = f"/replies/{reply.id}/reviews", {"decision": decision, "reason": "tone", "note": "Say it kindly."}

    assert problem(town("cleo").post(path, words), 400)["field"] == "revision"
    problem(town("cleo").post(path, {**words, "revision": None}), 422)
    town("ada").put(f"/replies/{reply.id}", {"body": factories.answer()})
    assert problem(town("cleo").post(path, {**words, "revision": 1}), 409)["revision"] == 2
    decided = town("cleo").post(path, {**words, "revision": 2})

    assert decided.status_code == 201, decided.text
    assert (decided.json["decision"], decided.json["revision"], decided.json["reason"]) == (decision, 2, None if decision == "approve" else "tone")
    problem(town("cleo").post(path, {**words, "revision": 2}), 409)


def test_an_edit_after_approval_needs_its_own_look(town: Town) -> None:
    posting = factories.approved(town.task(), town.people["ada"], town.people["cleo"])

    edited = town("ada").put(f"/replies/{posting.reply_id}", {"body": factories.answer()})

    assert (edited.json["state"], edited.json["revision"]) == ("submitted", 2)
    assert edited.json["posting"]["state"] == "pulled_back"
    problem(town("cleo").post(f"/replies/{posting.reply_id}/reviews", {"decision": "approve", "revision": 1}), 409)


def test_edit_and_approve_keeps_the_writer(town: Town) -> None:
    reply = factories.submitted(town.task(), town.people["ada"])
    better = factories.answer()

    decided = town("cleo").post(f"/replies/{reply.id}/reviews", {"decision": "approve", "revision": 1, "body": better})

    assert (decided.json["revision"], decided.json["edited_from"]) == (2, 1)
    assert decided.json["reply"]["writer"]["id"] == town.people["ada"].id
    assert decided.json["reply"]["posting"]["text"].startswith(better)


def test_nobody_reviews_their_own_reply(town: Town) -> None:
    reply = factories.submitted(town.task(), town.people["cleo"])

    problem(town("cleo").post(f"/replies/{reply.id}/reviews", {"decision": "approve", "revision": 1}), 403)
    assert town("cleo").get("/reviews").json["items"][0]["own"] is True
    problem(town("ada").post(f"/replies/{reply.id}/reviews", {"decision": "approve", "revision": 1}), 403)


def test_a_rejection_gives_its_reason(town: Town) -> None:
    reply = factories.submitted(town.task(), town.people["ada"])

    assert problem(town("cleo").post(f"/replies/{reply.id}/reviews", {"decision": "reject", "revision": 1}), 400)["field"] == "reason"
    problem(town("cleo").post(f"/replies/{reply.id}/reviews", {"decision": "reject", "revision": 1, "reason": "dislike"}), 422)


def test_what_a_check_stops_is_told(town: Town) -> None:
    reply = factories.drafted(town.task(), town.people["ada"], "Write to me at ada@example.com and I will help you with it")

    found = problem(town("ada").post(f"/replies/{reply.id}/submit", {"revision": 1}), 422)

    assert any(check["level"] == "stop" and check["name"] == "private_data" for check in found["checks"])


def test_one_takes_the_task_and_the_others_hear_who(town: Town) -> None:
    task = town.task()
    assert town("ada").post(f"/tasks/{task.id}/claim").status_code == 201

    assert "Ada" in problem(town("ben").post(f"/tasks/{task.id}/claim"), 409)["detail"]
    problem(town("ben").delete(f"/tasks/{task.id}/claim"), 409)
    assert town("ada").delete(f"/tasks/{task.id}/claim").status_code == 204
    assert town("ben").post(f"/tasks/{task.id}/claim").status_code == 201


def test_the_first_save_begins_and_the_next_one_goes_on(town: Town) -> None:
    task = town.task()
    problem(town("ada").post(f"/tasks/{task.id}/replies", {"body": "too early"}), 409)
    town("ada").post(f"/tasks/{task.id}/claim")

    first = town("ada").post(f"/tasks/{task.id}/replies", {"body": "one"})
    unseen = problem(town("ada").post(f"/tasks/{task.id}/replies", {"body": "two"}), 409)
    assert (unseen["body"], unseen["revision"]) == ("one", 1), "another program's words are not overwritten unseen"
    again = town("ada").post(f"/tasks/{task.id}/replies", {"body": "two", "revision": 1})

    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json["id"], again.json["revision"], again.json["body"]) == (first.json["id"], 2, "two")
    problem(town("ada").put(f"/replies/{first.json['id']}", {"body": "three", "revision": 1}), 409)
    problem(town("ben").put(f"/replies/{first.json['id']}", {"body": "mine"}), 404)
