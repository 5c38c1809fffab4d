"""P22: limits hold however many ask at once: of fifty claims by one person at one below their limit, one gets through."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.accounts.models import Brand, User
from app.kernel import clock, outbox
from app.kernel.db import db
from app.kernel.outbox import Delivery, OutboxEvent
from community.advocates import actions as advocates
from community.advocates.models import Advocate
from community.joining import actions as joining
from community.moderation import actions as moderation
from community.moderation import flags, peers
from community.moderation.models import Flag, FlagVote, PeerVote
from community.replies.models import Reply
from community.tasks import actions as tasks
from community.tasks.models import Claim, Task
from gamification.points import actions as points
from gamification.points.models import LedgerEntry
from gamification.points.rules import APPROVED, DAILY_CAP
from tests import factories
from tests.harness.promises import rounds
from tests.harness.races import Racers
from tests.promises.conftest import Town
from tests.promises.test_p21_one_cause_one_award import deliver_all

AT_ONCE = 50


def claim(task_id: int, user_id: int) -> int:
    with db.transaction() as session:
        return tasks.claim(session.get_one(Task, task_id), by=session.get_one(User, user_id)).id


def agree(flag_id: int, user_id: int) -> str:
    with db.transaction() as session:
        return flags.agree(session.get_one(Flag, flag_id), by=session.get_one(User, user_id)).state


def held_by(user: User) -> int:
    with db.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Claim).where(Claim.user_id == user.id, Claim.ended_at.is_(None))) or 0


@pytest.mark.timeout(3600)
def test_p22_of_fifty_claims_at_one_below_the_limit_one_gets_through(town: Town, racers: Racers) -> None:
    """Red without `_hold_person` before the count (`_make_room`)."""
    for _ in range(rounds(1, 100)):
        new = factories.person(f"new{factories.next_number()}", town.brand, "advocate", password=None, trust=2)
        for _ in range(2):
            factories.claimed(factories.task(town.account), new)
        wanted = [factories.task(town.account) for _ in range(AT_ONCE)]

        outcomes = racers.run([(claim, (task.id, new.id)) for task in wanted])

        assert sum(outcome.won for outcome in outcomes) == 1
        assert {outcome.status for outcome in outcomes} == {200, 429}, [o.error for o in outcomes if o.status not in (200, 429)]
        assert held_by(new) == 3


@pytest.mark.timeout(3600)
def test_p22_no_claim_slips_past_a_break(town: Town, racers: Racers) -> None:
    """Red when a break is taken without holding the person's row before their tasks."""
    for _ in range(rounds(2, 100)):
        new = factories.person(f"new{factories.next_number()}", town.brand, "advocate", password=None, trust=4)
        wanted = [factories.task(town.account) for _ in range(7)]

        racers.run([*[(claim, (task.id, new.id)) for task in wanted], (rest, (new.id, town.brand.id))])

        with db.transaction(read_only=True) as session:
            paused = session.scalars(select(Advocate.paused_until).where(Advocate.user_id == new.id)).one()
        assert paused is not None
        assert held_by(new) == 0, "whoever rests holds nothing"


def rest(user_id: int, brand_id: int) -> None:
    with db.transaction() as session:
        advocates.pause(session.get_one(User, user_id), session.get_one(Brand, brand_id), until=clock.now() + timedelta(days=1))


@pytest.mark.timeout(3600)
def test_p22_a_flag_is_upheld_once_by_exactly_as_many_as_are_needed(town: Town, racers: Racers) -> None:
    """Red without the flag's row being held while its votes are counted."""
    crowd = [factories.person(f"peer{n}", town.brand, "advocate", password=None) for n in range(12)]
    for _ in range(rounds(1, 100)):
        task = factories.task(town.account)
        with db.transaction():
            row = flags.flag(factories.fresh(task), by=town.ada, kind="technical")

        outcomes = racers.run([(agree, (row.id, person.id)) for person in crowd])

        assert {outcome.status for outcome in outcomes} == {200, 409}, [o.error for o in outcomes]
        assert sorted(str(outcome.value) for outcome in outcomes if outcome.won) == ["open", "upheld"]
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(FlagVote).where(FlagVote.flag_id == row.id)) == 2
            assert session.get_one(Task, task.id).audience == "tier_2"


def hear(event_id: int) -> bool:
    return outbox._handle(points.SUBSCRIBER, event_id)


@pytest.mark.timeout(3600)
def test_p22_a_days_points_end_at_the_limit_whoever_counts_at_once(town: Town, racers: Racers) -> None:
    """Red on PostgreSQL when the sum that is compared with the limit can't be written down as a reason; red without `_one_writer`."""
    for _ in range(rounds(1, 30)):
        busy = factories.person(f"busy{factories.next_number()}", town.brand, "advocate", password=None, trust=4)
        for number in range(DAILY_CAP // APPROVED["answer"] + 2):
            # The first is worth less than the others, so that a part of the last one is over the limit.
            factories.approved(factories.task(town.account, None if number else "You are great #thank"), busy, town.cleo)
        open_ = (Delivery.subscriber == points.SUBSCRIBER, Delivery.done_at.is_(None))
        with db.transaction() as session:
            session.execute(update(Delivery).where(*open_).values(next_at=None))
            facts = session.scalars(select(Delivery.event_id).where(*open_).order_by(Delivery.event_id)).all()

        outcomes = racers.run([(hear, (id_,)) for id_ in facts for _ in range(2)])

        assert {outcome.status for outcome in outcomes} == {200}, [o.error for o in outcomes if not o.won]
        deliver_all()
        with db.transaction(read_only=True) as session:
            errors = session.scalars(select(Delivery.error).where(*open_)).all()
            assert errors == [], "the ledger could not write a line"
            parts = select(LedgerEntry.points).where(LedgerEntry.user_id == busy.id)
            assert APPROVED["answer"] - APPROVED["thank"] in session.scalars(parts).all(), "no line was cut"
            assert session.scalar(select(func.sum(LedgerEntry.points)).where(LedgerEntry.user_id == busy.id)) == DAILY_CAP
        assert points.rebuild(check=True).differences == ()


def join(secret: str, name: str) -> int:
    with db.transaction():
        return joining.accept(secret, name=name, password="a long sentence that nobody knows").id


@pytest.mark.timeout(3600)
def test_p22_an_invitation_is_used_once(town: Town, racers: Racers) -> None:
    """Red when the invitation's state is not in the condition of its move."""
    for _ in range(rounds(1, 50)):
        with db.transaction():
            invitation, secret = joining.invite(town.brand, f"guest{factories.next_number()}@wild.example", "moderator", by=town.adam)

        outcomes = racers.run([(join, (secret, f"Guest {n}")) for n in range(AT_ONCE)])

        assert sum(outcome.won for outcome in outcomes) == 1
        assert {outcome.status for outcome in outcomes} <= {200, 404, 409}, [o.error for o in outcomes if o.status not in (200, 404, 409)]
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(User).where(User.email_key == invitation.email_key)) == 1


def vote(reply_id: int, user_id: int, revision: int) -> int:
    with db.transaction() as session:
        row = peers.vote(
            session.get_one(Reply, reply_id), by=session.get_one(User, user_id), revision=revision, kind=True, answers=True, correct=True, personal=True
        )
        return row.id


@pytest.mark.timeout(3600)
def test_p22_peers_speak_once_with_exactly_their_quorum(town: Town, racers: Racers) -> None:
    """Red without the reply being held while its votes are counted."""
    crowd = [factories.person(f"peer{n}", town.brand, "advocate", password=None, trust=4) for n in range(12)]
    with db.transaction() as session:
        session.get_one(Brand, town.brand.id).settings = {"peer_vetting": True, "peer_quorum": 3, "peer_pair_most": 200}
    for _ in range(rounds(1, 60)):
        reply = factories.submitted(factories.task(town.account), town.ada)

        outcomes = racers.run([(vote, (reply.id, person.id, reply.revision)) for person in crowd for _ in range(2)])

        assert sum(outcome.won for outcome in outcomes) == 3
        assert {outcome.status for outcome in outcomes} == {200, 409}, [o.error for o in outcomes if o.status not in (200, 409)]
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(PeerVote).where(PeerVote.reply_id == reply.id)) == 3
            spoke = select(OutboxEvent.payload).where(OutboxEvent.name == "PeersSpoke")
            assert len([payload for payload in session.scalars(spoke) if payload["reply_id"] == reply.id]) == 1
        with db.transaction():
            moderation.reject(factories.fresh(reply), by=town.cleo, revision=reply.revision, reason="tone")
