"""The public receipt without account or cookie, and the page of doubts."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from string import Formatter

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from app.accounts.models import Brand
from app.kernel.db import db
from community.answers import actions as answers
from community.answers import recalls
from community.answers.models import Use
from community.feedback import receipts
from community.feedback.models import Feedback, Receipt
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation.models import PeerVote
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


def test_the_page_links_a_public_answer_and_says_nothing_of_an_inner_one(app: Flask, town: Town, posted: Reply, link: str) -> None:
    """Red when the address of an answer that only the brand's people read stands on a page for everybody."""
    with db.transaction() as session:
        brand = session.get_one(Brand, town.brand.id)
        brand.settings = {**brand.settings, "public_answers": True}
        for title, public in (("How do I reset a hub?", True), ("What we never say", False)):
            made = answers.add(brand, by=town.cleo, title=title, body="Hold the button.", lang="en", public=public)
            session.add(Use(brand_id=brand.id, reply_id=posted.id, answer_id=made.id, version=1, revision=1, at=posted.created_at))
    page = app.test_client().get(link)
    said = words(page)
    assert "Rests on How do I reset a hub?" in said and "Rests on an answer that Northwind keeps" in said
    assert "Still true today" in said
    assert "never say" not in said
    (address,) = re.findall(r'href="(/a/[^"]+)"', page.text)
    assert app.test_client().get(address).status_code == 200


def test_peers_are_named_by_number_and_what_the_reply_rests_on_has_changed(app: Flask, town: Town, posted: Reply, link: str) -> None:
    with db.transaction() as session:
        for voter in (town.ben, town.kai):
            found = {"kind": True, "answers": True, "correct": True, "personal": False}
            session.add(
                PeerVote(brand_id=town.brand.id, reply_id=posted.id, revision=1, voter_id=voter.id, writer_id=town.ada.id, at=posted.created_at, **found)
            )
        made = answers.add(session.get_one(Brand, town.brand.id), by=town.cleo, title="Reset", body="Hold the button.", lang="en")
        session.add(Use(brand_id=town.brand.id, reply_id=posted.id, answer_id=made.id, version=1, revision=1, at=posted.created_at))
        session.flush()
        answers.revise(made, by=town.cleo, title="Reset", body="Press it twice.", based_on=1)
        recalls.recall(made, by=town.cleo, fact="Twice, says Cleo Lindqvist.")
    said = words(app.test_client().get(link))
    assert "Read by two other advocates Found to be kind in tone, an answer to this question and correct by each of them." in said
    assert "The facts have changed since. A correction is on its way" in said
    assert "Still true" not in said and "Cleo" not in said and "Ben" not in said


PHRASES = tomllib.loads((Path(__file__).parents[2] / "app/web/receipts.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("lang", PHRASES)
def test_every_language_has_every_phrase_with_its_gaps(lang: str) -> None:
    """Red when a phrase is forgotten in one language, is empty, or lost what is filled into it."""
    english, own = PHRASES["en"], PHRASES[lang]
    assert set(own) == set(english)
    assert len(own["numbers"]) == 8
    for name, phrase in english.items():
        assert own[name], name
        if isinstance(phrase, str):
            assert gaps(own[name]) == gaps(phrase), name


def gaps(phrase: str) -> set[str]:
    return {gap for _, gap, _, _ in Formatter().parse(phrase) if gap is not None}


def test_it_speaks_the_language_of_the_post_and_another_where_the_reader_asks(app: Flask, town: Town) -> None:
    reply = handed_in(told(town.brand, "Wie setze ich es zurück?", lang="de"), town.ada)
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=town.cleo, revision=1)
    placed(posting, town.ada)
    news()
    with db.transaction(read_only=True) as session:
        link = f"/r/{session.scalars(select(Receipt.token).where(Receipt.reply_id == reply.id)).one()}"
    reader: Visitor = app.test_client()  # type: ignore[assignment]
    german = reader.get(link)
    assert '<html lang="de">' in german.text
    assert "Von der Moderation freigegeben" in words(german) and "Approved by" not in words(german)
    chinese = reader.get(f"{link}?lang=zh-Hant")
    assert "由審核員核准" in words(chinese)
    said = reader.post(link, data={"csrf_token": form(chinese.text), "verdict": "helped", "lang": "zh-Hant"}, csrf=False, follow_redirects=True)
    assert "謝謝。已記錄" in words(said)
    assert '<html lang="de">' in reader.get(f"{link}?lang=<b>").text


def test_a_failure_speaks_the_readers_language_too_and_keeps_their_words(
    app: Flask, link: str, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader: Visitor = app.test_client()  # type: ignore[assignment]
    unknown = reader.get("/r/0123456789ABCDEF", headers={"Accept-Language": "fr-CH, en;q=0.3"})
    assert (unknown.status_code, "Il n’y a pas de reçu ici" in words(unknown)) == (404, True)
    assert '<html lang="fr">' in unknown.text and "noindex" in unknown.text
    assert "Hier ist kein Beleg" in words(reader.get("/r/0123456789ABCDEF?lang=de")), "who chose a language keeps it"
    with db.transaction() as session:
        session.execute(update(Mention).values(lang="es"))
    token = form(reader.get(link).text)
    shown = re.findall(r'name="shown" value="([^"]+)"', reader.get(link).text)[0]
    clock.shift(timedelta(hours=25))
    late = reader.post(link, data={"csrf_token": token, "verdict": "wrong", "words": "La luz azul no parpadea nunca", "shown": shown}, csrf=False)
    assert late.status_code == 400
    assert "Esta página estuvo abierta demasiado tiempo" in words(late) and "La luz azul no parpadea nunca" in words(late)
    assert f'href="{link}"' in late.text, "and leads back to the receipt"
    monkeypatch.setattr(receipts, "PER_HOUR", 0)
    answer = reader.post(link, data={"csrf_token": form(reader.get(link).text), "verdict": "helped", "shown": "ja"}, csrf=False)
    assert "一度に送られた数が多すぎます" in words(answer) and "60分後" in words(answer)


def test_a_language_we_do_not_write_is_answered_in_english(app: Flask, town: Town, link: str) -> None:
    with db.transaction() as session:
        session.execute(update(Mention).values(lang="ko"))
    assert "Approved by a moderator" in words(app.test_client().get(link))
    with db.transaction() as session:
        session.execute(update(Mention).values(lang="zh-TW"))
    assert "由審核員核准" in words(app.test_client().get(link))
