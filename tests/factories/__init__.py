"""Small believable rows, made through the real verbs, for stories that begin in the middle of the road.

Call them inside or outside of a transaction; each opens its own where none is open. `wire(config)` comes first where
there is no application.
"""

from __future__ import annotations

import itertools
import json
import random
from typing import Any, TypeVar

from sqlalchemy import select, update

from app import wiring
from app.accounts import brands, passwords, people
from app.accounts.models import Brand, RoleName, User
from app.config import Config
from app.kernel import crypto
from app.kernel.db import db
from community.advocates.models import Advocate
from community.answers import actions as answers
from community.answers import recalls
from community.answers.models import Correction, Use
from community.channels.actions import add_channel
from community.channels.base import Author, Incoming
from community.channels.models import ChannelAccount
from community.incidents.models import Incident
from community.mentions import intake
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.ports import ports
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.tasks import actions as tasks
from community.tasks.models import LIVE, Claim, Task
from tests.fakes.network import SECRET
from tests.fakes.triage import TellingTriage
from tests.harness.visitor import PASSWORD

Row = TypeVar("Row", Task, Reply, Posting, Mention, Brand, User, ChannelAccount, Incident)

_numbers = itertools.count(1)
SYLLABLES = [a + b for a in "bdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "ai", "ou")]


def wire(config: Config) -> None:
    """Join the rooms as the application does, with a triage that does as the post says. `ports.triage` is put back by whoever needs the real one."""
    wiring.wire(config)
    ports.triage = TellingTriage()


def brand(slug: str = "northwind", name: str = "Northwind", **settings: Any) -> Brand:
    """A brand; `settings` are its own choices, as `hold_seconds=60`."""
    with db.transaction():
        made = brands.found(slug, name, by=None)
        made.settings = settings
    return made


def person(name: str, brand: Brand | None, *roles: RoleName, password: str | None = PASSWORD, trust: int = 0) -> User:
    """Somebody with these roles in the brand, who signs in as `name@slug.example`."""
    email = f"{name}@{brand.slug if brand else 'vouch'}.example"
    with db.transaction() as session:
        made = None
        for role in roles:
            made, _ = people.add_person(email, name=f"{name.title()} Example", role=role, brand=brand if role != "owner" else None, by=None)
        assert made is not None, "a person here has a role"
        if password is not None:
            made.password_hash = passwords.hashed(password)
        if trust and brand is not None:
            session.execute(update(Advocate).where(Advocate.user_id == made.id, Advocate.brand_id == brand.id).values(trust_level=trust))
    return made


def account(brand: Brand, name: str = "wave", *, reply_url: str | None = None, kind: str = "webhook", **settings: str) -> ChannelAccount:
    """A connected channel that signs with the fake network's secret; without `reply_url` its replies are placed by hand."""
    with db.transaction() as session:
        wanted = settings | ({"reply_url": reply_url} if reply_url else {})
        made, _ = add_channel(brand, kind, name, wanted)
        if kind == "webhook":
            made.secrets = crypto.encrypt(json.dumps({"signing": [SECRET]}))
        session.flush()
    return made


def incoming(text: str | None = None, *, ext_id: str | None = None, author: str = "kettle", **more: Any) -> Incoming:
    """An outside post as an adapter hands it in."""
    n = next(_numbers)
    return Incoming(ext_id=ext_id or f"post-{n}", text=text or f"How do I reset number {n}?", author=Author(f"id-{author}", author), **more)


def mention(account: ChannelAccount, text: str | None = None, **more: Any) -> Mention:
    """A post that came in."""
    got = intake.receive(account, [incoming(text, **more)])
    with db.transaction(read_only=True) as session:
        return session.get_one(Mention, got.mention_ids[0])


def task(account: ChannelAccount, text: str | None = None, **more: Any) -> Task:
    """An open task about a post of its own; its text may say for whom (`#tier_1`)."""
    made = mention(account, text, **more)
    return task_of(made)


def task_of(mention: Mention) -> Task:
    """The live task of a post's conversation."""
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Task).where(Task.conversation_id == mention.conversation_id, Task.state.in_(LIVE))).one()


def story() -> str:
    """What several people tell alike, in words that nobody used before. It begins in plain English: invented words alone are read as any language."""
    return f"What do I do when it is like this and not as you said: {answer().partition(': ')[2]}"


def claimed(task: Task, by: User) -> Claim:
    """The person's hold on the task."""
    with db.transaction():
        return tasks.claim(fresh(task), by=by)


def next_number() -> int:
    """A number nobody had before, to make names of."""
    return next(_numbers)


def answer(n: int | None = None) -> str:
    """Words nobody has used before, so that no reply is a near-copy of another."""
    n = next(_numbers) if n is None else n
    chance = random.Random(n)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 3))) for _ in range(14)]
    return f"Answer {n}: " + " ".join(words)


def drafted(task: Task, by: User, text: str | None = None) -> Reply:
    """Claimed if need be, and begun."""
    with db.transaction():
        held = tasks.live_claim(task)
        if held is None or held.user_id != by.id:
            tasks.claim(fresh(task), by=by)
        return replies.draft(fresh(task), by=by, text=answer() if text is None else text)


def submitted(task: Task, by: User, text: str | None = None) -> Reply:
    """A reply that waits for a moderator."""
    reply = drafted(task, by, text)
    with db.transaction():
        return replies.submit(fresh(reply), by=by, revision=reply.revision)


def approved(task: Task, by: User, reviewer: User, text: str | None = None) -> Posting:
    """The order to post a reply that a moderator approved."""
    reply = submitted(task, by, text)
    with db.transaction():
        return moderation.approve(fresh(reply), by=reviewer, revision=reply.revision)


def fresh(row: Row) -> Row:
    """The row as the database has it now."""
    with db.transaction(read_only=True) as session:
        return session.get_one(type(row), row.id, populate_existing=True)


def recalled(posting: Posting, by: User, *, title: str = "Where is the button?", words: str = "") -> Correction:
    """The correction of a posted reply, which rests on an answer that was changed; it waits for its task."""
    with db.transaction() as session:
        brand = session.get_one(Brand, posting.brand_id)
        made = answers.add(brand, by=by, title=f"{title}{words}", body=f"On the back.{words}", lang="en")
        session.add(Use(brand_id=brand.id, reply_id=posting.reply_id, answer_id=made.id, version=1, revision=1, at=posting.created_at))
        answers.revise(made, by=by, title=f"{title}{words}", body=f"On the side.{words}", why=f"new model{words}", based_on=1)
        recall = recalls.recall(made, by=by, fact=f"It moved to the side.{words}")
        return session.scalars(select(Correction).where(Correction.recall_id == recall.id)).one()
