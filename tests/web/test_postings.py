"""Getting it out: the exact text to copy, the link that proves it, and the switch that stops everything."""

from __future__ import annotations

from app.accounts.brands import brand_by_slug
from app.kernel.db import db
from community.moderation import actions as moderation
from community.replies.models import Posting, Reply
from community.replies.queries import postings_of
from tests.stories import fresh, handed_in, told
from tests.web.conftest import Town, words

TEXT = "Hold the small button for ten seconds, then wait for the light."


def approved(town: Town) -> tuple[Reply, Posting]:
    reply = handed_in(told(town.brand, "How do I reset the hub?"), town.ada, TEXT)
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=town.cleo, revision=1, note="Kind and exact.")
    return reply, posting


def test_the_writer_posts_exactly_what_was_approved(town: Town) -> None:
    reply, posting = approved(town)
    ada = town.browser("ada")
    page = ada.get(f"/replies/{reply.id}/posting")
    assert posting.text.splitlines()[0] in words(page)
    assert "Kind and exact." in words(page)
    wrong = ada.post(f"/replies/{reply.id}/permalink", data={"url": "javascript:alert(1)"})
    assert wrong.status_code == 422
    elsewhere = ada.post(f"/replies/{reply.id}/permalink", data={"url": "https://elsewhere.example/1"})
    assert "elsewhere.example" in words(elsewhere)
    assert ada.post(f"/replies/{reply.id}/permalink", data={"url": "https://forum.example/1#a2"}).location == f"/tasks/{reply.task_id}"
    assert fresh(posting).state == "posted"
    assert "https://forum.example/1#a2" in ada.get(f"/tasks/{reply.task_id}").text


def test_only_the_writer_says_where_it_is(town: Town) -> None:
    reply, posting = approved(town)
    assert town.browser("ben").get(f"/replies/{reply.id}/posting").status_code == 404
    assert town.browser("ben").post(f"/replies/{reply.id}/permalink", data={"url": "https://forum.example/1"}).status_code == 404
    assert town.browser("cleo").post(f"/replies/{reply.id}/permalink", data={"url": "https://forum.example/1"}).status_code == 403
    assert fresh(posting).state == "approved"


def test_the_writer_may_rather_not(town: Town) -> None:
    reply, posting = approved(town)
    assert town.browser("ada").post(f"/replies/{reply.id}/pull-back").location == "/desk"
    assert fresh(posting).state == "pulled_back"
    assert fresh(reply).state == "withdrawn"


def test_what_nobody_knows_is_settled_by_a_moderator(town: Town) -> None:
    _, posting = approved(town)
    with db.transaction() as session:
        session.get_one(Posting, posting.id).state = "unknown"
    cleo = town.browser("cleo")
    assert TEXT.split(",")[0] in words(cleo.get("/reviews?show=stuck"))
    assert town.browser("ada").post(f"/postings/{posting.id}/settle", data={"outcome": "give_up"}).status_code == 403
    assert cleo.post(f"/postings/{posting.id}/settle", data={"outcome": "maybe"}).status_code == 422
    assert cleo.post(f"/postings/{posting.id}/settle", data={"outcome": "posted", "url": "https://forum.example/1#a"}).status_code == 303
    assert fresh(posting).state == "posted"


def test_a_reply_that_waits_has_nothing_to_post_yet(town: Town) -> None:
    reply = handed_in(told(town.brand), town.ada)
    assert town.browser("ada").get(f"/replies/{reply.id}/posting").status_code == 404
    with db.transaction(read_only=True):
        assert postings_of(reply) == []


def test_stopping_is_easy_and_starting_again_an_admins_word(town: Town) -> None:
    assert town.browser("ada").post("/brands/northwind/posting", data={"go": "stop"}).status_code == 403
    cleo = town.browser("cleo")
    assert cleo.post("/brands/northwind/posting", data={"go": "stop"}).status_code == 303
    with db.transaction(read_only=True):
        assert brand_by_slug("northwind").posting_stopped_at is not None
    assert "Posting is stopped for Northwind" in words(cleo.get("/reviews"))
    assert cleo.post("/brands/northwind/posting", data={"go": "resume"}).status_code == 403
    assert town.browser("max").post("/brands/northwind/posting", data={"go": "resume"}).status_code == 303
    assert cleo.post("/brands/kestrel/posting", data={"go": "stop"}).status_code == 404
