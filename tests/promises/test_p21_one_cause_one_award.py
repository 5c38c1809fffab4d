"""P21: one cause, one award: double clicks, replays, jobs delivered again, approve, undo, approve never pay twice; the total is the
sum of the ledger, and the ledger follows from the events."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from sqlalchemy import func, select, text, update

from app.accounts.models import User
from app.kernel import clock, outbox
from app.kernel.db import db
from app.kernel.errors import VouchError
from app.kernel.outbox import Delivery
from community.feedback import actions as feedback
from community.mentions import intake
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.replies import actions as replies
from community.replies import posting
from community.replies.models import Posting, Reply
from community.tasks import actions as tasks
from community.tasks.models import Task
from gamification.points import actions as points
from gamification.points import queries
from gamification.points.models import LedgerEntry
from tests import factories
from tests.harness.promises import dice, rounds
from tests.harness.races import Racers
from tests.promises.conftest import Town

MOVES = (
    "new", "new", "write", "write", "approve", "approve", "approve again", "edit", "return", "hand in", "reject", "pull back", "revise", "post", "post",
    "thank", "thank", "complain", "silence", "deliver", "deliver some", "deliver again", "deliver again",
)  # fmt: skip


A_TOWN = 50
"""Histories of one town: the ledger is worked out anew after each of them, over all the town's events."""


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("place", range(-(-rounds(6, 10_000) // A_TOWN)))
def test_p21_random_histories_pay_once(place: int, town: Town) -> None:
    """Red without the unique cause of the ledger together with the claim of the delivery in `_handle`: each alone settles it."""
    chance = random.Random(f"{dice().random()} {place}")
    for _ in range(min(A_TOWN, rounds(6, 10_000) - place * A_TOWN)):
        story = Story(town, chance)
        for _ in range(chance.randint(5, 40)):
            story.move(chance.choice(MOVES))
        story.end()


class Story:
    """A history in which everybody clicks whatever they see, at once and again."""

    def __init__(self, town: Town, chance: random.Random) -> None:
        self.town, self.chance = town, chance
        self.tasks: list[int] = []
        self.told: list[str] = []
        posts = [factories.incoming(chance.choice([None, None, "You are great #thank"])) for _ in range(6)]
        got = intake.receive(town.account, posts)
        with db.transaction(read_only=True) as session:
            self.coming = list(session.scalars(select(Task.id).where(Task.mention_id.in_(got.mention_ids))))

    def move(self, what: str) -> None:
        self.told.append(what)
        # What can't be done now changes nothing.
        with suppress(VouchError):
            self._move(what)

    def _move(self, what: str) -> None:
        chance = self.chance
        if what == "new":
            if self.coming:
                self.tasks.append(self.coming.pop())
        elif what == "deliver":
            deliver_all()
        elif what == "deliver some":
            with db.transaction(read_only=True) as session:
                waiting = session.scalars(select(Delivery.event_id).where(Delivery.subscriber == points.SUBSCRIBER, Delivery.done_at.is_(None))).all()
            if waiting:
                outbox._handle(points.SUBSCRIBER, chance.choice(waiting))
        elif what == "deliver again":
            with db.transaction() as session:
                ids = session.scalars(select(Delivery.event_id).where(Delivery.subscriber == points.SUBSCRIBER, Delivery.done_at.is_not(None))).all()
                if ids:
                    again = (Delivery.subscriber == points.SUBSCRIBER, Delivery.event_id.in_(chance.sample(ids, min(3, len(ids)))))
                    session.execute(update(Delivery).where(*again).values(done_at=None, next_at=None))
            deliver_all()
        elif what == "post":
            with db.transaction() as session:
                session.execute(update(Posting).where(Posting.next_at.is_not(None)).values(next_at=clock.now()))
            for id_ in posting.due():
                posting.post(id_)
        elif what == "silence":
            with db.transaction() as session:
                session.execute(text("UPDATE task SET answered_at = '2026-01-01 00:00:00' WHERE state = 'answered'"))
            feedback.resolve_silent()
        elif self.tasks:
            with db.transaction() as session:
                self._on(what, session.get_one(Task, chance.choice(self.tasks)))

    def _on(self, what: str, task: Task) -> None:
        town, chance = self.town, self.chance
        writer: User = chance.choice([town.ada, town.ben])
        reviewer: User = chance.choice([town.cleo, town.mo])
        newest = db.session.scalars(select(Reply).where(Reply.task_id == task.id).order_by(Reply.id.desc()).limit(1)).first()
        if what == "write":
            tasks.claim(task, by=writer)
            reply = replies.draft(task, by=writer, text=factories.answer())
            replies.submit(reply, by=writer, revision=reply.revision)
        elif what in ("thank", "complain"):
            asked = db.session.get_one(Mention, task.mention_id)
            words = "Many thanks" if what == "thank" else "It still does not work"
            handle = (asked.author_handle or "").removeprefix("@")
            intake.receive(town.account, [factories.incoming(words, author=handle, parent_ext_id=asked.ext_id)])
        elif newest is None:
            return
        elif what in ("approve", "approve again"):
            for _ in range(2 if what == "approve again" else 1):
                moderation.approve(newest, by=reviewer, revision=newest.revision)
        elif what == "edit":
            moderation.approve(newest, by=reviewer, revision=newest.revision, body=factories.answer())
        elif what == "return":
            moderation.return_(newest, by=reviewer, revision=newest.revision, reason="tone")
        elif what == "reject":
            moderation.reject(newest, by=reviewer, revision=newest.revision, reason="tone")
        elif what == "hand in":
            replies.submit(newest, by=db.session.get_one(User, newest.writer_id), revision=newest.revision)
        elif what == "pull back":
            replies.pull_back(newest, by=reviewer)
        elif what == "revise":
            replies.save(newest, by=db.session.get_one(User, newest.writer_id), text=factories.answer())

    def end(self) -> None:
        deliver_all()
        with db.transaction(read_only=True) as session:
            open_ = session.execute(select(Delivery.subscriber, Delivery.error).where(Delivery.done_at.is_(None))).all()
            assert not [row for row in open_ if row.subscriber == points.SUBSCRIBER], open_
            twice = session.execute(
                select(LedgerEntry.cause_id).group_by(LedgerEntry.cause_id, LedgerEntry.rule, LedgerEntry.user_id).having(func.count() > 1)
            ).all()
            assert twice == []
            for rule in ("approved", "thanked", "first_try"):
                standing = (
                    select(LedgerEntry.subject, func.sum(LedgerEntry.points)).where(LedgerEntry.rule.in_((rule, f"undo_{rule}"))).group_by(LedgerEntry.subject)
                )
                highest = {"approved": 10 + 3 + 5, "thanked": 5, "first_try": 5}[rule]
                assert all(0 <= total <= highest for _, total in session.execute(standing)), (rule, self.told)
            for person in (self.town.ada, self.town.ben, self.town.cleo, self.town.mo):
                lines = session.scalar(select(func.coalesce(func.sum(LedgerEntry.points), 0)).where(LedgerEntry.user_id == person.id))
                assert queries.total(person, self.town.brand) == lines
        assert points.rebuild(check=True).differences == (), self.told


def deliver_all() -> None:
    """Every subscriber hears everything, also what waits for an older fact."""
    for _ in range(20):
        with db.transaction() as session:
            session.execute(update(Delivery).where(Delivery.done_at.is_(None)).values(next_at=None, attempts=0))
            waiting = session.scalars(select(Delivery.subscriber).where(Delivery.done_at.is_(None)).distinct()).all()
        if not waiting:
            return
        for name in waiting:
            outbox.deliver(name, 0)


def hear(event_id: int) -> bool:
    return outbox._handle(points.SUBSCRIBER, event_id)


def test_p21_one_fact_heard_by_many_workers(town: Town, racers: Racers) -> None:
    """Red without the claim on the delivery in `_handle` together with the unique cause."""
    for _ in range(rounds(4, 300)):
        factories.approved(factories.task(town.account), town.ada, town.cleo)
        with db.transaction(read_only=True) as session:
            ids = session.scalars(select(Delivery.event_id).where(Delivery.subscriber == points.SUBSCRIBER, Delivery.done_at.is_(None))).all()
        outcomes = racers.run([(hear, (id_,)) for id_ in ids for _ in range(12)])
        assert {outcome.status for outcome in outcomes} == {200}, [o.error for o in outcomes if not o.won]
        assert sum(outcome.value for outcome in outcomes) == len(ids)
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(LedgerEntry).where(LedgerEntry.cause_id.in_(ids))) == 2


def test_p21_a_lost_and_a_forged_line_are_found_and_put_right(town: Town) -> None:
    """Red when the rebuild looks at anything but the events."""
    for _ in range(3):
        factories.approved(factories.task(town.account), town.ada, town.cleo)
    deliver_all()
    with db.transaction(read_only=True):
        before = queries.total(town.ada, town.brand)
    with db.transaction() as session:
        session.execute(text("DELETE FROM ledger_entry WHERE id = (SELECT min(id) FROM ledger_entry WHERE rule = 'approved')"))
        session.execute(text("UPDATE ledger_entry SET points = 500 WHERE id = (SELECT max(id) FROM ledger_entry WHERE rule = 'approved')"))
    assert len(points.rebuild(check=True).differences) == 2
    points.rebuild()
    assert points.rebuild(check=True).differences == ()
    with db.transaction(read_only=True):
        assert queries.total(town.ada, town.brand) == before
