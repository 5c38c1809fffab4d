"""P07: the approval, its event, its audit entry and the order to post are one transaction: a crash anywhere leaves all or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import event, text

from app.accounts.models import User
from app.kernel import outbox
from app.kernel.db import Base, db
from community.moderation import actions as moderation
from community.replies import actions as replies
from community.replies.models import Reply
from gamification.points.models import LedgerEntry
from tests import factories
from tests.promises.conftest import Town


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
    for name, listener in listeners:
        event.listen(db.engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners:
            event.remove(db.engine, name, listener)


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


WORK = {"approve": approve, "edit and approve": edit_and_approve, "an employee hands in": submit}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", WORK)
def test_p07_a_crash_at_any_statement_leaves_all_or_nothing(kind: str, moment: str, town: Town) -> None:
    """Red with a commit anywhere inside `approve_revision`."""
    work = WORK[kind]
    if kind == "an employee hands in":
        reply, actor = factories.drafted(factories.task(town.account, "It broke #tier_1"), town.tim), town.tim
    else:
        reply, actor = factories.submitted(factories.task(town.account), town.ada), town.cleo
    before = everything()

    for n in range(1, 500):
        with crashing(n, moment, fails) as seen:
            with suppress(Crash):
                work(reply.id, actor.id)
            reached = seen[0]
        if reached < n:
            break
        assert everything() == before, f"half an approval after a crash {moment} statement {n}"

        def work_and_die(n: int = n) -> None:
            with crashing(n, moment, dies):
                work(reply.id, actor.id)

        assert in_a_process_that_dies(work_and_die) == 9
        assert everything() == before, f"half an approval after a death {moment} statement {n}"
    assert n > 15, "the crashes went through the whole of it"

    after = everything()
    assert len(after["posting"]) == 1
    assert len(after["review"]) == 1
    assert [row for row in after["event"] if "ReplyApproved" in row]
    assert [row for row in after["audit_entry"] if "reply.approve" in row]


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
