"""How advocates are named to each other: as they chose to be known, nowhere by the name on their account."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.kernel.db import db
from community.advocates.models import Advocate
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
