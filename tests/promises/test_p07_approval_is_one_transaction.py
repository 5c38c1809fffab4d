"""P07: the approval, its event, its audit entry and the order to post are one transaction: a crash anywhere leaves all or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import select, text

from app.accounts.models import User
from app.kernel import outbox
from app.kernel.db import Base, db
from community.incidents import answers as incident_answers
from community.incidents.models import Incident
from community.moderation import actions as moderation
from community.moderation import appeals
from community.replies import actions as replies
from community.replies.models import Reply
from community.tasks import actions as tasks
from community.tasks.models import Task
from gamification.points.models import LedgerEntry
from tests import factories
from tests.harness.statements import listening
from tests.promises.conftest import Town
from tests.promises.test_p04_only_what_was_approved import replies_late
from tests.stories import news


class Crash(Exception):
    """The machine stops here."""


def approve(reply_id: int, reviewer_id: int) -> None:
    with db.transaction() as session:
        reply = session.get_one(Reply, reply_id)
        moderation.approve(reply, by=session.get_one(User, reviewer_id), revision=reply.revision)


def edit_and_approve(reply_id: int, reviewer_id: int) -> None:
    with db.transaction() as session:
        reply = session.get_one(Reply, reply_id)
        moderation.approve(reply, by=session.get_one(User, reviewer_id), revision=reply.revision, body=factories.answer())


def submit(reply_id: int, writer_id: int) -> None:
    with db.transaction() as session:
        reply = session.get_one(Reply, reply_id)
        replies.submit(reply, by=session.get_one(User, writer_id), revision=reply.revision)


@contextmanager
def crashing(n: int, moment: str, crash: Callable[[], Any]) -> Iterator[list[int]]:
    """The n-th statement from now (BEGIN and COMMIT included) meets the crash, `before` or `after` it ran. Yields a counter."""
    seen = [0]

    def count(*_: Any) -> None:
        seen[0] += 1
        if seen[0] == n:
            crash()

    listeners: list[tuple[str, Callable[..., Any]]] = [(f"{moment}_cursor_execute", count)]
    if moment == "before":
        listeners.append(("commit", count))
    with ExitStack() as heard:
        for name, listener in listeners:
            heard.enter_context(listening(name, listener))
        yield seen


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with db.transaction(read_only=True) as session:
        return {table.name: sorted(map(tuple, session.execute(text(f'SELECT * FROM "{table.name}"'))), key=repr) for table in Base.metadata.sorted_tables}


def dies() -> None:
    os._exit(9)


def fails() -> None:
    raise Crash


def in_a_process_that_dies(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def uphold_and_send(reply_id: int, moderator_id: int) -> None:
    with db.transaction() as session:
        asked = appeals.about(session.get_one(Reply, reply_id))
        assert asked is not None
        appeals.decide(asked, by=session.get_one(User, moderator_id), uphold=True, note="It is right.", send=True)


def approve_variants(reply_id: int, reviewer_id: int) -> None:
    with db.transaction(read_only=True) as session:
        incident_id = session.get_one(Reply, reply_id).incident_id
        chosen = session.execute(select(Reply.id, Reply.revision).where(Reply.incident_id == incident_id).order_by(Reply.id)).all()
        by = session.get_one(User, reviewer_id)
    assert incident_id is not None
    incident_answers.approve(incident_id, by=by, chosen=[(id_, revision) for id_, revision in chosen])


WORK = {
    "approve": approve,
    "edit and approve": edit_and_approve,
    "an employee hands in": submit,
    "a late one is approved": approve,
    "an appeal is upheld and sent": uphold_and_send,
    "variants are approved together": approve_variants,
}


def staged(kind: str, town: Town) -> tuple[int, int, int]:
    """The reply it is about, who acts, and how many approvals that makes."""
    if kind == "an employee hands in":
        return factories.drafted(factories.task(town.account, "It broke #tier_1"), town.tim).id, town.tim.id, 1
    if kind == "variants are approved together":
        story = factories.story()
        made = [factories.task(town.account, f"{story} {author}", author=author) for author in ("sam", "tara", "ulla")]
        news()
        with db.transaction() as session:
            incident = session.scalars(select(Incident)).one()
            tasks.claim(factories.fresh(made[0]), by=town.ada)
            incident_answers.write(incident, by=town.ada, body=factories.answer(), openings=["Hi {name},"])
        done = incident_answers.hand_in(incident.id, by=town.ada)
        return done[0].reply_id or 0, town.cleo.id, 3
    reply = factories.submitted(factories.task(town.account), town.ada)
    if kind == "an appeal is upheld and sent":
        with db.transaction():
            moderation.reject(factories.fresh(reply), by=town.cleo, revision=1, reason="incorrect")
            appeals.appeal(factories.fresh(reply), by=town.ada, words="The manual says so.")
        return reply.id, town.mo.id, 1
    if kind == "a late one is approved":
        with db.transaction() as session:
            late = replies_late(session.get_one(Task, reply.task_id), town)
        return late.id, town.cleo.id, 1
    return reply.id, town.cleo.id, 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", WORK)
def test_p07_a_crash_at_any_statement_leaves_all_or_nothing(kind: str, moment: str, town: Town) -> None:
    """Red with a commit anywhere inside `approve_revision`."""
    work = WORK[kind]
    reply_id, actor_id, approvals = staged(kind, town)
    before = everything()

    for n in range(1, 500):
        with crashing(n, moment, fails) as seen:
            with suppress(Crash):
                work(reply_id, actor_id)
            reached = seen[0]
        if reached < n:
            break
        assert everything() == before, f"half an approval after a crash {moment} statement {n}"

        def work_and_die(n: int = n) -> None:
            with crashing(n, moment, dies):
                work(reply_id, actor_id)

        assert in_a_process_that_dies(work_and_die) == 9
        assert everything() == before, f"half an approval after a death {moment} statement {n}"
    assert n > 15, "the crashes went through the whole of it"

    after = everything()
    assert len(after["posting"]) == approvals
    assert len([row for row in after["review"] if "approve" in row]) == approvals
    assert len([row for row in after["event"] if "ReplyApproved" in row]) == approvals
    assert len([row for row in after["audit_entry"] if "reply.approve" in row]) == approvals


def test_p07_the_points_follow_once_whatever_happens_to_the_delivery(town: Town) -> None:
    """Red when `_handle` closes the delivery in a transaction of its own: before the effect points are lost."""
    factories.approved(factories.task(town.account), town.ada, town.cleo)

    for moment in ("before", "after"):
        for n in range(1, 500):
            with crashing(n, moment, fails) as seen:
                with suppress(Crash):
                    outbox._handle("award_points", _approval())
                reached = seen[0]
            if reached < n:
                break
            with db.transaction() as session:
                session.execute(text("UPDATE delivery SET next_at = NULL"))
            done, lines = _standing()
            assert lines == (2 if done else 0), "points and delivery belong together"
    outbox.deliver("award_points", 0)
    outbox.deliver("award_points", 0)
    assert _standing() == (True, 2)


def _approval() -> int:
    with db.transaction(read_only=True) as session:
        return int(session.scalars(text("SELECT id FROM event WHERE name = 'ReplyApproved'")).one())


def _standing() -> tuple[bool, int]:
    with db.transaction(read_only=True) as session:
        done = session.scalars(text("SELECT count(*) FROM delivery WHERE subscriber = 'award_points' AND done_at IS NOT NULL")).one()
        return bool(done), session.query(LedgerEntry).count()
