"""A reply that says where one reads how it was vetted: the line is part of what is approved, and never of more than fits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.kernel.db import db
from app.kernel.errors import NotFound
from community.channels.models import ChannelAccount
from community.feedback import links, queries
from community.feedback.models import Receipt
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation import checks
from community.moderation.checks import Check
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.replies.path import Path
from community.tasks.models import Task
from tests import factories as make
from tests.community.conftest import Town

WORDS = "Hold the small button for ten seconds."
DISCLOSED = "I help out as a Northwind advocate."


@pytest.fixture
def hand(town: Town) -> ChannelAccount:
    chosen(town, True)
    return make.account(town.brand, "wild", kind="by_hand")


def chosen(town: Town, on: bool) -> None:
    with db.transaction() as session:
        brand = session.get_one(type(town.brand), town.brand.id)
        brand.settings = {**brand.settings, "receipt_link": on}


def receipt(reply: Reply) -> Receipt | None:
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Receipt).where(Receipt.reply_id == reply.id)).one_or_none()


def path(town: Town, task: Task, reply: Reply | None = None) -> Path:
    with db.transaction(read_only=True):
        return replies.resolve_path(make.fresh(task), town.ada, None, reply=reply)


def said(town: Town, task: Task, way: Path, words: str) -> list[Check]:
    with db.transaction(read_only=True):
        return [one for one in checks.check(words, path=way, task=make.fresh(task), writer=town.ada) if one.name == "receipt"]


def test_what_the_writer_sees_is_approved_and_posted_and_its_link_opens(town: Town, hand: ChannelAccount) -> None:
    """Red when the token is made at posting only, when it is made anew for the revision, and when the link is kept out of the sealed words."""
    reply = make.drafted(make.task(hand), town.ada, WORDS)
    made = receipt(reply)
    assert made is not None
    whole = f"{WORDS}\nHow this was vetted: {links.address_of(made.token)}\n{DISCLOSED}"
    with db.transaction(read_only=True) as session:
        assert path(town, session.get_one(Task, reply.task_id), reply).outgoing(WORDS).text == whole
    with db.transaction():
        replies.submit(make.fresh(reply), by=town.ada, revision=1)
    chosen(town, False)
    with db.transaction():
        order = moderation.approve(make.fresh(reply), by=town.cleo, revision=1)
    assert order.text == whole
    with db.transaction(), pytest.raises(NotFound, match="Come back in a few minutes"):
        queries.receipt_page(made.token)
    with db.transaction():
        replies.confirm_by_hand(make.fresh(order), by=town.ada, url="https://wild.example/answers/1")
    with db.transaction(read_only=True):
        assert queries.receipt_page(made.token).text == whole


def test_returned_edited_and_approved_it_names_the_same_receipt_once(town: Town, hand: ChannelAccount) -> None:
    reply = make.submitted(make.task(hand), town.ada, WORDS)
    made = receipt(reply)
    with db.transaction():
        moderation.return_(make.fresh(reply), by=town.cleo, revision=1, reason="incomplete", note="Say which button.")
    with db.transaction():
        saved = replies.save(make.fresh(reply), by=town.ada, text=f"{WORDS} The left one.")
        replies.submit(saved, by=town.ada, revision=saved.revision)
    with db.transaction():
        now = make.fresh(reply)
        order = moderation.approve(now, by=town.cleo, revision=now.revision, body=f"{WORDS} The left one, under the lid.")
    assert made is not None
    assert order.text.count("/r/") == 1
    assert order.text.endswith(f"{links.address_of(made.token)}\n{DISCLOSED}")


def test_it_is_off_until_the_brand_wants_it(town: Town, hand: ChannelAccount) -> None:
    chosen(town, False)
    reply = make.submitted(make.task(hand), town.ada, WORDS)
    assert receipt(reply) is None
    with db.transaction(read_only=True):
        assert replies.revision_of(reply).outgoing == f"{WORDS}\n{DISCLOSED}"


def test_where_there_is_no_room_the_answer_goes_out_without_it_and_says_so(town: Town) -> None:
    """Red when the line makes a reply too long, or when it is left out without a word."""
    chosen(town, True)
    tight = make.account(town.brand, "tight", kind="by_hand", max_length="110")
    task = make.task(tight)
    way = path(town, task)
    assert way.outgoing(WORDS).text == f"{WORDS}\n{DISCLOSED}"
    (check,) = said(town, task, way, WORDS)
    assert (check.level, "No room for the link" in check.text) == ("advice", True)
    over = way.too_long_for_receipt(WORDS)
    assert f"take out {over}." in check.text
    shorter = WORDS[over:]
    assert way.length(shorter) == 110
    assert [one.level for one in said(town, task, way, shorter)] == ["ok"]
    assert said(town, task, way, "x" * 200) == [], "the length check speaks for itself"
    order = make.approved(task, town.ada, town.cleo, WORDS)
    assert order.text == f"{WORDS}\n{DISCLOSED}"


def test_no_link_where_the_network_wants_none_nor_under_a_private_post(town: Town, hand: ChannelAccount) -> None:
    """Red without either look."""
    task = make.task(hand)
    with db.transaction() as session:
        mention = session.get_one(Mention, task.mention_id)
        pack = path(town, task).pack
        brand = session.get_one(type(town.brand), town.brand.id)
        assert links.line_for(brand, mention, pack, None) is not None
        assert links.line_for(brand, mention, replace(pack, links=False), None) is None
        mention.private = True
        assert links.line_for(brand, mention, pack, None) is None


@pytest.mark.parametrize(("lang", "begins"), [("zh-Hant", "這則回覆"), ("de", "So wurde diese Antwort"), ("ja", "この返信"), ("pt", "How this was vetted")])
def test_it_speaks_the_language_of_the_post(town: Town, hand: ChannelAccount, lang: str, begins: str) -> None:
    task = make.task(hand)
    with db.transaction() as session:
        session.get_one(Mention, task.mention_id).lang = lang
    way = path(town, task)
    assert way.receipt is not None and way.receipt.startswith(begins)
    assert way.receipt.endswith(links.address_of(links.STAND_IN)), "before the first save it counts as long as it will be"
    assert len(links.STAND_IN) == links.TOKEN


def test_variants_of_an_incident_carry_each_its_own(town: Town, hand: ChannelAccount) -> None:
    with db.transaction():
        made = [replies.begin(make.fresh(make.task(hand)), town.ada, WORDS, "own", incident_id=1) for _ in range(2)]
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count(func.distinct(Receipt.token))).where(Receipt.reply_id.in_([one.id for one in made]))) == 2
        assert session.scalars(select(Posting)).all() == []
