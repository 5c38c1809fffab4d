"""The checks on real rows: tone, gaps, disclosure, and copies of any outgoing reply, however old."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.kernel.db import db
from community.channels import packs
from community.moderation import checks
from community.moderation.checks import Check, copies
from community.replies import actions as replies
from community.replies.models import Wording
from escalation.tone import INSULT, hostility
from tests import factories as make
from tests.community.conftest import Town

OURS = "Near airports the hub has to leave some channels of the upper band when it hears a radar, so choose a fixed channel from the lower ones."
REWORDED = OURS.replace("has to leave", "must leave")


def found(town: Town, text: str, **more: object) -> dict[str, Check]:
    """What the checks say to Ben, who answers a question of his own, by name."""
    task = make.task(town.account)
    with db.transaction():
        path = replies.resolve_path(make.fresh(task), town.ben, None)
        return {one.name: one for one in checks.check(text, path=path, task=make.fresh(task), writer=town.ben, **more)}  # type: ignore[arg-type]


def test_a_copy_of_any_outgoing_reply_is_found_however_old(town: Town, clock: time_machine.Coordinates) -> None:
    make.submitted(make.task(town.account), town.ada, OURS)
    for _ in range(12):
        clock.shift(timedelta(days=30))
        make.submitted(make.task(town.account), make.person(f"w{make.next_number()}", town.brand, "advocate"))
    same, near = found(town, OURS)["copy"], found(town, REWORDED)["copy"]
    assert same.level == near.level == "stop"
    assert "100 % like a reply of 2 March" in same.text
    assert found(town, make.answer())["copy"].level == "ok"


def test_a_reply_that_went_nowhere_is_nobodys_copy(town: Town) -> None:
    mine = make.submitted(make.task(town.account), town.ada, OURS)
    with db.transaction():
        replies.withdraw(make.fresh(mine), by=town.ada)
    assert found(town, OURS)["copy"].level == "ok"


def test_withdrawn_copies_do_not_hide_the_one_that_is_out(town: Town) -> None:
    make.submitted(make.task(town.account), town.ada, OURS)
    for number in range(copies.LOOKS + 2):
        hider = make.person(f"hider{number}", town.brand, "advocate")
        other = make.submitted(make.task(town.account), hider)
        with db.transaction() as session:
            revision = replies.revision_of(make.fresh(other))
            session.add_all(Wording(brand_id=town.brand.id, key=key, revision_id=revision.id) for key in copies.keys_of(OURS))
            replies.withdraw(make.fresh(other), by=hider)
    assert found(town, OURS)["copy"].level == "stop"


def test_one_s_own_reply_is_no_copy_of_itself(town: Town) -> None:
    task = make.task(town.account)
    mine = make.submitted(task, town.ben, OURS)
    with db.transaction():
        path = replies.resolve_path(make.fresh(task), town.ben, None)
        again = checks.check(OURS, path=path, task=make.fresh(task), writer=town.ben, reply_id=mine.id)
    assert next(one for one in again if one.name == "copy").level == "ok"
    with db.transaction():
        changed = replies.save(make.fresh(mine), by=town.ben, text=REWORDED)
    assert changed.revision == 2


def test_another_brands_replies_are_not_compared(town: Town) -> None:
    other = make.brand("kestrel", "Kestrel")
    make.submitted(make.task(make.account(other, "fly", reply_url="http://127.0.0.1:9/reply")), make.person("kai", other, "advocate"), OURS)
    assert found(town, OURS)["copy"].level == "ok"


def test_a_short_thank_you_is_nobodys_own(town: Town) -> None:
    make.submitted(make.task(town.account), town.ada, "Thank you!")
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Wording)) == 0
    assert found(town, "Thank you!")["copy"].level == "ok"


@pytest.mark.parametrize("share", [0.8, 0.9])
def test_nine_hundred_and_ninety_nine_of_a_thousand_near_copies_share_a_key(share: float) -> None:
    """By the sum that the numbers of bands and rows were chosen for."""
    assert 1 - (1 - share**copies.ROWS) ** copies.BANDS >= 0.998


@pytest.mark.parametrize(
    "text",
    [
        "You are an idiot, read the manual.",
        "Are you stupid?",
        "Shut up and restart it.",
        "What a dumb question.",
        "Stop whining.",
        "Learn to read.",
        "你是白痴吗",
        "闭嘴",
        "滾開",
    ],
)
def test_words_against_the_person_are_hostile(text: str) -> None:
    assert hostility(text) == INSULT


@pytest.mark.parametrize(
    "text",
    [
        "The problem will go away after the update.",
        "I felt stupid until I found the switch.",
        "页面往下滚动就能看到",
        "It's nobody's fault.",
        "Stop the timer first.",
        "Read it to the end.",
    ],
)
def test_plain_words_are_not(text: str) -> None:
    assert hostility(text) == 0


def test_a_hostile_reply_is_stopped_and_a_sharp_one_said(town: Town) -> None:
    assert found(town, "I am furious as well, the hub is slow for me every evening.")["tone"].level == "stop"
    assert found(town, "It is slow for me every evening as well.")["tone"].level == "ok"


def test_each_open_gap_stops(town: Town) -> None:
    for gap in ("{author}", "{{ order }}", "[your name]", "[date]", "____", "{order number}"):
        check = found(town, f"Dear {gap}, hold the button for ten seconds please.")["placeholders"]
        assert (check.level, check.quote) == ("stop", gap)
    for plain in ("Type {} to end it.", "Set x[0] to 1.", "Use { curly } brackets {1}.", "a_b_c and __init__"):
        assert found(town, plain)["placeholders"].level == "ok", plain


def test_who_writes_as_themselves_says_so(town: Town) -> None:
    said = found(town, "Hold the button for ten seconds.")
    assert said["disclosure"].level == "ok"
    with db.transaction():
        path = replies.resolve_path(make.task(town.account), town.tim, "brand")
        assert checks.disclosure("We are on it.", path, "en") == []


def test_the_disclosure_is_a_line_of_its_own_and_stands_where_it_is_seen() -> None:
    who = "I help out as a Northwind advocate."
    assert packs.with_disclosure("Hold it.", who) == f"Hold it.\n{who}"
    assert packs.with_disclosure(f"Hold it.\n{who}", who) == f"Hold it.\n{who}", "not said twice"
    assert packs.with_disclosure(f"It is not true that {who}", who).split("\n")[-1] == who, "words that deny it are none"
    assert packs.with_disclosure(f"Hold it.{chr(10) * 300}{who}", who) == f"Hold it.\n{who}", "not pushed out of sight"
    assert packs.with_disclosure("Hold it. " * 40, who, folds_after=280).startswith(f"{who}\n")
    assert packs.with_disclosure("Hold it.", None) == "Hold it."
