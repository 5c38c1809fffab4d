"""How advocates are named to each other: as they chose to be known, nowhere by the name on their account."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.kernel.db import db
from community.advocates.models import Advocate
from community.answers import actions as answers
from community.moderation import actions as moderation
from tests.stories import fresh, handed_in, news, placed, told
from tests.web.conftest import Town, words


@pytest.fixture
def kettle(town: Town) -> Town:
    """Ben is known as Kettle."""
    with db.transaction() as session:
        session.execute(update(Advocate).where(Advocate.user_id == town.ben.id).values(pseudonym="Kettle"))
    return town


def test_who_holds_flags_hands_on_and_answers_is_named_as_they_chose(kettle: Town) -> None:
    task = told(kettle.brand)
    ada, ben = kettle.browser("ada"), kettle.browser("ben")
    ben.post(f"/tasks/{task.id}/claim")
    desk, page = ada.get("/desk"), ada.get(f"/tasks/{task.id}")
    assert "Kettle is answering" in words(desk) and "Kettle is answering" in words(page)
    ben.post(f"/tasks/{task.id}/flags", data={"kind": "technical"})
    ben.post(f"/tasks/{task.id}/claim/release", data={"note": "It is the Hub 3."})
    free = ada.get(f"/tasks/{task.id}")
    assert "Kettle flagged it" in words(free) and "Kettle handed it on" in words(free)
    reply = handed_in(told(kettle.brand, "And where is the switch?"), kettle.ben)
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=kettle.cleo, revision=1)
    placed(posting, kettle.ben)
    news()
    answered = kettle.browser("tim").get(f"/tasks/{reply.task_id}")
    assert "Kettle answered" in words(answered)
    for seen in (desk, page, free):
        assert "Castillo" not in seen.text


def test_staff_who_look_at_the_work_see_the_person(kettle: Town) -> None:
    reply = handed_in(told(kettle.brand), kettle.ben)
    assert "Ben Castillo" in words(kettle.browser("cleo").get(f"/reviews/{reply.id}"))


def test_a_person_chooses_how_others_know_them(kettle: Town) -> None:
    ada = kettle.browser("ada")
    said = ada.post("/me/preferences", data={"pseudonym": "  Harbour   Lamp "}, follow_redirects=True)
    assert "shown to others as Harbour Lamp" in words(said)
    task = told(kettle.brand)
    ada.post(f"/tasks/{task.id}/claim")
    assert "Harbour Lamp is answering" in words(kettle.browser("ben").get("/desk"))
    assert "Harbour Lamp in answer to" in words(ada.post(f"/tasks/{task.id}/checks", json={"text": "Hold it.", "voice": "own"}))


@pytest.mark.parametrize("name", ["", " x ", "K" * 41, "kettle", "Ｋettle", "cleo LINDQVIST", "Northwind", "Ben Castillo"])
def test_nobody_takes_the_name_of_a_colleague_of_the_brand_or_none(kettle: Town, name: str) -> None:
    """Red without the look at others' names, and when case or width make another name of it."""
    ada = kettle.browser("ada")
    refused = ada.post("/me/preferences", data={"pseudonym": name})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text and 'aria-invalid="true"' in refused.text, "what was typed stays, with the reason beside it"
    assert "shown to others as Ada" in words(ada.get("/me", follow_redirects=True))


def test_a_name_of_another_brand_is_free(kettle: Town) -> None:
    assert kettle.browser("kai").post("/me/preferences", data={"pseudonym": "Kettle"}).status_code == 303


def test_who_is_no_advocate_has_no_other_name(kettle: Town) -> None:
    assert kettle.browser("cleo").post("/me/preferences", data={"pseudonym": "Fox"}).status_code == 422


def test_who_keeps_an_answer_true_is_named_so_too(kettle: Town) -> None:
    with db.transaction() as session:
        session.execute(update(Advocate).where(Advocate.user_id == kettle.ben.id).values(trust_level=2))
        made = answers.add(kettle.brand, by=kettle.ben, title="How do I reset it?", body="Hold the button.", lang="en", topic="how_to")
    with db.transaction():
        answers.publish(fresh(made), by=kettle.cleo)
    ada = kettle.browser("ada")
    for page in (ada.get("/answers"), ada.get(f"/answers/{made.id}")):
        assert "Kettle keeps it" in words(page) and "Castillo" not in page.text
