"""Listen, decide, open: how outside posts come in.

Posts travel in batches. `prepare` is pure and does the heavy thinking (language, route) before any lock is
taken; `store` writes a batch in a handful of statements: mentions once, conversations joined whatever the order
posts came in, decisions, tasks, one event for each kind of fact. A poll's cursor moves in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update

from app.kernel import clock, live
from app.kernel.db import among, db, insert_many
from app.kernel.outbox import record
from app.kernel.text import storable
from app.notices.actions import forget_words
from community.answers import search
from community.channels.base import Author, Incoming
from community.channels.models import ChannelAccount
from community.events import MentionsReceived, TasksOpened
from community.feedback.actions import read_follow_up, says_settled, settled_by_author
from community.mentions import threads
from community.mentions.models import Decision, Mention
from community.mentions.text import languages, readable
from community.ports import Post, Route, ports
from community.replies import withdrawal
from community.tasks import actions as task_actions
from community.tasks import finding
from community.tasks.models import LIVE, Task
from community.tasks.rules import lane_of

BATCH = 500
"""Posts per transaction: large enough to spread the cost of statements, small enough that a writer waits a moment at most."""
EARLIEST = datetime.min.replace(tzinfo=UTC)
ID_LIMIT = 255
TIERS = ("community", "tier_1", "tier_2")
"""Audiences that open a task, in the order in which a conversation can move up."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A post with everything decided about it that needs no database."""

    post: Incoming
    text: str
    lang: str
    route: Route | None
    """None for the brand's own posts: nobody answers those."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the rest of its batch asks about a stored post. Rows of the session for thousands of them would cost more than storing them."""

    id: int
    conversation_id: int
    posted_at: datetime
    by_brand: bool
    kind: str
    lang: str
    text: str


@dataclass(slots=True)
class Received:
    stored: int = 0
    known: int = 0
    routes: Counter[str] = field(default_factory=Counter)
    mention_ids: list[int] = field(default_factory=list)

    def __add__(self, other: Received) -> Received:
        return Received(self.stored + other.stored, self.known + other.known, self.routes + other.routes, self.mention_ids + other.mention_ids)


def receive(account: ChannelAccount, posts: Sequence[Incoming], *, cursor: str | None = None, gone: Sequence[str] = ()) -> Received:
    """Take in any number of posts; what is known already changes nothing. The cursor moves with the last batch it covers."""
    total = Received()
    chunks = [posts[i : i + BATCH] for i in range(0, len(posts), BATCH)] or [posts]
    for number, chunk in enumerate(chunks, 1):
        fresh = unknown(account, chunk)
        prepared = prepare(account.brand_id, fresh)
        last = number == len(chunks)
        got = store(account, prepared, cursor=cursor if last else None, gone=gone if last else ())
        got.known += len(chunk) - len(fresh)
        total = total + got
    return total


def unknown(account: ChannelAccount, posts: Sequence[Incoming]) -> list[Incoming]:
    """The posts we have not stored yet, each once; of those we have, the words are put right where their author changed them.

    Only a saving of work: `store` looks again under its lock.
    """
    once = list({post.ext_id: post for post in map(_fitting, posts)}.values())
    with db.transaction(read_only=True) as session:
        asked = (Mention.account_id == account.id, Mention.ext_id.in_([post.ext_id for post in once]))
        have = {row.ext_id: row for row in session.execute(select(Mention.id, Mention.ext_id, Mention.text, Mention.by_brand, Mention.gone_at).where(*asked))}
    changed = {
        row.id: storable(post.text)
        for post in once
        if (row := have.get(post.ext_id)) is not None and not row.by_brand and row.gone_at is None and row.text != storable(post.text)
    }
    if changed:
        _amend(account, changed)
    return [post for post in once if post.ext_id not in have]


def _amend(account: ChannelAccount, texts: Mapping[int, str]) -> None:
    """Keep what the authors say now. What was approved as an answer to the former words is held back when its moment comes (`replies.posting`)."""
    now = clock.now()
    with db.transaction() as session:
        for mention in session.scalars(select(Mention).where(Mention.id.in_(texts)).order_by(Mention.id).with_for_update(key_share=True)):
            if mention.gone_at is None and mention.text != texts[mention.id]:
                mention.text, mention.edited_at = texts[mention.id], now
                # Marked words are places in the former text.
                session.execute(update(Decision).where(Decision.mention_id == mention.id, Decision.superseded_at.is_(None)).values(words=[]))
        finding.put_anew(list(texts))
        db.after_commit(lambda: live.bump(account.brand_id, "desk", "cases", "mentions", "reviews"), key=("intake", account.brand_id))


def prepare(brand_id: int, posts: Sequence[Incoming]) -> list[Prepared]:
    """Language and route of each post: no database, so it may run in another process."""
    texts = [storable(post.text) for post in posts]
    clean = [readable(text) for text in texts]
    langs = languages(clean, [post.lang for post in posts])
    asked = [i for i, post in enumerate(posts) if not post.author.is_ours]
    routes = ports.triage.route(
        brand_id,
        [Post(text=texts[i], lang=langs[i], followers=posts[i].author.followers, private=posts[i].private, kind=posts[i].kind) for i in asked],
    )
    by_place = dict(zip(asked, routes, strict=True))
    return [Prepared(post, texts[i], langs[i], by_place.get(i)) for i, post in enumerate(posts)]


def store(account: ChannelAccount, prepared: Sequence[Prepared], *, cursor: str | None = None, gone: Sequence[str] = ()) -> Received:
    """Write one batch in one transaction, and move the cursor with it."""
    with db.transaction() as session:
        # One batch of an account at a time: two pollers handing in the same thread must not both found its conversation.
        locked = session.scalars(select(ChannelAccount).where(ChannelAccount.id == account.id).with_for_update(key_share=True)).one()
        if cursor is not None:
            locked.cursor = cursor
        have = _known(account.id, [p.post.ext_id for p in prepared])
        fresh = [p for p in prepared if p.post.ext_id not in have]
        received = Received(stored=len(fresh), known=len(prepared) - len(fresh))
        if fresh:
            _write(locked, fresh, received)
        if gone:
            _redact(locked, gone)
    return received


# Writing a batch


def _write(account: ChannelAccount, fresh: Sequence[Prepared], received: Received) -> None:
    now = clock.now()
    joined = threads.join(account, [p.post for p in fresh], now)
    mentions = _insert_mentions(account, fresh, joined, now)
    received.mention_ids = [m.id for m in mentions]
    routed = [(m, p.route) for m, p in zip(mentions, fresh, strict=True) if p.route is not None]
    if routed:
        db.session.execute(insert(Decision), [decision_values(account.brand_id, m.id, route, now) for m, route in routed])
    received.routes.update(route.audience for _, route in routed)
    _open_tasks(account, list(zip(mentions, [p.route for p in fresh], strict=True)), now)
    record(MentionsReceived(account.brand_id, account.id, received.mention_ids, dict(received.routes)))
    bump = ["desk", "cases", "mentions"] + (["triage"] if received.routes["triage"] else [])
    db.after_commit(lambda: live.bump(account.brand_id, *bump), key=("intake", account.brand_id))


def _insert_mentions(account: ChannelAccount, fresh: Sequence[Prepared], joined: dict[str, int], now: datetime) -> list[Stored]:
    rows: list[dict[str, Any]] = [
        {
            "brand_id": account.brand_id,
            "account_id": account.id,
            "ext_id": p.post.ext_id,
            "conversation_id": joined[p.post.ext_id],
            "parent_ext_id": p.post.parent_ext_id,
            "author_ext_id": _clean(p.post.author.ext_id, 255),
            "author_handle": _clean(p.post.author.handle, 255),
            "author_name": _clean(p.post.author.name, 255),
            "followers": p.post.author.followers,
            "text": p.text,
            "lang": p.lang,
            "url": _clean(p.post.url, 2000),
            "kind": p.post.kind,
            "private": p.post.private,
            "by_brand": p.post.author.is_ours,
            "posted_at": p.post.created_at or now,
            "received_at": now,
            "gone_at": None,
            "edited_at": None,
            "reply_ref": dict(p.post.reply_ref),
            "summons": sorted(p.post.summons),
            "raw": dict(p.post.raw),
            "posting_id": None,
        }
        for p in fresh
    ]
    return [
        Stored(id_, row["conversation_id"], row["posted_at"], row["by_brand"], row["kind"], row["lang"], row["text"])
        for id_, row in zip(insert_many(Mention, rows), rows, strict=True)
    ]


def decision_values(brand_id: int, mention_id: int, route: Route, at: datetime, by_id: int | None = None) -> dict[str, Any]:
    """A route as the row that keeps it."""
    s = route.signals
    return {
        "brand_id": brand_id,
        "mention_id": mention_id,
        "at": at,
        "audience": route.audience,
        "priority": route.priority,
        "kind": route.kind,
        "anger": s.anger,
        "technical": s.technical,
        "spam": s.spam,
        "urgency": s.urgency,
        "sentiment": s.sentiment,
        "category": s.category,
        "tags": list(route.tags),
        "reasons": [{"text": reason.text, "points": reason.points, "rule": reason.rule} for reason in route.reasons],
        "words": [[w.signal, w.start, w.end, round(w.weight, 3)] for w in s.words],
        "policy": route.policy,
        "classifier": s.classifier,
        "by_id": by_id,
        "superseded_at": None,
    }


def _known(account_id: int, ext_ids: Sequence[str]) -> set[str]:
    return set(db.session.scalars(select(Mention.ext_id).where(Mention.account_id == account_id, Mention.ext_id.in_(ext_ids)))) if ext_ids else set()


def _fitting(post: Incoming) -> Incoming:
    """Adapters refuse ids that no column holds. One that came through all the same costs no other post of its batch."""
    ids = (post.ext_id, post.parent_ext_id, post.thread_id)
    if all(name is None or (len(name) <= ID_LIMIT and storable(name) == name) for name in ids):
        return post
    ext_id, parent, thread = (name and _fitting_id(name) for name in ids)
    return replace(post, ext_id=ext_id or "", parent_ext_id=parent, thread_id=thread)


def _fitting_id(name: str) -> str:
    if len(name) <= ID_LIMIT and storable(name) == name:
        return name
    return "sha256:" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _clean(value: str | None, most: int) -> str | None:
    return storable(value)[:most] if value else None


# Tasks: one a conversation


@dataclass(slots=True)
class _Opening:
    """A task to be, while the batch is read."""

    mention: Stored
    route: Route
    audience: str
    priority: int


def _open_tasks(account: ChannelAccount, read: Sequence[tuple[Stored, Route | None]], now: datetime) -> None:
    """Walk the batch in time order and give every conversation what it needs: a new task, a nudge to its task, or its end."""
    threads = {mention.conversation_id for mention, _ in read}
    latest, answered_at = _latest_tasks(threads), _brand_wrote_at(threads)
    opening: dict[int, _Opening] = {}
    for mention, route in sorted(read, key=lambda pair: pair[0].posted_at):
        task, plan = latest.get(mention.conversation_id), opening.get(mention.conversation_id)
        if mention.by_brand:
            opening.pop(mention.conversation_id, None)
            if task is not None and mention.posted_at < _asked_at(task):
                continue  # older than the question, whenever it reached us: no answer to it
            # A reply of ours may come back to us before its worker has heard that it is out.
            if task is not None and task.state in ("open", "claimed", "in_review") and not withdrawal.may_be_out(task):
                task_actions.cancel(task, because="answered_by_brand", by=None)
        elif route is None or mention.kind == "article":
            continue
        elif plan is not None:
            _raise(plan, route)
        elif task is not None and task.state in ("answered", "resolved"):
            if mention.posted_at < _asked_at(task):
                continue  # an older post that reached us late is no word on our answer
            post = db.session.get_one(Mention, mention.id)
            if read_follow_up(task, post, route) == "new":
                if task.state == "resolved":
                    _plan(opening, mention, route)
                elif route.audience in TIERS and route.kind != "thank":
                    # Somebody else asks in a thread we answered: its one task takes that up as well.
                    task_actions.reopen(task, post, because="another_author")
                    if TIERS.index(route.audience) > TIERS.index(task.audience):
                        task_actions.escalate(task, route.audience, because="another_author", by=None)
        elif task is not None and task.state in ("open", "claimed", "in_review"):
            if says_settled(mention.text) and settled_by_author(task, db.session.get_one(Mention, mention.id), route):
                continue
            if route.audience in TIERS and TIERS.index(route.audience) > TIERS.index(task.audience):
                task_actions.escalate(task, route.audience, because="author_wrote_again", by=None)
            task.priority = max(task.priority, route.priority)
        elif mention.posted_at > answered_at.get(mention.conversation_id, EARLIEST):
            _plan(opening, mention, route)
    _insert_tasks(account, opening.values(), now)


def _asked_at(task: Task) -> datetime:
    return db.session.get_one(Mention, task.mention_id).posted_at


def _brand_wrote_at(threads: Collection[int]) -> dict[int, datetime]:
    """When the brand last wrote by itself in each conversation: what was asked before that needs no task."""
    wrote = (Mention.conversation_id.in_(threads), Mention.by_brand.is_(True), Mention.posting_id.is_(None))
    return dict(db.session.execute(select(Mention.conversation_id, func.max(Mention.posted_at)).where(*wrote).group_by(Mention.conversation_id)).all())


def _plan(opening: dict[int, _Opening], mention: Stored, route: Route) -> None:
    if route.audience in TIERS:
        opening[mention.conversation_id] = _Opening(mention, route, route.audience, route.priority)


def _raise(plan: _Opening, route: Route) -> None:
    if route.audience in TIERS and TIERS.index(route.audience) > TIERS.index(plan.audience):
        plan.audience = route.audience
    plan.priority = max(plan.priority, route.priority)


def _latest_tasks(conversation_ids: Iterable[int]) -> dict[int, Task]:
    """Each conversation's live task, else its newest: where conversations were merged the live one need not be the newest."""
    ids = list(conversation_ids)
    newest = select(func.max(Task.id)).where(Task.conversation_id.in_(ids)).group_by(Task.conversation_id)
    live = select(Task.id).where(Task.conversation_id.in_(ids), among(Task.state, *LIVE))
    found = db.session.scalars(threads.held(select(Task).where(or_(Task.id.in_(newest), Task.id.in_(live))))).all()
    return {task.conversation_id: task for task in sorted(found, key=lambda task: task.state in LIVE)}


def _insert_tasks(account: ChannelAccount, openings: Iterable[_Opening], now: datetime) -> None:
    plans = list(openings)
    if not plans:
        return
    ids = insert_many(
        Task,
        [
            {
                "brand_id": account.brand_id,
                "conversation_id": plan.mention.conversation_id,
                "mention_id": plan.mention.id,
                "state": "open",
                "audience": plan.audience,
                "kind": plan.route.kind if plan.audience == "community" else "answer",
                "priority": plan.priority,
                "category": plan.route.signals.category,
                "lang": plan.mention.lang,
                "lane": _lane(plan),
                "opened_at": now,
                "reopened": 0,
            }
            for plan in plans
        ],
    )
    for audience in TIERS:
        of_audience = [id_ for id_, plan in zip(ids, plans, strict=True) if plan.audience == audience]
        if of_audience:
            record(TasksOpened(account.brand_id, of_audience, audience))


def _lane(plan: _Opening) -> str:
    signals = plan.route.signals
    return lane_of(plan.route.kind, signals.category, signals.anger, signals.urgency)


def _redact(account: ChannelAccount, ext_ids: Sequence[str]) -> None:
    """Deleted on the network: the text goes, the row stays as proof, and a task nobody can answer any more is cancelled.

    A deletion that came before its post is kept as a row without words, so that the post is known when it comes.
    """
    ahead = [ext_id for ext_id in dict.fromkeys(ext_ids) if ext_id not in _known(account.id, list(ext_ids))]
    if ahead:
        nobody = [Prepared(Incoming(ext_id=ext_id, text="", author=Author(None, None)), "", "und", None) for ext_id in ahead]
        now = clock.now()
        _insert_mentions(account, nobody, threads.join(account, [p.post for p in nobody], now), now)
    rows = db.session.scalars(select(Mention).where(Mention.account_id == account.id, Mention.ext_id.in_(ext_ids), Mention.gone_at.is_(None))).all()
    forget_words(account.brand_id, [(mention.text, mention.author) for mention in rows])
    for mention in rows:
        mention.text, mention.raw, mention.author_name, mention.author_handle = "", {}, None, None
        mention.gone_at = clock.now()
    if rows:
        ids = [m.id for m in rows]
        search.forget_mentions(ids)
        finding.forget_mentions(ids)
        alive = select(Task).where(Task.mention_id.in_(ids), Task.state.in_(("open", "claimed", "in_review", "answered")))
        for task in db.session.scalars(threads.held(alive)).all():
            task_actions.cancel(task, because="mention_deleted", by=None)
