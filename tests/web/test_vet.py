"""The page where peers look at each other's replies."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts import choices, people
from app.kernel.db import db
from community.advocates import trust
from community.moderation.models import PeerVote
from community.replies.models import Reply
from tests.stories import fresh, handed_in, told
from tests.web.conftest import Town, words

YES = {"revision": "1", "kind": "1", "answers": "1", "correct": "1", "personal": "1"}


def asked(town: Town, quorum: int = 1) -> Reply:
    with db.transaction():
        choices.choose(fresh(town.brand), {"peer_vetting": True, "peer_quorum": quorum}, by=town.max)
        row = trust.advocate_row(town.ben.id, town.brand.id)
        assert row is not None
        trust.set_level(row, 2, by=town.cleo, reason="Known for years.")
    return fresh(handed_in(told(town.brand, "Which light is it?"), town.ada))


def test_a_peer_answers_four_questions_and_then_sees_what_others_found(town: Town) -> None:
    reply = asked(town)
    ben = town.browser("ben")
    page = ben.get("/vet")
    assert "Which light is it?" in words(page)
    assert "Ada Okafor" not in words(page), "a peer is known by their pseudonym"
    assert ben.post(f"/replies/{reply.id}/votes", data={**YES, "kind": ""}).status_code == 422
    assert ben.post(f"/replies/{reply.id}/votes", data={**YES, "revision": "7"}).status_code == 409
    sent = ben.post(f"/replies/{reply.id}/votes", data={**YES, "correct": "0", "note": "It is the lower light."})
    assert (sent.status_code, sent.location) == (303, "/vet")
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(PeerVote)).one().yes is False
    assert "Nothing waits for your look." in words(ben.get("/vet"))
    assert "You: not correct" in words(ben.get(f"/vet/{reply.id}"))
    cleo = town.browser("cleo")
    said = words(cleo.get(f"/reviews/{reply.id}"))
    assert "0 of 1 say yes" in said
    assert "It is the lower light." in said
    assert "Ben Castillo:" in said


def test_what_waits_for_peers_stands_apart_from_what_waits_for_moderators(town: Town) -> None:
    reply = asked(town)
    cleo = town.browser("cleo")
    assert "No reviews wait." in words(cleo.get("/reviews"))
    assert "Which light is it?" in words(cleo.get("/reviews?show=peers"))
    assert cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"}).status_code == 303


def test_below_level_two_the_page_says_what_is_missing(town: Town) -> None:
    reply = asked(town)
    ada = town.browser("ada")
    assert "opens with trust level 2" in words(ada.get("/vet"))
    assert ada.get(f"/vet/{reply.id}").status_code == 404
    assert ada.post(f"/replies/{reply.id}/votes", data=YES).status_code == 404
    assert town.browser("kai").get(f"/vet/{reply.id}").status_code == 404


def test_other_peers_stay_unnamed_and_unseen_until_one_has_looked(town: Town) -> None:
    reply = asked(town)
    with db.transaction():
        choices.choose(fresh(town.brand), {"peer_quorum": 2}, by=town.max)
    town.browser("ben").post(f"/replies/{reply.id}/votes", data={**YES, "note": "Splendid."})
    from tests.stories import person

    third = person(town.brand, "advocate", name="Tia Brown")
    with db.transaction():
        row = trust.advocate_row(third.id, town.brand.id)
        assert row is not None
        trust.set_level(row, 2, by=town.cleo, reason="Known.")
    tia = town.visit(third.email)
    assert "Splendid." not in tia.get(f"/vet/{reply.id}").text
    tia.post(f"/replies/{reply.id}/votes", data=YES)
    said = tia.get(f"/vet/{reply.id}")
    assert "Splendid." in said.text
    assert "Ben" not in words(said)


def test_the_queue_by_the_api_says_why_it_waits_and_what_peers_found(town: Town) -> None:
    reply = asked(town)
    with db.transaction():
        token = people.issue_token(fresh(town.cleo), "test", by=None)
    browser = town.visit(town.ben.email)
    browser.post(f"/replies/{reply.id}/votes", data=YES)
    found = town.visit(town.kim.email).get("/api/v1/reviews", headers={"Authorization": f"Bearer {token}"}).json["items"]
    assert [(item["peers"], item["because"][:21]) for item in found] == [({"yes": 1, "votes": 1}, "An advocate’s first 5")]
    for asked_for, count in (("?show=peers", 0), ("?topic=billing", 0), ("?topic=question&lang=en", 1)):
        answer = town.visit(town.kim.email).get(f"/api/v1/reviews{asked_for}", headers={"Authorization": f"Bearer {token}"})
        assert len(answer.json["items"]) == count, asked_for
