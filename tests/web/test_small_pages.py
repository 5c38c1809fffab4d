"""Flags, the unsure, one mention, a person, the board, notices: each small page does its one thing."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.kernel.db import db
from app.web import render
from community.advocates.queries import advocate_of
from community.mentions import actions as mentions
from community.mentions import text
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.tasks import actions as tasks
from community.tasks.models import Task
from escalation.learning.models import Label
from tests.stories import FixedTriage, came_back, fresh, handed_in, news, placed, told
from tests.web.conftest import Town, words


def unsure(town: Town, triage: FixedTriage, text: str = "is this normal or am I being fooled") -> Mention:
    from community.channels.actions import channel_named
    from community.channels.base import Author, Incoming
    from community.mentions.intake import receive

    triage.audience = "triage"
    with db.transaction():
        account = channel_named(town.brand, None)
    got = receive(account, [Incoming(ext_id="u1", text=text, author=Author("a", "quarry"), lang="en")])
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Mention).where(Mention.id == got.mention_ids[0])).one()


def test_a_flag_is_upheld_or_dismissed_by_a_moderator(town: Town) -> None:
    task = told(town.brand, "error 51 on port 3")
    town.browser("ada").post(f"/tasks/{task.id}/flags", data={"kind": "technical", "note": "needs the log"})
    cleo = town.browser("cleo")
    said = words(cleo.get("/flags"))
    assert "error 51 on port 3" in said
    assert "Ada Okafor" in said
    flag_id = cleo.get("/flags").text.split("/flags/")[1].split("/")[0]
    assert town.browser("ada").post(f"/flags/{flag_id}/decision", data={"uphold": "1"}).status_code == 403
    assert town.browser("kim").post(f"/flags/{flag_id}/decision", data={"uphold": "1"}).status_code == 404
    assert cleo.post(f"/flags/{flag_id}/decision", data={"uphold": "1"}).location == "/flags"
    assert fresh(task).audience == "tier_2"
    assert cleo.post(f"/flags/{flag_id}/decision", data={"uphold": "1"}).status_code == 409


def test_the_unsure_are_decided_by_a_person(town: Town, triage: FixedTriage) -> None:
    mention = unsure(town, triage)
    tim = town.browser("tim")
    assert "am I being fooled" in words(tim.get("/triage"))
    assert tim.post(f"/mentions/{mention.id}/reroute", data={"audience": "moon"}).status_code == 422
    assert tim.post(f"/mentions/{mention.id}/reroute", data={"audience": "community", "from": "triage"}).location == "/triage"
    assert "am I being fooled" not in words(tim.get("/triage"))
    assert "am I being fooled" in words(town.browser("ada").get("/desk"))
    read = town.browser("ann")
    assert read.get("/triage").status_code == 200
    assert read.post(f"/mentions/{mention.id}/reroute", data={"audience": "tier_1"}).status_code == 403


def test_a_mention_shows_each_decision_with_its_sum(town: Town) -> None:
    task = told(town.brand, "Nobody came AGAIN", audience="tier_1", priority=40)
    with db.transaction() as session:
        mentions.reroute(session.get_one(Mention, task.mention_id), "tier_2", by=town.cleo, reason="needs an engineer")
    said = words(town.browser("cleo").get(f"/mentions/{task.mention_id}"))
    assert "as the test says" in said
    assert "Cleo Lindqvist decided: tier 2" in said
    assert town.browser("ada").get(f"/mentions/{task.mention_id}").status_code == 403
    assert town.browser("kim").get(f"/mentions/{task.mention_id}").status_code == 404


def thanked(town: Town) -> None:
    task = told(town.brand, "How do I reset the hub?")
    reply = handed_in(task, town.ada)
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=town.cleo, revision=1)
    placed(posting, town.ada)
    came_back(task, "It works, thank you!!")
    news()


def test_thanks_come_first_then_every_point_with_its_sum(town: Town) -> None:
    thanked(town)
    ada = town.browser("ada")
    assert ada.get("/me").location == f"/people/{town.ada.id}"
    said = words(ada.get(f"/people/{town.ada.id}"))
    assert "It works, thank you!!" in said
    assert said.index("It works, thank you!!") < said.index("an approved answer")
    ledger = words(ada.get(f"/people/{town.ada.id}/ledger"))
    assert "an approved answer" in ledger
    assert "the author said thanks" in ledger
    assert "+10" in ledger
    assert words(ada.get("/notices")).index("thanked you") < words(ada.get("/notices")).index("approved")
    assert "First" in words(ada.get(f"/people/{town.ada.id}/badges"))


def test_who_may_see_somebodys_points(town: Town) -> None:
    thanked(town)
    for page in ("", "/ledger", "/badges"):
        assert town.browser("cleo").get(f"/people/{town.ada.id}{page}").status_code == 200
        assert town.browser("ben").get(f"/people/{town.ada.id}{page}").status_code == 404
        assert town.browser("kim").get(f"/people/{town.ada.id}{page}").status_code == 404
        assert town.browser("cleo").get(f"/people/999{page}").status_code == 404


def test_the_board_shows_pseudonyms_and_can_be_left(town: Town) -> None:
    thanked(town)
    with db.transaction():
        row = advocate_of(town.ada, town.brand)
        assert row is not None
        row.pseudonym = "lighthouse"
    ada, ben = town.browser("ada"), town.browser("ben")
    assert "lighthouse" in words(ben.get("/boards/week"))
    assert "Ada Okafor" not in words(ben.get("/boards/week"))
    assert ada.post("/me/boards", data={"shown": "0"}).status_code == 303
    assert "lighthouse" not in words(ben.get("/boards/week"))
    assert 'action="/me/boards?shown=1"' in ada.get("/boards/week").text, "one key takes it back"
    assert ada.post("/me/boards?shown=1").status_code == 303
    assert "lighthouse" in words(ben.get("/boards/week"))
    assert ben.get("/boards/month").status_code == 404


def test_notices_are_read_by_a_post(town: Town) -> None:
    thanked(town)
    ada = town.browser("ada")
    assert "new" in ada.get("/notices").text
    ada.get("/notices")
    before = words(ada.get("/desk"))
    assert ada.post("/notices/read").location == "/notices"
    assert words(ada.get("/desk")) != before


def test_a_choice_for_oneself_is_kept(town: Town) -> None:
    ada = town.browser("ada")
    assert ada.post("/me/preferences", data={"theme": "dark"}).status_code == 303
    assert 'data-bs-theme="dark"' in ada.get("/desk").text
    assert ada.post("/me/preferences", data={"theme": "pink"}).status_code == 422
    ada.post("/me/preferences", data={"keys": "off", "role": "admin", "is_owner": "1"})
    assert 'data-keys="off"' in ada.get("/desk").text
    assert ada.get("/triage").status_code == 403


def test_a_claim_is_counted_in_the_rail(town: Town) -> None:
    task = told(town.brand)
    with db.transaction():
        tasks.claim(fresh(task), by=town.ada)
    assert "Claims , waiting: 1" in words(town.browser("ada").get("/boards/week"))


def test_a_slip_in_triage_is_taken_back_with_one_key(town: Town, triage: FixedTriage) -> None:
    mention = unsure(town, triage)
    tim = town.browser("tim")
    tim.post(f"/mentions/{mention.id}/reroute", data={"audience": "community", "from": "triage"})
    page = tim.get("/triage")
    assert f"/mentions/{mention.id}/put-back" in page.text
    assert "label a few" in words(page), "never empty-handed"
    assert town.browser("tess").post(f"/mentions/{mention.id}/put-back").status_code == 409, "another's decision"
    assert tim.post(f"/mentions/{mention.id}/put-back").location == "/triage"
    assert "am I being fooled" in words(tim.get("/triage"))
    assert "am I being fooled" not in words(town.browser("ada").get("/desk"))
    news()
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Label)).all() == [], "a slip teaches nothing"
    tim.post(f"/mentions/{mention.id}/reroute", data={"audience": "community", "from": "triage"})
    with db.transaction(read_only=True) as session:
        task = session.scalars(select(Task).where(Task.mention_id == mention.id, Task.state == "open")).one()
    town.browser("ada").post(f"/tasks/{task.id}/claim")
    assert tim.post(f"/mentions/{mention.id}/put-back").status_code == 409, "ada works on it"


def test_the_triage_list_shows_how_long_each_may_wait(town: Town, triage: FixedTriage) -> None:
    unsure(town, triage)
    page = town.browser("tim").get("/triage")
    assert "then tier 1 gets it" in words(page)
    assert 'data-whole="900"' in page.text


@pytest.mark.parametrize(("n", "said"), [(1, "1 person writes"), (2, "2 people write"), (0, "0 people write"), (1204, "1,204 people write")])
def test_one_is_one(n: int, said: str) -> None:
    assert render.counted(n, "person writes", "people write") == said
    assert render.counted(n, "post").endswith("post" if n == 1 else "posts")


def test_the_rail_lights_me_for_oneself_only(town: Town) -> None:
    """Somebody else's page is no place of one's own."""
    lit = re.compile(r'aria-current="page" data-place="me"')
    cleo = town.browser("cleo")
    assert lit.search(cleo.get(f"/people/{town.cleo.id}").text)
    assert not lit.search(cleo.get(f"/people/{town.ada.id}").text)
    assert lit.search(cleo.get("/me/leave").text)


def test_every_language_a_post_is_found_to_be_in_has_a_name_for_people() -> None:
    found = {*text.LATIN_LANGUAGES, *text.OTHER_LANGUAGES, *(code for _, _, code in text._SCRIPTS), "zh-Hans", "zh-Hant", "ja", "ko", "und"}
    assert [code for code in sorted(found) if render.language(code) == code] == []


def test_who_was_never_looked_at_is_not_told_a_share(town: Town) -> None:
    assert "none yet, asked 65 %" in words(town.browser("ada").get("/me", follow_redirects=True))


def test_a_shut_door_says_in_words_for_whom_it_is(town: Town) -> None:
    assert "This is for admins. An admin of the brand gives roles." in words(town.browser("ada").get("/members"))
    assert "This is for moderators" in words(town.browser("ada").get("/appeals"))
