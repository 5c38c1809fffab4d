"""A newcomer's first week, walked by programs: every decision about their work reaches them, and what it teaches stays on the task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests import factories
from tests.api.conftest import Program, Town, problem

FIRST = "Hold the button for ten seconds and wait."
BETTER = "Hold the small button on its back for ten seconds, then wait for the white light."


def asked(town: Town, number: int, text: str = "How do I reset my router?") -> dict[str, Any]:
    """A post of a stranger, and the task it became."""
    town("max").post("/brands/northwind/mentions", {"id": f"q-{number}", "text": text, "author": f"author-{number}"})
    (task,) = town("ada").get("/tasks", mention=f"q-{number}").json["items"]
    found: dict[str, Any] = task
    return found


def handed_in(by: Program, task: dict[str, Any], body: str) -> dict[str, Any]:
    by.post(f"/tasks/{task['id']}/claim")
    reply = by.post(f"/tasks/{task['id']}/replies", {"body": body}).json
    answer = by.post(f"/replies/{reply['id']}/submit", {"revision": reply["revision"]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def heard(by: Program) -> list[tuple[str, str | None]]:
    """What is new to them, the newest first; then it is seen."""
    found = [(one["about"], one["quote"]) for one in by.get("/me/notices", unread="true").json["items"] if one["kind"] != "game"]
    assert by.post("/me/notices/read").status_code == 204
    return found


def test_returned_mended_rejected_appealed_and_upheld_and_each_of_it_is_told(town: Town, jobs: Callable[[], int]) -> None:
    town.people["mona"] = factories.person("mona", town.northwind, "moderator", password=None)
    ada, cleo, mona = town("ada"), town("cleo"), town("mona")
    task = asked(town, 1)
    reply = handed_in(ada, task, FIRST)
    queue = cleo.get("/reviews").json["items"]
    assert [one["id"] for one in queue] == [reply["id"]]

    returned = {"decision": "return", "revision": reply["revision"], "reason": "incomplete", "note": "Say which button, and what they see then."}
    assert cleo.post(f"/replies/{reply['id']}/reviews", returned).status_code == 201
    jobs()
    assert heard(ada) == [("returned", "Say which button, and what they see then.")]
    assert problem(town("ben").post(f"/tasks/{task['id']}/claim"), 409), "it stays its writer's"

    saved = ada.put(f"/replies/{reply['id']}", {"body": BETTER, "revision": reply["revision"]}).json
    assert ada.post(f"/replies/{reply['id']}/submit", {"revision": saved["revision"]}).json["state"] == "submitted"
    rejected = {"decision": "reject", "revision": saved["revision"], "reason": "incorrect", "note": "The light is blue on this one."}
    assert cleo.post(f"/replies/{reply['id']}/reviews", rejected).status_code == 201
    jobs()
    assert heard(ada) == [("rejected", "The light is blue on this one.")]
    assert ada.get(f"/tasks/{task['id']}").json["lesson"] == "The light is blue on this one."

    appeal = ada.post(f"/replies/{reply['id']}/appeal", {"words": "On the one of this year it is white."})
    assert appeal.status_code == 201
    problem(ada.post(f"/replies/{reply['id']}/appeal", {"words": "Once more."}), 409)
    problem(cleo.post(f"/appeals/{appeal.json['id']}/decision", {"outcome": "uphold", "note": "I was wrong."}), 403)
    jobs()
    upheld = mona.post(f"/appeals/{appeal.json['id']}/decision", {"outcome": "send", "note": "White it is."})
    assert upheld.status_code == 200, upheld.text
    jobs()
    assert {about for about, _ in heard(ada)} >= {"appeal", "approved", "posted"}
    assert [post["text"].splitlines()[0] for post in town.network.posts] == [BETTER]


def test_the_authors_word_reaches_writer_and_vetter_and_stands_first(town: Town, jobs: Callable[[], int]) -> None:
    ada, cleo, max_ = town("ada"), town("cleo"), town("max")
    answers = (
        ("Still broken", "reopened", BETTER),
        ("I am furious now", "reopened", "Open the app, choose Devices, then Restart; it comes back within three minutes."),
        ("Thanks, bless you", "thanks", "The guest list moved under Home yesterday, so look for the small people sign there."),
    )
    for number, (said, about, body) in enumerate(answers):
        reply = handed_in(ada, asked(town, number + 1), body)
        cleo.post(f"/replies/{reply['id']}/reviews", {"decision": "approve", "revision": reply["revision"]})
        jobs()
        post = {"id": f"back-{number}", "text": said, "author": f"author-{number + 1}", "in_reply_to": town.network.posts[-1]["id"]}
        assert max_.post("/brands/northwind/mentions", post).status_code == 201
        jobs()
        assert about in [one for one, _ in heard(ada)], said
    feed = [(one["kind"], one["part"]) for one in ada.get("/me/outcomes").json["items"]]
    assert feed[0] == ("thanked", "wrote")
    assert {kind for kind, _ in feed} == {"thanked", "stuck", "angrier", "posted"}
    assert ("thanked", "vetted") in [(one["kind"], one["part"]) for one in cleo.get("/me/outcomes").json["items"]]


def test_in_public_and_in_texts_one_goes_by_the_name_one_chose(town: Town, jobs: Callable[[], int]) -> None:
    """Red when the name on the account goes out to the network, or into a text."""
    ada, cleo = town("ada"), town("cleo")
    assert ada.put("/me/pseudonym", {"pseudonym": "Kettle"}).status_code == 204
    problem(town("ben").put("/me/pseudonym", {"pseudonym": "KETTLE"}), 422)
    assert cleo.put("/texts", {"name": "bye", "lang": "en", "body": "So long, {writer}"}).status_code == 200
    task = asked(town, 1)
    assert [one["body"] for one in ada.get(f"/tasks/{task['id']}/texts").json["items"]] == ["So long, Kettle"]
    reply = handed_in(ada, task, BETTER)
    cleo.post(f"/replies/{reply['id']}/reviews", {"decision": "approve", "revision": reply["revision"]})
    jobs()
    assert [post["account"] for post in town.network.posts] == ["Kettle"]
    assert cleo.get(f"/replies/{reply['id']}").json["writer"]["name"] == "Ada Example", "staff judge a person's work"
    assert town("ben").get(f"/tasks/{task['id']}").json["replies"][0]["writer"]["name"] == "Kettle"


def test_what_a_level_lets_one_do_and_what_the_next_one_asks_is_read(town: Town) -> None:
    mine = town("ada").get(f"/users/{town.people['ada'].id}/trust").json
    assert mine["trust_level"] == 0
    assert {one["name"]: one["refusal"] is None for one in mine["abilities"]}["claim"]
    assert mine["next"], "what is missing for level 1"
    problem(town("ada").get(f"/users/{town.people['ben'].id}/trust"), 404)
