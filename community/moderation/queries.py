"""Reading the review queue, an item's history, and open flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import aliased, defer, joinedload, lazyload, load_only

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import among, at_most, db
from app.kernel.pagination import Page, bounded, decode, page_of
from community.advocates.models import Advocate
from community.advocates.queries import known_as
from community.mentions.models import Decision, Mention
from community.mentions.queries import in_lists
from community.moderation.models import LONGEST_HOLD, Flag, FlagVote, Review, ReviewClaim
from community.replies.models import Reply, Revision
from community.tasks.models import Task


@dataclass(frozen=True)
class QueueItem:
    """One reply that waits for a look, or was decided."""

    reply: Reply
    revision: Revision
    task: Task
    mention: Mention
    writer: User
    advocate: Advocate | None
    holder: User | None
    own: bool
    """The reader wrote it: it is shown without buttons."""


def queue(
    user: User,
    brand: Brand,
    *,
    show: str = "waiting",
    channel: int | None = None,
    lang: str | None = None,
    topic: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[QueueItem]:
    """What waits for a moderator, oldest first; with `show="peers"` what peers still look at, with `"decided"` the newest decisions first. One statement."""
    size = bounded(limit, 30)
    wanted = _items().where(Reply.brand_id == brand.id).limit(at_most(size + 1))
    if channel is not None:
        wanted = wanted.where(Mention.account_id == channel)
    if lang is not None:
        wanted = wanted.where(Task.lang == lang)
    if topic is not None:
        wanted = wanted.where(Task.category == topic)
    after = decode(cursor, 1)
    if show == "decided":
        wanted = wanted.where(Reply.decided_at.is_not(None), Reply.state.in_(("approved", "returned", "rejected", "withdrawn"))).order_by(Reply.id.desc())
        if after:
            wanted = wanted.where(Reply.id < after[0])
    else:
        now = clock.now()
        theirs = Reply.peers_until > now if show == "peers" else Reply.peers_until.is_(None) | (Reply.peers_until <= now)
        wanted = wanted.where(among(Reply.state, "submitted"), theirs).order_by(Reply.submitted_at, Reply.id)
        if after:
            since = db.session.scalar(select(Reply.submitted_at).where(Reply.id == after[0]))
            if since is not None:
                wanted = wanted.where((Reply.submitted_at > since) | ((Reply.submitted_at == since) & (Reply.id > after[0])))
    return page_of(_made(db.session.execute(wanted).all(), user), size, lambda item: [item.reply.id])


@dataclass(frozen=True)
class Scopes:
    """What the waiting replies can be narrowed down to: each with how many there are."""

    channels: list[tuple[int, int]]
    langs: list[tuple[str, int]]
    topics: list[tuple[str, int]]


def scopes(brand: Brand) -> Scopes:
    """Counted over what is submitted, most first. One statement over the partial index."""
    rows = db.session.execute(_SCOPES, {"brand": brand.id}).all()

    def counted(column: int) -> list[Any]:
        return Counter({value: sum(row[3] for row in rows if row[column] == value) for value in {row[column] for row in rows}}).most_common()

    return Scopes(counted(0), counted(1), counted(2))


def item_of(user: User, reply: Reply) -> QueueItem:
    """One reply as the queue shows it, whether it waits or not."""
    return _made(db.session.execute(_items().where(Reply.id == reply.id)).all(), user)[0]


def queue_count(brand: Brand) -> int:
    """How many replies wait for a moderator (the partial index holds only what is submitted)."""
    theirs = Reply.peers_until.is_(None) | (Reply.peers_until <= clock.now())
    return db.session.scalar(select(func.count()).select_from(Reply).where(Reply.brand_id == brand.id, among(Reply.state, "submitted"), theirs)) or 0


def history(reply: Reply) -> Sequence[tuple[Review, User | None]]:
    """Every decision about a reply, oldest first, with who decided (none for a rule)."""
    return [(review, reviewer) for review, reviewer in db.session.execute(_history(), {"reply": reply.id})]


def asked_changes(user: User, task_ids: Collection[int]) -> dict[int, tuple[Review, User | None]]:
    """Which of these tasks came back to their writer, by task: what was asked, and by whom."""
    if not task_ids:
        return {}
    rows = db.session.execute(_asked_changes(), {"tasks": list(task_ids), "writer": user.id})
    return {task_id: (review, reviewer) for task_id, review, reviewer in rows}


class Before(NamedTuple):
    """What was decided so far about a writer's work in a brand."""

    approvals: int
    decisions: int
    others: int
    """Other replies of theirs that a person decided about."""
    this: int
    """Decisions about this very reply."""


def reviewed_before(reply: Reply, brand: Brand) -> Before:
    return Before(*db.session.execute(_REVIEWED_BEFORE, {"writer": reply.writer_id, "brand": brand.id, "reply": reply.id}).one())


def open_flags(brand: Brand, limit: int = 50) -> Sequence[tuple[Flag, Mention, User, int]]:
    """Flags that nobody decided, oldest first, with how many peers agree; those still with the peers too (`window_until`)."""
    rows = db.session.execute(
        select(Flag, Mention, User, _AGREED)
        .join(Mention, Mention.id == Flag.mention_id)
        .join(User, User.id == Flag.by_id)
        .where(Flag.brand_id == brand.id, among(Flag.state, "open"))
        .options(joinedload(Mention.account), lazyload(User.roles))
        .order_by(Flag.id)
        .limit(limit)
    )
    return [(flag, mention, user, agreed) for flag, mention, user, agreed in rows]


@dataclass(frozen=True)
class PeerFlag:
    """A flag as those see it who may agree."""

    flag: Flag
    who: str
    agreed: int
    voted: bool


def flags_on(task: Task, user: User) -> list[PeerFlag]:
    """The task's flags that wait for peers or a moderator, with whether this person agreed."""
    voted = select(FlagVote.id).where(FlagVote.flag_id == Flag.id, FlagVote.user_id == user.id).exists()
    rows = db.session.execute(
        select(Flag, known_as(Flag.brand_id), _AGREED, voted)
        .join(User, User.id == Flag.by_id)
        .where(Flag.task_id == task.id, among(Flag.state, "open"))
        .order_by(Flag.id)
    )
    return [PeerFlag(flag, who, agreed, mine) for flag, who, agreed, mine in rows]


_AGREED = select(func.count()).where(FlagVote.flag_id == Flag.id).correlate(Flag).scalar_subquery()
_REVIEWED_BEFORE = (
    select(
        func.count().filter(Review.decision == "approve"),
        func.count(),
        func.count(func.distinct(Review.reply_id)).filter(Review.reply_id != bindparam("reply"), Review.reviewer_id.is_not(None)),
        func.count().filter(Review.reply_id == bindparam("reply")),
    )
    .select_from(Review)
    .join(Reply, Reply.id == Review.reply_id)
    .where(Reply.writer_id == bindparam("writer"), Reply.brand_id == bindparam("brand"))
)

_SCOPES = (
    select(Mention.account_id, Task.lang, Task.category, func.count())
    .select_from(Reply)
    .join(Task, Task.id == Reply.task_id)
    .join(Mention, Mention.id == Reply.mention_id)
    .where(Reply.brand_id == bindparam("brand"), among(Reply.state, "submitted"))
    .group_by(Mention.account_id, Task.lang, Task.category)
)

# Statements that every page of the queue asks are made once: with this many parts, making them would cost more than running them.


@cache
def _history() -> Any:
    return (
        select(Review, User)
        .outerjoin(User, User.id == Review.reviewer_id)
        .where(Review.reply_id == bindparam("reply"))
        .options(lazyload(User.roles), load_only(User.name))
        .order_by(Review.id)
    )


@cache
def _asked_changes() -> Any:
    return (
        select(Reply.task_id, Review, User)
        .join(Review, and_(Review.reply_id == Reply.id, Review.decision == "return"))
        .outerjoin(User, User.id == Review.reviewer_id)
        .where(Reply.task_id.in_(bindparam("tasks", expanding=True)), Reply.writer_id == bindparam("writer"), Reply.state == "returned")
        .options(lazyload(User.roles), load_only(User.name), load_only(Review.at, Review.reason, Review.note))
        .order_by(Review.id)
    )


@cache
def _items() -> Any:
    holder = aliased(User)
    return (
        select(Reply, Revision, Task, Mention, User, Advocate, holder)
        .join(Revision, and_(Revision.reply_id == Reply.id, Revision.number == Reply.revision))
        .join(Task, Task.id == Reply.task_id)
        .join(Mention, Mention.id == Reply.mention_id)
        .join(User, User.id == Reply.writer_id)
        .outerjoin(Advocate, and_(Advocate.user_id == Reply.writer_id, Advocate.brand_id == Reply.brand_id))
        .outerjoin(
            ReviewClaim,
            and_(
                ReviewClaim.reply_id == Reply.id,
                ReviewClaim.ended_at.is_(None),
                ReviewClaim.ends_at > bindparam(None, callable_=clock.now),
                ReviewClaim.ends_at <= bindparam(None, callable_=lambda: clock.now() + LONGEST_HOLD),
            ),
        )
        .outerjoin(holder, holder.id == ReviewClaim.reviewer_id)
        # Names are shown here, rights are seldom asked: without this each list would read everybody's roles.
        .options(
            lazyload(User.roles),
            load_only(User.name),
            lazyload(holder.roles),
            load_only(holder.name),
            load_only(Advocate.trust_level),
            load_only(Task.kind, Task.lang, Task.category, Task.audience, Task.priority),
            joinedload(Mention.decision).options(defer(Decision.reasons), defer(Decision.tags)),
            *in_lists(),
        )
    )


def _made(rows: Sequence[Any], user: User) -> list[QueueItem]:
    return [
        QueueItem(reply, revision, task, mention, writer, advocate, held_by, reply.writer_id == user.id)
        for reply, revision, task, mention, writer, advocate, held_by in rows
    ]
