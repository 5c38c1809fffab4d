"""Replies that were posted before outcomes were kept: the migration fills in what news would have told, and tells nothing twice."""

from __future__ import annotations

import importlib.util
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
import time_machine
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import delete, select

from app.kernel.db import db
from community.feedback import links, receipts
from community.feedback.actions import resolve_silent
from community.feedback.models import Outcome
from community.replies.models import Posting, Reply
from tests.community.conftest import Town
from tests.community.feedback.test_outcomes import posted, wrote_again
from tests.stories import news

__all__ = ["posted"]

FILE = Path(__file__).parents[3] / "migrations/versions/20261122_0900_earlier_outcomes.py"


@pytest.fixture
def step() -> ModuleType:
    spec = importlib.util.spec_from_file_location("earlier_outcomes", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(step: ModuleType, way: str = "upgrade") -> None:
    with db.transaction() as session, Operations.context(MigrationContext.configure(session.connection())):
        getattr(step, way)()


def lines() -> set[tuple[object, ...]]:
    told = (Outcome.user_id, Outcome.part, Outcome.kind, Outcome.task_id, Outcome.reply_id, Outcome.mention_id, Outcome.times, Outcome.place)
    with db.transaction(read_only=True) as session:
        return {tuple(row) for row in session.execute(select(*told))}


def forget() -> None:
    with db.transaction() as session:
        session.execute(delete(Outcome))


def test_thanks_readers_and_silence_are_filled_in_as_news_told_them(town: Town, posted: Posting, step: ModuleType) -> None:
    with db.transaction() as session:
        token = links.receipt_for(session.get_one(Reply, posted.reply_id)).token
    for address in ("192.0.2.1", "192.0.2.2"):
        with db.transaction():
            receipts.say(token, "helped", address=address)
    news()
    wrote_again(posted, "Thank you so much, thanks a lot", "again")
    told = lines()
    assert len(told) == 9, "the writer, a peer and the moderator: posted, helped twice, thanked"
    forget()
    run(step)
    assert lines() == told
    run(step)
    assert lines() == told
    run(step, "downgrade")
    assert lines() == set()


def test_silence_settles_it_there_as_well(town: Town, posted: Posting, step: ModuleType) -> None:
    with time_machine.travel(posted.created_at + timedelta(hours=73)):
        assert resolve_silent() == 1
        news()
    told = lines()
    assert {kind for _, _, kind, *_ in told} == {"posted", "settled"}
    forget()
    run(step)
    assert lines() == told


def test_what_is_on_its_way_to_them_is_left_to_the_news(town: Town, posted: Posting, step: ModuleType) -> None:
    """Red without the look at open deliveries: everybody would hear of the thanks twice."""
    from app.kernel.outbox import Delivery

    forget()
    with db.transaction() as session:
        for row in session.scalars(select(Delivery).where(Delivery.subscriber == "keep_outcomes")):
            row.done_at = None
    run(step)
    assert lines() == set()
    news()
    assert {kind for _, _, kind, *_ in lines()} == {"posted"}
    run(step)
    assert len(lines()) == 3
