"""The public receipt without account or cookie, and the page of doubts."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from app.kernel.db import db
from community.feedback.models import Feedback, Receipt
from community.moderation import actions as moderation
from community.replies.models import Reply
from tests.harness.visitor import Visitor
from tests.stories import fresh, handed_in, news, placed, told
from tests.web.conftest import Town, words


@pytest.fixture
def posted(town: Town) -> Reply:
    reply = handed_in(told(town.brand), town.ada)
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=town.cleo, revision=1)
    placed(posting, town.ada)
    news()
    return reply


@pytest.fixture
def link(posted: Reply) -> str:
    with db.transaction(read_only=True) as session:
        return f"/r/{session.scalars(select(Receipt.token).where(Receipt.reply_id == posted.id)).one()}"


def form(page: str) -> str:
    return re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]


def test_anybody_with_the_link_reads_it_and_no_cookie_is_set(app: Flask, link: str) -> None:
    answer = app.test_client().get(link)
    said = words(answer)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Written by a Northwind advocate" in said and "Approved by a moderator" in said
    for name in ("Ada", "Cleo", "Okafor", "Lindqvist", "@northwind.example"):
        assert name not in answer.text, name
    assert answer.text.count('method="post"') == answer.text.count('name="csrf_token"')
    assert app.test_client().get("/r/NOSUCHTOKEN00000").status_code == 404


def test_a_reader_says_it_helped_and_changes_their_word(app: Flask, link: str) -> None:
    reader: Visitor = app.test_client()  # type: ignore[assignment]
    token = form(reader.get(link).text)
    for verdict in ("helped", "wrong"):
        answer = reader.post(link, data={"csrf_token": token, "verdict": verdict, "words": "<b>no</b>"}, csrf=False)
        assert answer.status_code == 303
        assert "Set-Cookie" not in answer.headers
        assert "Thank you" in words(reader.get(answer.headers["Location"]))
    with db.transaction(read_only=True) as session:
        assert [(one.verdict, one.words) for one in session.scalars(select(Feedback))] == [("wrong", "<b>no</b>")]


def test_a_form_of_another_receipt_another_site_or_none_is_refused(app: Flask, link: str) -> None:
    """Red without the signed token, and when it is good for any receipt."""
    reader: Visitor = app.test_client()  # type: ignore[assignment]
    token = form(reader.get(link).text)
    for sent in ({}, {"csrf_token": "x"}, {"csrf_token": token[:-2]}):
        assert reader.post(link, data={**sent, "verdict": "helped"}, csrf=False).status_code == 400
    assert reader.post("/r/0123456789ABCDEF", data={"csrf_token": token, "verdict": "helped"}, csrf=False).status_code == 400
    assert reader.post(link, data={"csrf_token": token, "verdict": "helped"}, headers={"Origin": "https://evil.example"}, csrf=False).status_code == 403
    assert reader.post(link, data={"csrf_token": token, "verdict": "bribe"}, csrf=False).status_code == 422
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Feedback)).all() == []


def test_a_moderator_finds_the_doubt_and_hands_it_to_the_team(app: Flask, town: Town, link: str) -> None:
    reader: Visitor = app.test_client()  # type: ignore[assignment]
    reader.post(link, data={"csrf_token": form(reader.get(link).text), "verdict": "wrong", "words": "The light is blue"}, csrf=False)
    cleo = town.browser("cleo")
    assert "Doubts of readers" in words(cleo.get("/flags"))
    page = cleo.get("/doubts")
    assert "The light is blue" in words(page)
    decision = re.findall(r'action="(/doubts/\d+/decision)"', page.text)[0]
    assert town.browser("ada").post(decision, data={"outcome": "dismiss"}).status_code == 403
    answer = cleo.post(decision, data={"outcome": "reopen", "note": "Blue light"}, follow_redirects=True)
    assert "The team has it now" in words(answer)
    assert "No reader doubts a reply" in words(answer)
