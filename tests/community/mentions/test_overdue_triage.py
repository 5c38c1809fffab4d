"""What nobody decided in time goes to tier 1: many at once in a few batches, none twice, and nothing out of anybody's hands."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.kernel import outbox
from app.kernel.db import db
from community.channels.actions import channel_named
from community.channels.base import Author, Incoming
from community.mentions import actions
from community.mentions.intake import receive
from community.mentions.models import Decision, Mention
from community.tasks.models import Task
from escalation.cases.models import Case
from tests.stories import FixedTriage, brand, came_back, news, person, rooms, told, triage

__all__ = ["rooms", "triage"]


def test_a_flood_goes_to_tier_1_in_batches(triage: FixedTriage, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red when each is a piece of news by itself: 9,200 took nearly half an hour."""
    monkeypatch.setattr(actions, "BATCH", 3)
    northwind = brand()
    tim = person(northwind, "tier_1")
    asked = told(northwind, author="asker")
    triage.audience = "triage"
    with db.transaction():
        account = channel_named(northwind, None)
    posts = [Incoming(f"u{n}", f"Is it number {n}?", Author(f"a{n}", f"a{n}"), None, lang="en") for n in range(6)]
    mention_ids = receive(account, [*posts, Incoming("u6", "And another thing", Author("a5", "a5"), None, parent_ext_id="u5", lang="en")]).mention_ids
    came_back(asked, "Hm?", reading="other", audience="triage")
    clock.shift(timedelta(minutes=14))
    assert actions.send_overdue_triage() == 0
    with db.transaction():
        actions.reroute(db.session.get_one(Mention, mention_ids[0]), "tier_2", by=tim)
    clock.shift(timedelta(minutes=2))
    assert actions.send_overdue_triage() == 7
    assert actions.send_overdue_triage() == 0
    news()
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Decision).where(Decision.superseded_at.is_(None), Decision.audience == "triage")) == 0
        tasks = session.execute(select(Task.mention_id, Task.audience).order_by(Task.mention_id)).all()
        assert [tuple(row) for row in tasks] == [(asked.mention_id, "tier_1"), (mention_ids[0], "tier_2"), *((id_, "tier_1") for id_ in mention_ids[1:6])]
        assert session.scalar(select(func.count()).select_from(Case)) == len(tasks)
        told_of = session.scalars(select(outbox.OutboxEvent).where(outbox.OutboxEvent.name == "TasksOpened").order_by(outbox.OutboxEvent.id)).all()
    assert [len(one.payload["task_ids"]) for one in told_of if one.payload["audience"] == "tier_1"] == [3, 2]
