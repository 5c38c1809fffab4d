"""P04: nothing is posted without an approval on record of the very revision posted: its text, thread, voice, account and channel."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import delete, select, text, update

from app.accounts.models import Brand, User
from app.kernel import clock, crypto
from app.kernel.db import db
from app.kernel.errors import Conflict
from community.advocates.models import Advocate, TopicRecord
from community.channels.models import ChannelAccount
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation import appeals, peers
from community.moderation.models import Review
from community.replies import actions as replies
from community.replies import posting
from community.replies.models import Posting, Reply, Revision
from community.tasks import actions as tasks
from community.tasks.models import Task
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.promises import dice, rounds
from tests.promises.conftest import Town


def decide(reply: Reply, town: Town, what: str) -> Reply:
    """Take a submitted reply one way or another. Returns the one that the question's answer would be now."""
    with db.transaction() as session:
        reply = factories.fresh(reply)
        n = reply.revision
        match what:
            case "approve":
                moderation.approve(reply, by=town.cleo, revision=n)
            case "edit":
                moderation.approve(reply, by=town.cleo, revision=n, body=factories.answer())
            case "return":
                moderation.return_(reply, by=town.cleo, revision=n, reason="tone")
            case "reject":
                moderation.reject(reply, by=town.cleo, revision=n, reason="incorrect")
            case "escalate":
                moderation.escalate(reply, by=town.cleo, revision=n)
            case "withdraw":
                replies.withdraw(reply, by=town.ada)
            case "pull back":
                replies.pull_back(reply, by=session.get_one(User, reply.writer_id))
            case "revise":
                replies.save(reply, by=town.ada, text=factories.answer())
            case "hand in again":
                replies.submit(reply, by=town.ada, revision=n)
            case "appeal":
                appeals.appeal(reply, by=town.ada, words="The manual says so.")
            case "uphold" | "send" | "dismiss":
                asked = appeals.about(reply)
                assert asked is not None
                appeals.decide(asked, by=town.mo, uphold=what != "dismiss", note="I looked.", send=what == "send")
            case "an alternative":
                return replies_late(session.get_one(Task, reply.task_id), town)
            case "left to another":
                replies.hand_on(session.get_one(Task, reply.task_id), by=town.ada, leave_draft=True)
                tasks.claim(session.get_one(Task, reply.task_id), by=town.ben)
                begun = replies.start_from(session.get_one(Task, reply.task_id), by=town.ben)
                return replies.submit(begun, by=town.ben, revision=begun.revision)
            case "peers agree" | "a peer objects":
                session.get_one(Task, reply.task_id).category = "how_to"
                peers.vote(reply, by=town.ben, revision=n, kind=True, answers=True, correct=what == "peers agree", personal=True)
    return reply


WAYS = {
    "submitted": [],
    "approved": ["approve"],
    "edited": ["edit"],
    "returned": ["return"],
    "returned and changed": ["return", "revise", "hand in again", "approve"],
    "returned and handed in unchanged": ["return", "hand in again", "approve"],
    "returned twice": ["return", "hand in again", "return", "hand in again"],
    "rejected": ["reject"],
    "escalated": ["escalate"],
    "withdrawn": ["withdraw"],
    "pulled back": ["approve", "pull back"],
    "revised before a look": ["revise"],
    "revised after approval": ["approve", "revise"],
    "revised and approved again": ["approve", "revise", "approve"],
    "revised, edited": ["edit", "revise", "edit"],
    "revised and returned": ["approve", "revise", "return"],
    "upheld": ["reject", "appeal", "uphold"],
    "upheld and sent": ["reject", "appeal", "send"],
    "dismissed": ["reject", "appeal", "dismiss"],
    "an alternative": ["an alternative"],
    "an alternative, approved": ["an alternative", "approve"],
    "left to another": ["return", "left to another"],
    "left to another, approved": ["return", "left to another", "approve"],
    "passed by peers": ["peers agree"],
    "not passed by peers": ["a peer objects"],
    "passed by peers, then revised": ["peers agree", "revise"],
    "let pass by trust": ["trust"],
    "let pass by trust, then pulled back": ["trust", "pull back"],
    "let pass by trust, then revised": ["trust", "revise"],
    "let pass by trust, revised and approved": ["trust", "revise", "approve"],
    "drawn for a look": ["drawn"],
    "drawn for a look, approved": ["drawn", "approve"],
    "an employee's own case": ["role"],
    "an employee's own case, pulled back": ["role", "pull back"],
}
POSTED = {
    "approved", "edited", "returned and changed", "returned and handed in unchanged", "revised and approved again", "revised, edited", "upheld and sent",
    "an alternative, approved", "left to another, approved", "passed by peers",
    "let pass by trust", "let pass by trust, revised and approved", "drawn for a look, approved", "an employee's own case",
}  # fmt: skip
RULES = {"passed by peers": "peers", "let pass by trust": "trust:5", "an employee's own case": "employee_role"}
"""By whose word the other ones went out: a moderator's."""
A_TOWN = 10 * len(WAYS)
"""Replies of one town, whose network is read at its end."""
DRAWN = {"trust": 0.05, "drawn": 0.0499}
"""What the lot says of a writer of whose replies five of a hundred are looked at."""


def handed_in(town: Town, how: str | None, monkeypatch: pytest.MonkeyPatch) -> Reply:
    """A first submission: by an employee on their own case, by somebody proven (what the lot says of it is given), or one that waits for a look."""
    if how == "role":
        return factories.submitted(factories.task(town.account, f"Nothing works #tier_1 {factories.next_number()}"), town.tim)
    task = factories.task(town.account)
    if how not in DRAWN:
        return factories.submitted(task, town.ada)
    with db.transaction() as session:
        session.get_one(Task, task.id).category = "how_to"
        session.execute(delete(TopicRecord).where(TopicRecord.user_id == town.ada.id, TopicRecord.topic == "how_to"))
        session.add(TopicRecord(brand_id=town.brand.id, user_id=town.ada.id, topic="how_to", answered=90, good=90, bad=0, thanked=0, clean=90, vetted=90))
    with monkeypatch.context() as lots:
        lots.setattr(crypto, "lot", lambda *about: DRAWN[how])
        return factories.submitted(task, town.ada)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("place", range(-(-rounds(len(WAYS), 10_000) // A_TOWN)))
def test_p04_what_is_public_is_what_was_approved(place: int, town: Town, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red without the look at `reply.state` and at the hashes in `_forbidden` once a pull-back is lost; red when `_order` takes any other words,
    and when a rule lets pass what the lot drew for a look."""
    chance = random.Random(f"{dice().random()} {place}")
    with db.transaction() as session:
        session.get_one(Brand, town.brand.id).settings = {
            "peer_vetting": True, "peer_quorum": 1, "peers_pass": True, "peer_pair_most": 200, "graduated_trust": True,
        }  # fmt: skip
    told: dict[str, tuple[str, Reply]] = {}
    for number in range(min(A_TOWN, rounds(len(WAYS), 10_000) - place * A_TOWN)):
        way = list(WAYS)[number % len(WAYS)]
        if number % len(WAYS) == 0 and number:
            # What was returned stays in its writer's hands, and nobody holds more than five.
            town.people["ada"] = factories.person(f"ada{number}", town.brand, "advocate", password=None, trust=4)
            town.people["ben"] = factories.person(f"ben{number}", town.brand, "advocate", password=None, trust=4)
        reply = handed_in(town, WAYS[way][0] if WAYS[way] else None, monkeypatch)
        for step in WAYS[way]:
            reply = decide(reply, town, step)
        told[_ext_id(reply)] = (way, reply)
        if chance.random() < 0.3:
            drain(chance)
    drain(chance)

    public = network.posts
    assert len(public) == sum(way in POSTED for way, _ in told.values())
    for post in public:
        way, reply = told[post["in_reply_to"]]
        assert way in POSTED, f"a reply that was {way} is public"
        with db.transaction(read_only=True) as session:
            wording, account, by, rule = session.execute(
                select(Revision.outgoing, ChannelAccount.name, Review.reviewer_id, Review.rule)
                .join(Review, (Review.reply_id == Revision.reply_id) & (Review.revision == Revision.number))
                .join(Reply, Reply.id == Revision.reply_id)
                .join(Mention, Mention.id == Reply.mention_id)
                .join(ChannelAccount, ChannelAccount.id == Mention.account_id)
                .where(Review.decision == "approve", Reply.id == reply.id)
                .order_by(Review.id.desc())
                .limit(1)
            ).one()
            # In public a person goes by the name they chose.
            chosen = (Advocate.user_id == reply.writer_id, Advocate.brand_id == reply.brand_id)
            writer = session.scalars(select(Advocate.pseudonym).where(*chosen)).one_or_none()
        assert (post["text"], post["voice"]) == (wording, reply.voice)
        assert rule == RULES.get(way) and (by is None) == (rule is not None) and by != reply.writer_id
        assert post["account"] == (account if reply.voice == "brand" else writer)


FORGERIES = {
    "no approval on record": "DELETE FROM review",
    "the approval was a return": "UPDATE review SET decision = 'return'",
    "nobody approved, and no rule": "UPDATE review SET reviewer_id = NULL",
    "its writer approved it": "UPDATE review SET reviewer_id = (SELECT writer_id FROM reply WHERE reply.id = review.reply_id)",
    "another revision was approved": "UPDATE review SET revision = revision + 1",
    "the reply is only handed in": "UPDATE reply SET state = 'submitted'",
    "the reply was rejected": "UPDATE reply SET state = 'rejected'",
    "the reply was withdrawn": "UPDATE reply SET state = 'withdrawn'",
    "the order holds other words": "UPDATE posting SET text = 'Buy my lamp'",
    "the order holds other words and their hash": f"UPDATE posting SET text = 'a', text_hash = '{replies.text_hash('a')}'",
    "the revision holds other words": "UPDATE revision SET outgoing_hash = 'x'",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_p04_a_forged_order_is_not_posted(forgery: str, town: Town, network: FakeNetwork) -> None:
    """Red without `_on_record` and the comparison of hashes in `_forbidden`."""
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    with db.transaction() as session:
        session.execute(text(FORGERIES[forgery]))

    posting.post(order.id)

    assert network.requests == []
    assert factories.fresh(order).state == "refused"


@pytest.mark.parametrize("fault", ["reset_before", "500_before"])
@pytest.mark.parametrize("change", ["deleted", "cancelled"])
def test_p04_what_changed_between_two_tries_is_noticed(fault: str, change: str, town: Town, network: FakeNetwork) -> None:
    """Red without `_forbidden` in `_may_send`: after a first unclear request only `_take` looked."""
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    network.plan(fault)
    posting.post(order.id)
    with db.transaction() as session:
        if change == "deleted":
            session.execute(update(Mention).where(Mention.id == order.mention_id).values(gone_at=clock.now()))
        else:
            session.execute(update(Task).where(Task.id == order.task_id).values(state="cancelled"))

    drain(random.Random(0))

    assert [line["method"] for line in network.requests] == ["POST", "GET"]
    assert network.posts == []
    assert factories.fresh(order).state == "refused"


def test_p04_one_answer_a_post(town: Town) -> None:
    """Two alternatives can't both be approved. Red without the index `uq_posting_task`."""
    task = factories.task(town.account)
    first = factories.submitted(task, town.ada)
    with db.transaction() as session:
        late = replies_late(task, town)
        session.flush()
    decide(first, town, "approve")
    with pytest.raises(Conflict):
        decide(late, town, "approve")


def replies_late(task: Task, town: Town) -> Reply:
    """Ben's alternative, as the hand-in after his lease left it."""
    now = clock.now()
    late = Reply(
        brand_id=task.brand_id, task_id=task.id, mention_id=task.mention_id, writer_id=town.ben.id, voice="own", state="submitted", revision=1, late=True,
        created_at=now, submitted_at=now,
    )  # fmt: skip
    db.session.add(late)
    db.session.flush()
    wording = factories.answer()
    db.session.add(
        Revision(brand_id=task.brand_id, reply_id=late.id, number=1, text=wording, outgoing=wording, outgoing_hash=replies.text_hash(wording), checks=[],
                 by_id=town.ben.id, saved_at=now, sealed_at=now)
    )  # fmt: skip
    return late


def drain(chance: random.Random) -> None:
    """Work off what is due, in any order, some of it twice."""
    for _ in range(50):
        with db.transaction() as session:
            session.execute(update(Posting).where(Posting.next_at.is_not(None)).values(next_at=clock.now()))
        ids = posting.due()
        if not ids:
            return
        chance.shuffle(ids)
        for id_ in [*ids, *ids[:2]]:
            posting.post(id_)


def _ext_id(reply: Reply) -> str:
    with db.transaction(read_only=True) as session:
        return session.get_one(Mention, reply.mention_id).ext_id
