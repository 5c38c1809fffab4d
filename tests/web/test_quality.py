"""The quality board as a page, as a table and by the API: equal numbers; and the story of one miss."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from app.accounts import people
from app.kernel.db import db
from tests.stories import CALM, FixedTriage, told
from tests.web.conftest import Town, words


def label(town: Town, triage: FixedTriage, count: int = 12) -> list[int]:
    """Posts of which the machine missed the first."""
    ids = []
    for number in range(count):
        triage.signals = replace(CALM, anger=0.1 if number == 0 else 0.8)
        task = told(town.brand, f"=cmd number {number}", audience="community" if number == 0 else "tier_1", author=f"a{number}")
        town.browser("tim").post("/labelling", data={"mention": str(task.mention_id), "verdict": "angry", "drawn": "random"})
        ids.append(task.mention_id)
    return ids


def test_an_empty_board_says_what_is_missing(town: Town) -> None:
    said = words(town.browser("ann").get("/quality"))
    assert "Nothing can be measured yet" in said
    assert town.browser("ada").get("/quality").status_code == 403


def test_page_table_and_api_say_the_same(town: Town, triage: FixedTriage) -> None:
    label(town, triage)
    ann = town.browser("ann")
    page = words(ann.get("/quality?sample=random"))
    assert "91.7 %" in page
    assert "11 of 12" in page
    rows = list(csv.DictReader(io.StringIO(ann.get("/quality.csv?sample=random").text)))
    (reached,) = [row for row in rows if (row["group"], row["figure"]) == ("all", "reached")]
    with db.transaction():
        token = people.issue_token(town.ann, "test", by=None)
    api = ann.get("/api/v1/quality?sample=random", headers={"Authorization": f"Bearer {token}"}).json
    assert (float(reached["share"]), float(reached["low"])) == (round(api["whole"]["reached"]["share"], 4), api["whole"]["reached"]["low"])
    assert (int(reached["hits"]), int(reached["of"])) == (11, 12)
    assert len([row for row in rows if row["group"] == "week"]) == 7 * len(api["groups"]["week"])
    assert ann.get("/quality?days=8").status_code == 422


def test_a_table_holds_no_formula(town: Town, triage: FixedTriage) -> None:
    """Red without `safe`: a channel may be called anything."""
    from community.channels.actions import channel_named
    from community.channels.base import Author, Incoming
    from community.mentions.intake import receive

    with db.transaction():
        account = channel_named(town.brand, "=HYPERLINK(1)")
    got = receive(account, [Incoming(ext_id="x", text="hello there", author=Author("a", "a"), lang="en")])
    town.browser("tim").post("/labelling", data={"mention": str(got.mention_ids[0]), "verdict": "neither", "drawn": "random"})
    assert "channel,'=HYPERLINK(1)," in town.browser("ann").get("/quality.csv").text


def test_the_story_of_a_miss(town: Town, triage: FixedTriage) -> None:
    missed = label(town, triage, 1)[0]
    town.browser("cleo").post(f"/mentions/{missed}/reroute", data={"audience": "tier_1", "reason": "furious"})
    page = town.browser("ann").get("/quality?sample=all")
    assert f"/quality/misses/{missed}" in page.text
    story = words(town.browser("ann").get(f"/quality/misses/{missed}"))
    assert "The machine sent it to the community" in story
    assert "Cleo Lindqvist decided: tier 1" in story
    assert "Tim Baptiste: angry, not technical" in story
    assert story.index("It came in") < story.index("The machine sent it") < story.index("It went to tier 1")
    assert town.browser("kim").get(f"/quality/misses/{missed}").status_code == 404
