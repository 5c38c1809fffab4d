"""The receipt of a posted reply: what it says in public, what readers say there, and what moderators make of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from app.notices.models import Notice
from community.answers import actions as answers
from community.answers import recalls
from community.answers.models import Answer, Correction, Use
from community.feedback import links, queries, receipts
from community.feedback.models import Feedback, Receipt
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation import peers
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.tasks.models import Task
from tests import factories as make
from tests.community.conftest import Town
from tests.stories import fresh, news


@pytest.fixture
def posted(town: Town) -> Posting:
    """A reply of Ada's that Cleo approved, placed by hand."""
    hand = make.account(town.brand, "wild", kind="by_hand")
    order = make.approved(make.task(hand, "How do I reset it?"), town.ada, town.cleo, "Hold the small button for ten seconds.")
    with db.transaction():
        replies.confirm_by_hand(make.fresh(order), by=town.ada, url="https://wild.example/answers/1")
    return make.fresh(order)


def receipt(order: Posting) -> Receipt:
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Receipt).where(Receipt.reply_id == order.reply_id)).one()


def say(order: Posting, verdict: str, address: str = "192.0.2.1", words: str | None = None) -> Feedback:
    with db.transaction():
        return receipts.say(receipt(order).token, verdict, words=words, address=address)


def told(user_id: int, kind: str) -> list[str]:
    news()
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Notice.text).where(Notice.user_id == user_id, Notice.kind == kind).order_by(Notice.id)))


def task_of(order: Posting) -> Task:
    with db.transaction(read_only=True) as session:
        return session.get_one(Task, order.task_id)


def test_the_page_says_who_vouched_by_role_and_never_by_name(town: Town, posted: Posting) -> None:
    with db.transaction(read_only=True):
        page = queries.receipt_page(receipt(posted).token)
    assert (page.question, page.text) == ("How do I reset it?", posted.text)
    assert (page.writer, [(one.role, one.rule) for one in page.looked]) == ("advocate", [("moderator", None)])
    assert page.url == "https://wild.example/answers/1"


def test_there_is_no_receipt_before_it_is_out_nor_for_a_private_thread(town: Town, posted: Posting) -> None:
    """Red without the posting's state in the query, and without the look at `private`."""
    waiting = make.approved(make.task(town.account, "And on the other hub?"), town.ada, town.cleo)
    with db.transaction() as session:
        early = links.receipt_for(session.get_one(Reply, waiting.reply_id)).token
    for token in (early, "no-such-token", receipt(posted).token.lower()):
        with db.transaction(), pytest.raises(NotFound):
            queries.receipt_page(token)
        with db.transaction(), pytest.raises(NotFound):
            receipts.say(token, "helped", address="192.0.2.1")
    with db.transaction() as session:
        session.get_one(Mention, posted.mention_id).private = True
    with db.transaction(), pytest.raises(NotFound):
        queries.receipt_page(receipt(posted).token)


def test_a_reader_is_one_voice_and_may_change_it(town: Town, posted: Posting) -> None:
    """Red when each word is a row of its own."""
    say(posted, "wrong", words="It is the other button")
    say(posted, "wrong", words="It is the other button")
    say(posted, "helped")
    say(posted, "helped", address="198.51.100.7")
    with db.transaction(read_only=True) as session:
        page = queries.receipt_page(receipt(posted).token)
        rows = session.scalars(select(Feedback)).all()
    assert (page.helped, page.doubts, len(rows)) == (2, 0, 2)
    assert "192.0.2.1" not in {row.visitor for row in rows}
    with db.transaction(read_only=True):
        assert queries.impact(town.ada, town.brand).readers == 2
    assert told(town.ada.id, "thanks") == ["A reader says that your reply helped."]


def test_a_reader_who_goes_to_and_fro_is_told_of_once_each_way(town: Town, posted: Posting) -> None:
    """Red when each change is news: one stranger could send every moderator a notice with every click."""
    for turn in range(40):
        say(posted, "wrong" if turn % 2 else "helped", words=f"Words number {turn}.")
    assert len(told(town.cleo.id, "doubt")) == 1
    assert len(told(town.ada.id, "thanks")) == 1
    with db.transaction(read_only=True) as session:
        [said] = session.scalars(select(Feedback)).all()
    assert (said.verdict, said.words) == ("wrong", "Words number 39."), "what they said last is what counts"


def test_a_house_counts_once_in_ipv6(town: Town, posted: Posting) -> None:
    for end in ("1", "2", "ffff"):
        say(posted, "helped", address=f"2001:db8:1:2::{end}")
    with db.transaction(read_only=True):
        assert queries.receipt_page(receipt(posted).token).helped == 1


def test_private_data_that_a_reader_types_is_not_kept(town: Town, posted: Posting) -> None:
    said = say(posted, "wrong", words="Call me: +44 20 7946 0958 or jo@example.com" + "\ud800" + "x" * 900)
    assert said.words is not None
    assert "7946" not in said.words and "example.com" not in said.words
    assert len(said.words) <= receipts.WORDS


def test_three_doubts_tell_moderators_again_and_reopen_nothing(town: Town, posted: Posting) -> None:
    """Red when readers, whom nobody knows, could reopen a question by themselves."""
    for end in range(1, 5):
        say(posted, "wrong", address=f"192.0.2.{end}", words="wrong button" if end == 1 else None)
    assert told(town.cleo.id, "doubt") == ["A reader says that a posted reply is wrong.", "3 readers say that a posted reply is wrong."]
    with db.transaction(read_only=True):
        found = queries.doubts(town.brand)
    assert [len(one.said) for one in found] == [4]
    assert task_of(posted).state == "answered"


def test_a_moderator_dismisses_or_hands_it_to_the_team(town: Town, posted: Posting) -> None:
    say(posted, "wrong")
    with db.transaction(), pytest.raises(Forbidden):
        receipts.settle(receipt(posted), by=town.ada, outcome="dismiss")
    with db.transaction(), pytest.raises(Invalid):
        receipts.settle(receipt(posted), by=town.cleo, outcome="delete")
    with db.transaction():
        assert receipts.settle(receipt(posted), by=town.cleo, outcome="dismiss") == 1
    with db.transaction(), pytest.raises(Conflict):
        receipts.settle(receipt(posted), by=town.cleo, outcome="dismiss")
    say(posted, "wrong", address="192.0.2.9", words="the light is blue, not red")
    with db.transaction():
        receipts.settle(receipt(posted), by=town.cleo, outcome="reopen", note="The light is blue now.")
    task = task_of(posted)
    assert (task.state, task.audience) == ("open", "tier_1")
    with db.transaction(read_only=True):
        assert queries.doubts(town.brand) == []


def test_one_address_says_so_much_an_hour_and_is_forgotten_after_a_month(town: Town, posted: Posting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without the count, and without the pruning."""
    monkeypatch.setattr(receipts, "PER_HOUR", 1)
    say(posted, "helped")
    say(posted, "wrong")
    other = make.approved(make.task(make.account(town.brand, "moor", kind="by_hand"), "Which lamp?"), town.ada, town.cleo)
    with db.transaction():
        replies.confirm_by_hand(make.fresh(other), by=town.ada, url="https://wild.example/answers/2")
    with db.transaction(), pytest.raises(TooMany):
        receipts.say(receipt(make.fresh(other)).token, "helped", address="192.0.2.1")
    with time_machine.travel(make.fresh(posted).created_at + timedelta(days=31)), db.transaction():
        assert receipts.forget_readers() == 1
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Feedback.visitor)).all() == [None]


def made_of(order: Posting, by: User, **more: bool) -> Answer:
    """The posted words come from an answer of the library."""
    with db.transaction() as session:
        brand = session.get_one(Brand, order.brand_id)
        made = answers.add(brand, by=by, title="How do I reset a hub?", body="Hold the button.", lang="en", **more)
        session.add(Use(brand_id=brand.id, reply_id=order.reply_id, answer_id=made.id, version=1, revision=1, at=order.created_at))
    return made


def page(order: Posting) -> queries.ReceiptOf:
    with db.transaction(read_only=True):
        return queries.receipt_page(receipt(order).token)


def test_it_says_what_it_rests_on_and_names_an_answer_only_where_everybody_may_read_it(town: Town, posted: Posting) -> None:
    """Red when the title is shown without the brand's switch, or the answer's own."""
    made = made_of(posted, town.cleo, public=True)
    (ground,) = page(posted).grounds
    assert (ground.title, ground.state, ground.confirmed_at is not None) == (None, "holds", True)
    with db.transaction() as session:
        brand = session.get_one(Brand, town.brand.id)
        brand.settings = {**brand.settings, "public_answers": True}
    assert [one.title for one in page(posted).grounds] == ["How do I reset a hub?"]
    with db.transaction() as session:
        session.get_one(Answer, made.id).public = False
    assert [one.title for one in page(posted).grounds] == [None]


def test_an_answer_reached_through_another_reply_counts_and_one_of_other_words_does_not(town: Town, posted: Posting) -> None:
    """Red when only direct uses are read, and when a use that was taken out before posting is."""
    made = made_of(posted, town.cleo)
    later = make.approved(make.task(make.account(town.brand, "moor", kind="by_hand"), "Same here?"), town.ben, town.cleo)
    with db.transaction() as session:
        replies.confirm_by_hand(make.fresh(later), by=town.ben, url="https://moor.example/answers/2")
        session.add(Use(brand_id=town.brand.id, reply_id=later.reply_id, used_reply_id=posted.reply_id, revision=1, at=posted.created_at))
        gone = answers.add(session.get_one(Brand, town.brand.id), by=town.cleo, title="Which lamp?", body="The left one.", lang="en")
        session.add(Use(brand_id=town.brand.id, reply_id=later.reply_id, answer_id=gone.id, version=1, at=posted.created_at))
    assert [one.answer_id for one in page(make.fresh(later)).grounds] == [made.id]


def test_it_says_when_the_facts_have_changed_and_where_it_was_put_right(town: Town, posted: Posting) -> None:
    made = made_of(posted, town.cleo)
    with db.transaction():
        answers.revise(fresh(made), by=town.cleo, title="How do I reset a hub?", body="Press twice.", why="new model", based_on=1)
    assert [one.state for one in page(posted).grounds] == ["reworded"]
    assert page(posted).put_right is None
    with db.transaction():
        recalls.recall(fresh(made), by=town.cleo, fact="Press it twice.")
    recalls.begin_corrections()
    changed = page(posted).put_right
    assert changed is not None and (changed.state, changed.token) == ("under_way", None)
    with db.transaction(read_only=True) as session:
        correction = session.scalars(select(Correction)).one()
        task = session.get_one(Task, correction.task_id)
    right = make.approved(task, town.ada, town.cleo, "Sorry, I was wrong: press it twice, do not hold it.")
    with db.transaction():
        replies.confirm_by_hand(make.fresh(right), by=town.ada, url="https://wild.example/answers/3")
    news()
    changed = page(posted).put_right
    assert changed is not None and (changed.state, changed.token) == ("done", receipt(make.fresh(right)).token)
    with db.transaction():
        answers.expire(fresh(made), by=town.cleo)
    assert [one.state for one in page(posted).grounds] == ["expired"]


def test_peers_stand_on_it_by_number_and_what_all_of_them_found(town: Town) -> None:
    """Red when one yes is enough for a word, and when an edit by the moderator hides who read it."""
    dana = make.person("dana", town.brand, "advocate", trust=2)
    elia = make.person("elia", town.brand, "advocate", trust=2)
    with db.transaction() as session:
        brand = session.get_one(Brand, town.brand.id)
        brand.settings = {**brand.settings, "peer_vetting": True, "peer_quorum": 2}
    reply = make.submitted(make.task(make.account(town.brand, "wild", kind="by_hand"), "How do I reset it?"), town.ada, "Hold the small button a while.")
    with db.transaction():
        peers.vote(make.fresh(reply), by=dana, revision=1, kind=True, answers=True, correct=True, personal=True)
        peers.vote(make.fresh(reply), by=elia, revision=1, kind=True, answers=True, correct=False, personal=True)
    with db.transaction():
        order = moderation.approve(make.fresh(reply), by=town.cleo, revision=1, body="Hold the small button for ten seconds.")
    with db.transaction():
        replies.confirm_by_hand(make.fresh(order), by=town.ada, url="https://wild.example/answers/1")
    read = page(make.fresh(order)).peers
    assert read is not None
    assert (read.voices, list(read.agreed)) == (2, ["kind", "answers", "personal"])
