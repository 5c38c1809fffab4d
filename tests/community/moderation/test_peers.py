"""Peers look first: who may vote, on what, how often, and what a quorum brings about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts import choices
from app.accounts.models import Brand, User
from app.config import Config
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Missing, NotFound, TooMany
from app.notices.models import Notice
from community.advocates import trust
from community.moderation import actions as moderation
from community.moderation import peers, queries
from community.moderation.models import PeerVote, Review
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from gamification.points.models import LedgerEntry
from tests.factories import answer
from tests.harness.races import Racers
from tests.stories import FixedTriage, brand, came_back, fresh, handed_in, news, person, placed, told

YES = {"kind": True, "answers": True, "correct": True, "personal": True}


@dataclass
class Room:
    brand: Brand
    ada: User
    peers: list[User]
    cleo: User
    max: User
    triage: FixedTriage

    def chooses(self, **what: Any) -> None:
        with db.transaction():
            choices.choose(fresh(self.brand), what, by=self.max)


@pytest.fixture
def room(triage: FixedTriage) -> Room:
    northwind = brand()
    cleo, admin = person(northwind, "moderator"), person(northwind, "admin")
    ada, *others = (person(northwind, "advocate") for _ in range(6))
    with db.transaction():
        for one in others:
            row = trust.advocate_row(one.id, northwind.id)
            assert row is not None
            trust.set_level(row, 2, by=cleo, reason="Known for years.")
    room = Room(northwind, ada, others, cleo, admin, triage)
    room.chooses(peer_vetting=True)
    return room


def waiting(room: Room) -> Reply:
    return fresh(handed_in(told(room.brand), room.ada, answer()))


def vote(reply: Reply, by: User, **found: Any) -> PeerVote:
    with db.transaction():
        return peers.vote(fresh(reply), by=fresh(by), **{"revision": fresh(reply).revision, **YES, **found})


def proven(room: Room, good: int = 5) -> None:
    room.chooses(peer_vetting=False)
    for _ in range(good):
        reply = waiting(room)
        with db.transaction():
            moderation.approve(reply, by=room.cleo, revision=reply.revision)
    with db.transaction():
        trust.weigh(room.ada.id, room.brand.id)
    room.chooses(peer_vetting=True, graduated_trust=False)


def shown(room: Room, by: User, show: str) -> list[int]:
    with db.transaction(read_only=True):
        return [item.reply.id for item in queries.queue(by, fresh(room.brand), show=show).items]


def to_vet(room: Room, by: User) -> list[int]:
    with db.transaction(read_only=True):
        return [one.reply.id for one in peers.to_vet(fresh(by), fresh(room.brand))]


def test_three_peers_look_and_then_the_moderators_have_it(room: Room) -> None:
    reply = waiting(room)
    assert (shown(room, room.cleo, "waiting"), shown(room, room.cleo, "peers")) == ([], [reply.id])
    for n, one in enumerate(room.peers[:3]):
        assert to_vet(room, one) == [reply.id]
        vote(reply, one, correct=n != 1, note="Which light?" if n == 1 else None)
        assert to_vet(room, one) == []
    assert (shown(room, room.cleo, "waiting"), shown(room, room.cleo, "peers")) == ([reply.id], [])
    assert to_vet(room, room.peers[3]) == []
    with db.transaction(read_only=True):
        assert peers.tally([reply.id]) == {reply.id: (2, 3)}
        assert [(found.yes, found.note) for found, _ in peers.votes_of(fresh(reply))] == [(True, None), (False, "Which light?"), (True, None)]
    with pytest.raises(Conflict, match="Enough peers"):
        vote(reply, room.peers[3])


def test_when_their_time_is_over_the_moderators_have_it_with_what_was_said(room: Room, clock: Any) -> None:
    reply = waiting(room)
    vote(reply, room.peers[0])
    clock.shift(timedelta(minutes=21))
    assert shown(room, room.cleo, "waiting") == [reply.id]
    assert to_vet(room, room.peers[1]) == []
    with pytest.raises(Conflict, match="time is over"):
        vote(reply, room.peers[1])


def test_a_brand_without_enough_peers_does_not_wait_for_them(room: Room) -> None:
    room.chooses(peer_quorum=6)
    reply = waiting(room)
    assert shown(room, room.cleo, "waiting") == [reply.id]


@pytest.mark.parametrize("who", ["the writer", "a newcomer", "a moderator", "of another brand", "limited", "tier 1", "both hats"])
def test_who_may_not_vote(who: str, room: Room) -> None:
    reply = waiting(room)
    other = brand("kestrel")
    if who == "limited":
        with db.transaction():
            row = trust.advocate_row(room.peers[0].id, room.brand.id)
            assert row is not None
            trust.limit(row, "vet", by=room.cleo, reason="Votes came too fast.")
    if who == "the writer":
        with db.transaction():
            row = trust.advocate_row(room.ada.id, room.brand.id)
            assert row is not None
            trust.set_level(row, 4, by=room.cleo, reason="x")
    by = {
        "the writer": room.ada,
        "a newcomer": person(room.brand, "advocate"),
        "a moderator": room.cleo,
        "of another brand": person(other, "advocate"),
        "limited": room.peers[0],
        "tier 1": person(room.brand, "tier_1"),
        "both hats": person(room.brand, "advocate", "moderator"),
    }[who]
    with pytest.raises(Forbidden):
        vote(reply, by)
    with pytest.raises(NotFound), db.transaction(read_only=True):
        peers.vet_of(fresh(by), reply.id)


def test_one_vote_a_person_and_revision(room: Room) -> None:
    reply = waiting(room)
    vote(reply, room.peers[0])
    with pytest.raises(Conflict, match="already"):
        vote(reply, room.peers[0])
    with pytest.raises(Missing):
        vote(reply, room.peers[1], revision=None)


def test_other_words_are_looked_at_anew(room: Room) -> None:
    reply = waiting(room)
    vote(reply, room.peers[0])
    with db.transaction():
        replies.save(fresh(reply), by=room.ada, text=answer())
    with pytest.raises(Conflict, match="changed it since"):
        vote(reply, room.peers[1], revision=1)
    assert to_vet(room, room.peers[0]) == [reply.id]
    vote(reply, room.peers[0])
    with db.transaction(read_only=True):
        assert peers.tally([reply.id]) == {reply.id: (1, 1)}


def test_a_unanimous_yes_lets_a_low_risk_reply_pass_where_the_brand_wants_it(room: Room) -> None:
    proven(room)
    room.chooses(peers_pass=True)
    reply = waiting(room)
    for one in room.peers[:3]:
        vote(reply, one)
    with db.transaction(read_only=True) as session:
        review = session.scalars(select(Review).where(Review.reply_id == reply.id)).one()
        orders = session.scalar(select(func.count()).select_from(Posting).where(Posting.reply_id == reply.id))
    assert (fresh(reply).state, review.rule, review.reviewer_id, review.basis, orders) == ("approved", "peers", None, {"yes": 3, "votes": 3}, 1)


@pytest.mark.parametrize("why", ["not wanted", "one no", "one of the first five", "risk"])
def test_else_a_moderator_decides(why: str, room: Room) -> None:
    if why != "one of the first five":
        proven(room)
    room.chooses(peers_pass=why != "not wanted")
    if why == "risk":
        room.triage.signals = replace(room.triage.signals, anger=0.4)
    reply = waiting(room)
    for n, one in enumerate(room.peers[:3]):
        vote(reply, one, kind=not (why == "one no" and n == 0))
    assert fresh(reply).state == "submitted"
    assert shown(room, room.cleo, "waiting") == [reply.id]


def test_a_moderator_may_decide_before_and_who_looked_is_credited_all_the_same(room: Room) -> None:
    reply = waiting(room)
    vote(reply, room.peers[0])
    with db.transaction():
        moderation.approve(fresh(reply), by=room.cleo, revision=reply.revision)
    news()
    with pytest.raises(Conflict):
        vote(reply, room.peers[1])
    with db.transaction(read_only=True) as session:
        paid = session.execute(select(LedgerEntry.user_id, LedgerEntry.points).where(LedgerEntry.rule == "peer")).all()
    assert paid == [(room.peers[0].id, 1)]


def test_a_pair_is_limited_and_its_credits_sooner(room: Room) -> None:
    room.chooses(peer_quorum=1, peer_pair_most=7)
    for _ in range(7):
        vote(waiting(room), room.peers[0])
    reply = waiting(room)
    with pytest.raises(TooMany, match="this writer"):
        vote(reply, room.peers[0])
    assert to_vet(room, room.peers[0]) == []
    assert to_vet(room, room.peers[1]) == [reply.id]
    news()
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.sum(LedgerEntry.points)).where(LedgerEntry.rule == "peer", LedgerEntry.user_id == room.peers[0].id)) == 5


def test_p27_what_the_writer_changes_after_a_return_is_theirs_alone(room: Room) -> None:
    reply = waiting(room)
    vote(reply, room.peers[0])
    with db.transaction():
        moderation.return_(fresh(reply), by=room.cleo, revision=1, reason="incomplete", note="Which light?")
        replies.save(fresh(reply), by=room.ada, text="A draft that nobody else may read yet.")
    with db.transaction(read_only=True):
        item = peers.vet_of(fresh(room.peers[0]), reply.id)
    assert (fresh(reply).revision, item.revision.number) == (2, 1)
    assert "nobody else" not in item.revision.text


def test_peers_hear_the_thanks_too(room: Room) -> None:
    task = told(room.brand)
    reply = fresh(handed_in(task, room.ada, answer()))
    vote(reply, room.peers[0])
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=room.cleo, revision=reply.revision)
    placed(posting, room.ada)
    came_back(task)
    news()
    with db.transaction(read_only=True) as session:
        heard = session.execute(select(Notice.user_id, Notice.link).where(Notice.kind == "thanks")).all()
    assert (room.peers[0].id, f"/vet/{reply.id}") in heard
    assert {user_id for user_id, _ in heard} == {room.ada.id, room.cleo.id, room.peers[0].id}


def _vote(reply_id: int, user_id: int) -> None:
    with db.transaction() as session:
        peers.vote(session.get_one(Reply, reply_id), by=session.get_one(User, user_id), revision=1, **YES)


def test_p22_votes_at_the_quorum_let_one_through(room: Room, config: Config) -> None:
    """P22: red without `lock_pair` in `vote`."""
    voters = [*room.peers, *(person(room.brand, "advocate") for _ in range(15))]
    with db.transaction():
        for one in voters[5:]:
            row = trust.advocate_row(one.id, room.brand.id)
            assert row is not None
            trust.set_level(row, 2, by=room.cleo, reason="Known.")
    with Racers(config, 4) as racers:
        for _ in range(3):
            reply = waiting(room)
            vote(reply, voters[0])
            vote(reply, voters[1])
            outcomes = racers.run([(_vote, (reply.id, one.id)) for one in voters[2:]])
            assert sum(one.won for one in outcomes) == 1
            assert {one.status for one in outcomes} == {200, 409}
            with db.transaction(read_only=True) as session:
                assert session.scalar(select(func.count()).select_from(PeerVote).where(PeerVote.reply_id == reply.id)) == 3
