"""`/changes`: nothing new is cheap, news names its lists, nobody else's numbers are told."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from app.kernel.db import db
from community.tasks import actions as tasks
from tests.harness.statements import statements
from tests.harness.visitor import Visitor
from tests.stories import fresh, told
from tests.web.conftest import Town


def watched(browser: Visitor, page: str) -> tuple[str, dict[str, int]]:
    text = browser.get(page).text
    brand, seen = re.search(r'data-brand="(\d+)"', text), re.search(r'data-watch="([^"]*)"', text)
    assert brand is not None
    assert seen is not None
    return brand[1], json.loads(unescape(seen[1]))


def since(seen: dict[str, int]) -> str:
    return ",".join(f"{name}:{at}" for name, at in seen.items())


def test_nothing_new_then_news(town: Town) -> None:
    task = told(town.brand)
    ada = town.browser("ada")
    brand, seen = watched(ada, "/desk")
    assert "desk" in seen
    assert "me" in seen
    assert ada.get(f"/changes?brand={brand}&since={since(seen)}").status_code == 204
    with db.transaction():
        tasks.claim(fresh(task), by=town.ben)
    told_now = ada.get(f"/changes?brand={brand}&since={since(seen)}")
    assert told_now.status_code == 200
    assert set(told_now.json) == {"desk"}
    assert ada.get(f"/changes?brand={brand}&since={since(seen | told_now.json)}").status_code == 204


def test_of_the_database_only_the_session_is_asked(town: Town) -> None:
    ada = town.browser("ada")
    brand, seen = watched(ada, "/desk")
    with statements() as asked:
        ada.get(f"/changes?brand={brand}&since={since(seen)}")
    assert len([one for one in asked if not one.startswith("BEGIN")]) == 1


def test_only_ones_own_brand(town: Town, client: Visitor) -> None:
    brand, _ = watched(town.browser("ada"), "/desk")
    assert town.browser("kai").get(f"/changes?brand={brand}&since=desk:0", part=True).status_code == 401
    assert client.get(f"/changes?brand={brand}&since=desk:0", part=True).status_code == 401
    assert town.browser("ada").get("/changes?brand=&since=desk:0", part=True).status_code == 401


@pytest.mark.parametrize("bad", ["desk", "desk:x", "de sk:1", "DESK:1", "desk:-1", "desk:" + "9" * 30, ",".join(f"task-{n}:0" for n in range(40)), "a:b:c"])
def test_a_question_that_makes_no_sense_is_refused(town: Town, bad: str) -> None:
    ada = town.browser("ada")
    brand, _ = watched(ada, "/desk")
    assert ada.get("/changes", query_string={"brand": brand, "since": bad}).status_code == 422
