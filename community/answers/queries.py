"""Reading the library: lists, one answer with its versions, where it was used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import lazyload

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.pagination import Page, bounded, decode, page_of
from community.advocates.queries import known_as
from community.answers import search
from community.answers.models import Answer, Passage, Use, Version
from community.permissions import RULES
from community.replies.models import Posting, Reply
from community.tasks.models import Task

SHOWS = ("published", "proposed", "stale", "expired", "mine")
FOUND = 50
"""Answers a search names."""


@dataclass(frozen=True)
class Entry:
    """An answer with the wording that counts, whoever keeps it true, and what became of its uses."""

    answer: Answer
    version: Version
    owner: User
    called: str
    """Its owner, as others know them."""
    uses: int
    helped: int
    failed: int

    @property
    def share(self) -> int | None:
        """Percent of those whose outcome is known in which the author was helped."""
        known = self.helped + self.failed
        return round(100 * self.helped / known) if known else None

    @property
    def stale(self) -> bool:
        return is_stale(self.answer, clock.now())


@dataclass(frozen=True)
class UsedIn:
    """One posted reply that was made of an answer."""

    use: Use
    reply: Reply
    posting: Posting
    task: Task
    writer: User


def is_stale(answer: Answer, at: datetime) -> bool:
    """Whether its shelf life is over."""
    return answer.state == "published" and answer.review_by is not None and answer.review_by <= at


def entry_of(user: User, answer_id: int) -> Entry:
    """One answer; NotFound for what is not this person's to see: drafts are their writer's and the brand's own people's."""
    row = db.session.execute(_entries().where(Answer.id == answer_id)).one_or_none()
    if row is None or RULES.refusal(user, "answer.read", row[0]) or not _shown_to(user, row[0]):
        raise NotFound
    return Entry(*row)


def library(
    user: User,
    brand: Brand,
    *,
    q: str | None = None,
    lang: str | None = None,
    topic: str | None = None,
    show: str = "published",
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[Entry]:
    """The brand's answers, newest first; with `q` those published that fit the words, best first."""
    RULES.check(user, "answer.read", _InBrand(brand.id))
    size = bounded(limit, 30)
    wanted = _entries().where(Answer.brand_id == brand.id, _showing(show, user))
    if not _keeps(user, brand.id):
        wanted = wanted.where(or_(Answer.state == "published", Answer.owner_id == user.id))
    for column, value in ((Answer.lang, lang), (Answer.topic, topic)):
        if value:
            wanted = wanted.where(column == value)
    if q and q.strip():
        place = {hit.passage.answer_id: n for n, hit in enumerate(search.search(brand.id, q, limit=FOUND, library=True))}
        rows = db.session.execute(wanted.where(Answer.id.in_(place))).all()
        return Page([Entry(*row) for row in sorted(rows, key=lambda row: place[row[0].id])][:size], None)
    if after := decode(cursor, 1):
        wanted = wanted.where(Answer.id < after[0])
    rows = db.session.execute(wanted.order_by(Answer.id.desc()).limit(size + 1)).all()
    return page_of([Entry(*row) for row in rows], size, lambda entry: [entry.answer.id])


def versions_of(user: User, answer: Answer) -> Sequence[tuple[Version, User]]:
    """Every wording with who wrote it, newest first. What was declined is its writer's and the brand's own people's to see."""
    rows = db.session.execute(
        select(Version, User)
        .join(User, User.id == Version.by_id)
        .where(Version.answer_id == answer.id)
        .options(lazyload(User.roles))
        .order_by(Version.number.desc())
    ).all()
    keeps = _keeps(user, answer.brand_id)
    return [(version, writer) for version, writer in rows if keeps or version.published_at is not None or writer.id == user.id]


def translations_of(answer: Answer) -> Sequence[tuple[Answer, Version]]:
    """The same answer in other languages, those that are published."""
    first = answer.original_id or answer.id
    rows = db.session.execute(
        select(Answer, Version)
        .join(Version, and_(Version.answer_id == Answer.id, Version.number == Answer.version))
        .where(or_(Answer.id == first, Answer.original_id == first), Answer.id != answer.id, Answer.state == "published")
        .order_by(Answer.lang)
    ).all()
    return [(each, version) for each, version in rows]


def used_in(answer: Answer, limit: int = 20) -> Sequence[UsedIn]:
    """Posted replies made of an answer, newest first."""
    rows = db.session.execute(
        select(Use, Reply, Posting, Task, User)
        .join(Reply, Reply.id == Use.reply_id)
        .join(Posting, and_(Posting.reply_id == Reply.id, Posting.state == "posted"))
        .join(Task, Task.id == Reply.task_id)
        .join(User, User.id == Reply.writer_id)
        .where(Use.answer_id == answer.id)
        .options(lazyload(User.roles))
        .order_by(Use.id.desc())
        .limit(limit)
    ).all()
    return [UsedIn(*row) for row in rows]


def proposals_waiting(brand: Brand) -> int:
    """How many wordings wait for a moderator."""
    return db.session.scalar(select(func.count()).select_from(Answer).where(Answer.brand_id == brand.id, Answer.proposed_at.is_not(None))) or 0


# Helpers


def _entries() -> Any:
    count = (func.coalesce(column, 0) for column in (Passage.uses, Passage.helped, Passage.failed))
    return (
        select(Answer, Version, User, known_as(Answer.brand_id), *count)
        .join(Version, and_(Version.answer_id == Answer.id, Version.number == Answer.version))
        .join(User, User.id == Answer.owner_id)
        .outerjoin(Passage, Passage.answer_id == Answer.id)
        .options(lazyload(User.roles))
    )


def _showing(show: str, user: User) -> ColumnElement[bool]:
    match show:
        case "proposed":
            return Answer.proposed_at.is_not(None)
        case "stale":
            return and_(Answer.state == "published", Answer.review_by <= clock.now())
        case "expired":
            return Answer.state.in_(("expired", "declined"))
        case "mine":
            return Answer.owner_id == user.id
    return Answer.state == "published"


def _keeps(user: User, brand_id: int) -> bool:
    """Whether the person sees the library whole: the brand's own people, and who measures."""
    return user.has(brand_id, "moderator", "tier_1", "tier_2", "analyst", "admin")


def _shown_to(user: User, answer: Answer) -> bool:
    return answer.state == "published" or answer.owner_id == user.id or _keeps(user, answer.brand_id)


class _InBrand:
    """A brand as the thing a permission is asked about."""

    def __init__(self, brand_id: int) -> None:
        self.brand_id = brand_id
