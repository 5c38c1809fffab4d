"""A second look by page and by API, and what newcomers are shown first."""

from __future__ import annotations

import re

from werkzeug.test import TestResponse

from app.accounts import people
from app.kernel.db import db
from community.replies.models import Reply
from tests.stories import fresh, handed_in, told
from tests.web.conftest import Town, words

TEXT = "Hold the small button for ten seconds, then wait for the light."


def rejected(town: Town) -> Reply:
    reply = handed_in(told(town.brand, "My hub blinks amber"), town.ada, TEXT)
    data = {"decision": "reject", "revision": "1", "reason": "incorrect", "note": "It deletes the settings."}
    assert town.browser("cleo").post(f"/replies/{reply.id}/reviews", data=data).status_code == 303
    return fresh(reply)


def test_the_writer_asks_another_moderator_looks_and_the_reply_goes_out(town: Town) -> None:
    reply = rejected(town)
    ada = town.browser("ada")
    assert "Ask for a second look" in words(ada.get(f"/tasks/{reply.task_id}"))
    assert town.browser("ben").post(f"/replies/{reply.id}/appeal", data={"words": "Me too."}).status_code == 404
    assert ada.post(f"/replies/{reply.id}/appeal", data={"words": "Page 4 says so."}).status_code == 303
    assert ada.post(f"/replies/{reply.id}/appeal", data={"words": "Once more."}).status_code == 409
    assert "You asked for a second look" in words(ada.get(f"/tasks/{reply.task_id}"))

    page = town.browser("cleo").get("/appeals")
    appeal_id = int(page.text.split('id="appeal-')[1].split('"')[0])
    assert "You rejected it: somebody else takes the second look." in words(page)
    assert town.browser("cleo").post(f"/appeals/{appeal_id}/decision", data={"outcome": "uphold", "note": "x"}).status_code == 403
    assert town.browser("kim").post(f"/appeals/{appeal_id}/decision", data={"outcome": "uphold", "note": "x"}).status_code == 404

    mona = town.browser("mona")
    assert "Page 4 says so." in words(mona.get("/appeals"))
    assert mona.post(f"/appeals/{appeal_id}/decision", data={"outcome": "moon", "note": "x"}).status_code == 422
    assert mona.post(f"/appeals/{appeal_id}/decision", data={"outcome": "send", "note": " "}).status_code == 400
    assert mona.post(f"/appeals/{appeal_id}/decision", data={"outcome": "send", "note": "Right, page 4."}).location == "/appeals"
    assert fresh(reply).state == "approved"
    assert "A second look was taken: you were right. “Right, page 4.”" in words(ada.get(f"/tasks/{reply.task_id}"))


def test_a_moderator_shows_newcomers_what_good_looks_like(town: Town) -> None:
    reply = handed_in(told(town.brand, "My hub blinks amber"), town.ben, TEXT)
    cleo = town.browser("cleo")
    cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"})
    assert "No example is chosen yet." in words(town.browser("ada").get("/examples"))
    assert "Show newcomers: a good one" in words(cleo.get(f"/reviews/{reply.id}"))
    assert town.browser("ben").post(f"/replies/{reply.id}/example", data={"shown": "1"}).status_code == 403
    cleo.post(f"/replies/{reply.id}/example", data={"shown": "1"})
    said = words(town.browser("ada").get("/examples"))
    assert "Hold the small button" in said
    assert "chosen as an example" in said
    assert "Your first 5 replies are coached" in said
    for page in ("/desk", "/boards/week"):
        assert "hat good looks like" in words(town.browser("ada").get(page))
    assert town.browser("kai").get("/examples").text.count("Hold the small button") == 0
    cleo.post(f"/replies/{reply.id}/example", data={"shown": "0"})
    assert "No example is chosen yet." in words(town.browser("ada").get("/examples"))


def test_the_queue_is_narrowed_by_topic_and_marks_what_waits_long(town: Town) -> None:
    handed_in(told(town.brand, "My hub blinks amber"), town.ada, TEXT)
    handed_in(told(town.brand, "我的路由器", lang="zh-Hans"), town.ben, "请按住按钮十秒,然后等灯亮。")
    cleo = town.browser("cleo")
    assert "every language" in words(cleo.get("/reviews"))
    only = words(cleo.get("/reviews?lang=zh-Hans"))
    assert "请按住按钮" in only
    assert "small button" not in only
    assert "No reviews wait." in words(cleo.get("/reviews?topic=billing"))
    assert cleo.get("/reviews?channel=abc").status_code == 422
    assert cleo.get("/reviews?show=moon").status_code == 200


def test_the_same_by_the_api(town: Town) -> None:
    reply = rejected(town)
    with db.transaction():
        tokens = {name: people.issue_token(fresh(town.people[name]), "test", by=None) for name in ("ada", "cleo", "mona")}
    client = town.visit(town.ada.email)

    def ask(who: str, method: str, path: str, body: object = None) -> TestResponse:
        return client.open(f"/api/v1{path}", method=method, json=body, headers={"Authorization": f"Bearer {tokens[who]}"})

    made = ask("ada", "POST", f"/replies/{reply.id}/appeal", {"words": "Page 4 says so."})
    assert (made.status_code, made.json["state"]) == (201, "open")
    [item] = ask("mona", "GET", "/appeals").json["items"]
    assert (item["refusal"], item["can_send"], item["decided_by"]["name"], item["body"].splitlines()[0]) == (None, True, "Cleo Lindqvist", TEXT)
    [item] = ask("cleo", "GET", "/appeals").json["items"]
    assert item["refusal"]
    assert ask("ada", "GET", "/appeals").status_code == 403
    path = f"/appeals/{made.json['id']}/decision"
    assert ask("cleo", "POST", path, {"outcome": "uphold", "note": "x"}).status_code == 403
    assert ask("mona", "POST", path, {"outcome": "dismiss", "note": "It does delete them."}).json["state"] == "dismissed"
    assert ask("mona", "POST", path, {"outcome": "uphold", "note": "x"}).status_code == 409


def test_whoever_may_take_a_second_look_finds_it_from_every_page_and_on_a_phone(town: Town) -> None:
    """Red when the way there is hidden on a phone, or missing for an admin, who has no reviews."""
    reply = rejected(town)
    assert town.browser("ada").post(f"/replies/{reply.id}/appeal", data={"words": "Page 4 says so."}).status_code == 303
    for who in ("mona", "max"):
        page = town.browser(who).get(f"/people/{town.people[who].id}")
        assert "Appeals , waiting: 1" in words(page)
        assert re.search(r'only-phone.*href="/appeals">Appeals</a> <span[^>]*>1</span>', page.text, re.DOTALL)
