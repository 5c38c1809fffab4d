"""The page of notices: thanks first, ranks last in their day, all of them by pages."""

from __future__ import annotations

import re
from datetime import timedelta

import time_machine

from app.kernel import clock
from app.kernel.db import db
from app.notices.actions import tell
from tests.web.conftest import Town, words


def told(town: Town, kind: str, cause: int, text: str) -> None:
    with db.transaction():
        tell(town.ada.id, brand_id=town.brand.id, kind=kind, cause_id=cause, text=text, link="/desk")


def test_thanks_stand_first_and_ranks_last_in_their_day(town: Town) -> None:
    with time_machine.travel(clock.now() - timedelta(days=1)):
        told(town, "thanks", 1, "Petra thanked you.")
        told(town, "rejected", 2, "Not sent, yesterday.")
    told(town, "approved", 3, "Cleo approved your reply.")
    told(town, "badge", 4, "A badge for you.")
    page = words(town.browser("ada").get("/notices"))
    order = [page.index(text) for text in ("Petra thanked you.", "Cleo approved", "A badge for you", "Not sent, yesterday")]
    assert order == sorted(order)


def test_nothing_that_was_told_is_out_of_reach(town: Town) -> None:
    """Red when the page ends with the newest."""
    for number in range(1, 56):
        told(town, "approved", number, f"Decision {number:03}.")
    ada = town.browser("ada")
    first = ada.get("/notices")
    assert "Decision 055." in words(first) and "Decision 005." not in words(first)
    (older,) = re.findall(r'href="(/notices\?after=[^"]+)"', first.text)
    second = ada.get(older)
    assert "Decision 005." in words(second) and "Decision 006." not in words(second)
    assert "Older ones" not in words(second)
    assert ada.get("/notices?after=nonsense").status_code == 422
