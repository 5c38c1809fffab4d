"""Posts join their thread, whatever the order they come in: a child before its parent too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, or_, select, update

from app.kernel.db import db, insert_many
from community.channels.base import Incoming
from community.channels.models import ChannelAccount
from community.mentions.models import Conversation, Mention
from community.tasks import actions as task_actions
from community.tasks.models import Task

Name = str | int
"""Of a post, its outside id; of a conversation, its number."""


def join(account: ChannelAccount, posts: Sequence[Incoming], now: datetime) -> dict[str, int]:
    """The conversation id of each new post, by outside id; conversations that a post shows to be one are merged."""
    groups = _Groups()
    for post in posts:
        groups.join(post.ext_id, *(x for x in (post.parent_ext_id, post.thread_id) if x))
    parents = {p.parent_ext_id for p in posts if p.parent_ext_id} | {p.thread_id for p in posts if p.thread_id}
    fresh = {p.ext_id for p in posts}
    seen: set[int] = set()
    for ext_id, parent, conversation_id in db.session.execute(
        select(Mention.ext_id, Mention.parent_ext_id, Mention.conversation_id).where(
            Mention.account_id == account.id, or_(Mention.ext_id.in_(parents), Mention.parent_ext_id.in_(fresh | parents))
        )
    ):
        for name in (ext_id, parent):
            if name and name in groups:
                # A conversation is a name as well: two groups of this batch that touch the same one are one.
                groups.join(name, conversation_id)
                seen.add(conversation_id)
    for root, conversation_id in db.session.execute(
        select(Conversation.root_ext_id, func.coalesce(Conversation.merged_into_id, Conversation.id)).where(
            Conversation.account_id == account.id, Conversation.root_ext_id.in_(fresh | parents)
        )
    ):
        groups.join(root, conversation_id)
        seen.add(conversation_id)
    found: dict[Name, list[int]] = defaultdict(list)
    for conversation_id in sorted(seen):
        found[groups.root(conversation_id)].append(conversation_id)

    parent_of = {p.ext_id: p.parent_ext_id for p in posts}
    new: dict[Name, str] = {}
    home: dict[Name, int] = {}
    for post in posts:
        group = groups.root(post.ext_id)
        if group in home or group in new:
            continue
        if found[group]:
            keep, *others = found[group]
            home[group] = keep
            if others:
                _merge(keep, others)
        else:
            new[group] = post.thread_id or _topmost(post.ext_id, parent_of)
    if new:
        ids = insert_many(
            Conversation,
            [{"brand_id": account.brand_id, "account_id": account.id, "root_ext_id": root, "last_at": now, "merged_into_id": None} for root in new.values()],
        )
        home.update(zip(new, ids, strict=True))
    if len(home) > len(new):
        db.session.execute(update(Conversation).where(Conversation.id.in_([home[g] for g in home if g not in new])).values(last_at=now))
    return {post.ext_id: home[groups.root(post.ext_id)] for post in posts}


def held(tasks: Select[Task]) -> Select[Task]:
    """As they are now and until the batch is written, so that a claim made meanwhile can't spoil it; in one order, so that no two wait for each other."""
    return tasks.order_by(Task.id).with_for_update(key_share=True).execution_options(populate_existing=True)


def _topmost(ext_id: str, parent_of: dict[str, str | None]) -> str:
    seen = {ext_id}
    while (parent := parent_of.get(ext_id)) and parent not in seen:
        seen.add(parent)
        ext_id = parent
    return ext_id


class _Groups:
    """Union-find over outside ids and the conversations they are known in."""

    def __init__(self) -> None:
        self.up: dict[Name, Name] = {}

    def __contains__(self, name: Name) -> bool:
        return name in self.up

    def root(self, name: Name) -> Name:
        self.up.setdefault(name, name)
        while self.up[name] != name:
            self.up[name] = self.up[self.up[name]]
            name = self.up[name]
        return name

    def join(self, first: Name, *others: Name) -> None:
        for other in others:
            self.up[self.root(other)] = self.root(first)
        self.root(first)


def _merge(keep: int, others: list[int]) -> None:
    """Several conversations turned out to be one: the posts move, and of their live tasks the furthest along stays."""
    session = db.session
    session.execute(update(Conversation).where(or_(Conversation.id.in_(others), Conversation.merged_into_id.in_(others))).values(merged_into_id=keep))
    session.execute(update(Mention).where(Mention.conversation_id.in_(others)).values(conversation_id=keep))
    rank = {"answered": 3, "in_review": 2, "claimed": 1, "open": 0}
    alive = session.scalars(held(select(Task).where(Task.conversation_id.in_([keep, *others]), Task.state.in_(rank)))).all()
    best = max(alive, key=lambda task: (rank[task.state], -task.id), default=None)
    for task in alive:
        if task is not best:
            task_actions.cancel(task, because="joined", by=None)
    session.execute(update(Task).where(Task.conversation_id.in_(others)).values(conversation_id=keep).execution_options(synchronize_session="fetch"))
