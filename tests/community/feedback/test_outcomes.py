"""What became of a reply reaches everybody who had a part in it: the writer, the peers, who approved it. Thanks first."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.accounts.models import User
from app.kernel import outbox
from app.kernel.db import db
from app.kernel.errors import Invalid
from app.kernel.events import rebuild
from community.channels.models import ChannelAccount
from community.feedback import links, outcomes, receipts
from community.feedback.actions import resolve_silent
from community.feedback.models import Outcome
from community.feedback.outcomes import Became, feed
from community.mentions import intake
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation.models import PeerVote
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from tests import factories as make
from tests.community.conftest import Town
from tests.stories import news


@pytest.fixture
def posted(town: Town) -> Posting:
    """A reply of Ada's that Ben voted on and Cleo approved, placed by hand."""
    reply = make.submitted(make.task(make.account(town.brand, "wild", kind="by_hand"), "How do I reset it?"), town.ada)
    with db.transaction() as session:
        found = {"kind": True, "answers": True, "correct": False, "personal": True}
        session.add(PeerVote(brand_id=town.brand.id, reply_id=reply.id, revision=1, voter_id=town.ben.id, writer_id=town.ada.id, at=reply.created_at, **found))
    order = approve(reply, town)
    with db.transaction():
        replies.confirm_by_hand(make.fresh(order), by=town.ada, url="https://wild.example/answers/1")
    news()
    return make.fresh(order)


def approve(reply: Reply, town: Town) -> Posting:
    with db.transaction():
        return moderation.approve(make.fresh(reply), by=town.cleo, revision=1)


def wrote_again(order: Posting, text: str, ext_id: str) -> None:
    with db.transaction(read_only=True) as session:
        asked = session.get_one(Mention, order.mention_id)
        account = session.get_one(ChannelAccount, asked.account_id)
    intake.receive(account, [make.incoming(text, ext_id=ext_id, parent_ext_id=asked.ext_id)])
    news()


def heard(user: User, town: Town) -> list[tuple[str, str]]:
    return [(one.outcome.part, one.outcome.kind) for one in lines(user, town)]


def lines(user: User, town: Town) -> list[Became]:
    with db.transaction(read_only=True):
        return list(feed(user, town.brand).items)


def test_writer_peer_and_moderator_hear_and_nobody_else(town: Town, posted: Posting) -> None:
    """Red when only the writer is kept, or when a bystander is."""
    wrote_again(posted, "Thank you so much, thanks a lot", "again-1")
    assert heard(town.ada, town) == [("wrote", "thanked"), ("wrote", "posted")]
    assert heard(town.ben, town) == heard(town.cleo, town) == [("vetted", "thanked"), ("vetted", "posted")]
    assert heard(town.cora, town) == heard(town.tim, town) == []
    assert [one.said for one in lines(town.ada, town)] == ["Thank you so much, thanks a lot", None]
    assert {one.asked for one in lines(town.ben, town)} == {"How do I reset it?"}


def test_thanks_stand_first_in_their_day_and_the_newest_day_before_all(town: Town, posted: Posting) -> None:
    """Red when the feed is sorted by time alone, and when old thanks push down today's news."""
    wrote_again(posted, "thanks!", "again-1")
    say(posted, "192.0.2.1")
    assert heard(town.ada, town) == [("wrote", "thanked"), ("wrote", "helped"), ("wrote", "posted")]
    with time_machine.travel(posted.created_at + timedelta(days=1)):
        say(posted, "192.0.2.2")
        assert heard(town.ada, town) == [("wrote", "helped"), ("wrote", "thanked"), ("wrote", "posted")]


def test_readers_are_one_line_that_counts(town: Town, posted: Posting) -> None:
    for end in range(1, 4):
        say(posted, f"192.0.2.{end}")
    found = [one.outcome for one in lines(town.ben, town) if one.outcome.kind == "helped"]
    assert [one.times for one in found] == [3]


def test_a_page_begins_where_the_last_ended(town: Town, posted: Posting) -> None:
    wrote_again(posted, "thanks!", "again-1")
    say(posted, "192.0.2.1")
    whole = [one.outcome.id for one in lines(town.ada, town)]
    walked, cursor = [], None
    with db.transaction(read_only=True):
        while True:
            found = feed(town.ada, town.brand, limit=1, cursor=cursor)
            walked += [one.outcome.id for one in found.items]
            if (cursor := found.next) is None:
                break
        with pytest.raises(Invalid):
            feed(town.ada, town.brand, cursor="W10")
    assert walked == whole and len(whole) == 3


def test_told_twice_it_stands_once(town: Town, posted: Posting) -> None:
    """Red without the unique cause."""
    with db.transaction() as session:
        for row in session.scalars(select(outbox.OutboxEvent).where(outbox.OutboxEvent.name == "ReplyPosted")):
            outcomes.keep(rebuild(row.name, row.payload), row.id)
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Outcome)) == 3


def test_silence_trouble_and_anger_are_told_in_their_own_words(town: Town, posted: Posting) -> None:
    """Red when "other" is read as trouble, and when thanks are told a second time as settled."""
    wrote_again(posted, "by the way, I have the white one", "again-1")
    assert heard(town.cleo, town)[0] == ("vetted", "back")
    for number, (text, kind) in enumerate((("still nothing", "stuck"), ("I am furious", "angrier"), ("thanks, done", "thanked"))):
        reply = make.task(make.account(town.brand, f"moor{number}", kind="by_hand"), f"Number {number}?")
        order = make.approved(reply, town.ada, town.cora)
        with db.transaction():
            replies.confirm_by_hand(make.fresh(order), by=town.ada, url=f"https://wild.example/answers/{number + 5}")
        wrote_again(make.fresh(order), text, f"more-{number}")
        assert [one.outcome.kind for one in lines(town.cora, town) if one.outcome.reply_id == order.reply_id] == ([kind, "posted"])
    last = make.approved(make.task(make.account(town.brand, "hill", kind="by_hand"), "And this?"), town.ada, town.cora)
    with db.transaction():
        replies.confirm_by_hand(make.fresh(last), by=town.ada, url="https://wild.example/answers/9")
    with time_machine.travel(make.fresh(last).created_at + timedelta(hours=73)):
        resolve_silent()
        news()
    assert [one.outcome.kind for one in lines(town.cora, town) if one.outcome.reply_id == last.reply_id] == ["settled", "posted"]


def test_a_private_or_deleted_post_is_not_repeated(town: Town, posted: Posting) -> None:
    with db.transaction() as session:
        session.get_one(Mention, posted.mention_id).private = True
    assert [one.asked for one in lines(town.ben, town)] == [None]


def say(order: Posting, address: str) -> None:
    with db.transaction() as session:
        token = links.receipt_for(session.get_one(Reply, order.reply_id)).token
        receipts.say(token, "helped", address=address)
    news()


def test_a_reader_who_changes_their_word_is_not_told_as_helped(town: Town, posted: Posting) -> None:
    """Red when the feed goes on saying that it helped somebody who calls it wrong."""
    with db.transaction() as session:
        token = links.receipt_for(session.get_one(Reply, posted.reply_id)).token

    def said(verdict: str, *addresses: str) -> list[tuple[str, int]]:
        for address in addresses:
            with db.transaction():
                receipts.say(token, verdict, address=address)
        news()
        return [(one.outcome.kind, one.outcome.times) for one in lines(town.ada, town) if one.outcome.kind == "helped"]

    assert said("helped", "192.0.2.1", "192.0.2.2") == [("helped", 2)]
    assert said("wrong", "192.0.2.3") == [("helped", 2)], "another reader's doubt takes nothing away"
    assert said("wrong", "192.0.2.1") == [("helped", 1)]
    assert said("wrong", "192.0.2.2") == []
