"""Stories told in a few words on a channel that is answered by hand: a post and its task, an author who comes back, news that spreads.

    northwind = brand()
    ada = person(northwind, "advocate")
    task = told(northwind, "How do I reset it?")                       # a community task
    task = told(northwind, "This is a disgrace", audience="tier_1")   # its case opens with `news()`

`tests.factories` makes single rows; here the triage is told by the test what to say, priority and mood included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import TypeVar

import pytest
from sqlalchemy import func, select

from app import wiring
from app.accounts import brands, passwords, people
from app.accounts.models import Brand, User
from app.config import Config
from app.kernel import outbox
from app.kernel.db import Database, db
from community.channels.actions import channel_named
from community.channels.base import Author, Incoming
from community.mentions.intake import receive
from community.mentions.models import Mention
from community.ports import Audience, Post, Reading, Reason, Route, Signals, TaskKind, ports
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.tasks import actions as tasks
from community.tasks.models import Task
from tests.harness.visitor import PASSWORD

Row = TypeVar("Row")
_numbers = count(1)
CALM = Signals(anger=0.05, technical=0.05, spam=0.01, urgency=0.1, sentiment=0.0, category="question", lang="en", classifier="fixed")


class FixedTriage:
    """Routes every post as it was told to, and reads every next post alike: tests of the road don't depend on a model."""

    def __init__(self) -> None:
        self.audience: Audience = "community"
        self.priority = 10
        self.kind: TaskKind = "answer"
        self.reading: Reading = "thanks"
        self.signals = CALM

    def route(self, brand_id: int, posts: Sequence[Post]) -> list[Route]:
        why = (Reason("as the test says", self.priority),)
        return [Route(self.audience, self.priority, self.kind, why, replace(self.signals, lang=post.lang)) for post in posts]

    def read_mood(self, before: Post, after: Post) -> Reading:
        return self.reading

    def tone(self, text: str) -> float:
        return 0.0


@pytest.fixture
def rooms(db: Database, emptied: Config) -> Database:
    """The database with the rooms joined, and no web in front of them."""
    wiring.wire(emptied)
    return db


@pytest.fixture
def triage(rooms: Database, monkeypatch: pytest.MonkeyPatch) -> FixedTriage:
    """The triage of this test."""
    fixed = FixedTriage()
    monkeypatch.setattr(ports, "triage", fixed)
    return fixed


def brand(slug: str = "northwind", name: str | None = None) -> Brand:
    """A brand with a default channel on which replies are placed by hand."""
    with db.transaction():
        made = brands.found(slug, name or slug.title(), by=None)
        channel_named(made, "forum")
    return made


def person(of: Brand | None, *roles: str, name: str | None = None, email: str | None = None) -> User:
    """Somebody with these roles, who can sign in with the tests' password."""
    number = next(_numbers)
    shown = name or f"{roles[0].title().replace('_', ' ')} {number}"
    with db.transaction():
        for role in roles:
            user, _ = people.add_person(email or f"{roles[0]}{number}@{of.slug if of else 'vouch'}.example", name=shown, role=role, brand=of, by=None)
        user.password_hash = passwords.hashed(PASSWORD)
    return user


def told(
    of: Brand,
    text: str = "How do I reset it?",
    *,
    audience: Audience = "community",
    priority: int = 10,
    kind: TaskKind = "answer",
    author: str = "petra",
    lang: str = "en",
    posted_at: datetime | None = None,
) -> Task:
    """A post that reached us and its task. Needs the `triage` fixture."""
    fixed = ports.triage
    assert isinstance(fixed, FixedTriage), "ask for the `triage` fixture"
    fixed.audience, fixed.priority, fixed.kind = audience, priority, kind
    number = next(_numbers)
    with db.transaction():
        account = channel_named(of, None)
    post = Incoming(
        ext_id=f"p{number}", text=text, author=Author(ext_id=author, handle=author), created_at=posted_at, lang=lang, url=f"https://forum.example/{number}"
    )
    got = receive(account, [post])
    return task_of(got.mention_ids[0])


def came_back(task: Task, text: str = "Thank you!", *, reading: Reading = "thanks", audience: Audience = "community") -> None:
    """The author's next post under ours."""
    fixed = ports.triage
    assert isinstance(fixed, FixedTriage)
    fixed.reading, fixed.audience = reading, audience
    with db.transaction(read_only=True) as session:
        asked = session.get_one(Mention, fresh(task).mention_id)
        account = channel_named(session.get_one(Brand, task.brand_id), None)
    author = Author(ext_id=asked.author_ext_id, handle=asked.author_handle)
    receive(account, [Incoming(ext_id=f"p{next(_numbers)}", text=text, author=author, created_at=None, parent_ext_id=asked.ext_id, lang="en")])


def handed_in(task: Task, by: User, text: str = "Hold the small button for ten seconds, then wait for the light.") -> Reply:
    """Claimed, written, handed in."""
    with db.transaction():
        tasks.claim(fresh(task), by=by)
        reply = replies.draft(fresh(task), by=by, text=text)
        replies.submit(reply, by=by, revision=reply.revision)
    return reply


def placed(posting: Posting, by: User) -> None:
    """The writer put it on the network by hand."""
    with db.transaction():
        replies.confirm_by_hand(fresh(posting), by=by, url="https://forum.example/answers/1")


def news(*only: str) -> None:
    """Spread what happened until there is nothing more to tell; `only` to these subscribers, where the facts are invented."""
    waits = [outbox.Delivery.done_at.is_(None), *([outbox.Delivery.subscriber.in_(only)] if only else [])]
    for _ in range(50):
        with db.transaction(read_only=True) as session:
            # Who has the oldest news first: without an order PostgreSQL names them in any.
            oldest = (
                select(outbox.Delivery.subscriber)
                .where(*waits)
                .group_by(outbox.Delivery.subscriber)
                .order_by(func.min(outbox.Delivery.event_id), outbox.Delivery.subscriber)
            )
            waiting = session.scalars(oldest).all()
        if not waiting:
            return
        for subscriber in waiting:
            outbox.deliver(subscriber, 0)
    with db.transaction(read_only=True) as session:
        stuck = session.execute(select(outbox.Delivery.subscriber, outbox.Delivery.error).where(*waits)).all()
    raise AssertionError(f"news that nobody takes: {stuck}")


def task_of(mention_id: int) -> Task:
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Task).where(Task.mention_id == mention_id)).one()


def fresh(row: Row) -> Row:
    """The same row as it is now; inside a transaction it belongs to it."""
    with db.transaction(read_only=True) as session:
        found = session.get(type(row), row.id, populate_existing=True)  # type: ignore[attr-defined]
        assert found is not None
        return found
