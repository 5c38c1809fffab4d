"""Reading labels: how far the brand has come, whether people agree, where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from app.accounts.models import Brand, User
from app.kernel.db import BigId, among, at_most, db
from app.kernel.pagination import Page, bounded, decode, page_of
from community.mentions.models import Mention
from escalation.learning.evidence import SAID, Agreement, agreement
from escalation.learning.models import Label
from escalation.permissions import RULES

CAUTION, EARNEST = 50, 300
"""Labelled posts from which the brand's own model is fitted at all, and from which it is trusted in earnest."""
PAIRS = 5_000
"""Newest pairs of looks that agreement is summed over."""


@dataclass(frozen=True, slots=True)
class Progress:
    mine: int
    posts: int
    """Posts of the brand somebody labelled."""
    people: int
    angry: int
    technical: int
    next: int
    """The number of posts at which something new begins; 0 when all of it has."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One person's word on a post."""

    name: str
    source: str
    angry: bool | None
    technical: bool | None
    service_related: bool | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Dispute:
    mention: Mention
    voices: tuple[Voice, ...]


def progress(user: User, brand: Brand) -> Progress:
    """How many labels there are, in one statement."""
    row = db.session.execute(_PROGRESS, {"brand": brand.id, "person": user.id}).one()
    following = next((step for step in (CAUTION, EARNEST) if row.posts < step), 0)
    return Progress(row.mine or 0, row.posts, row.people, row.angry or 0, row.technical or 0, following)


def agreed(brand: Brand) -> dict[str, Agreement]:
    """How much two people who were asked about the same post agree, by signal."""
    found = {}
    rows = db.session.execute(_PAIRS, {"brand": brand.id}).all()
    for place, signal in ((0, "angry"), (2, "technical")):
        counts: dict[tuple[bool, bool], int] = {}
        for row in rows:
            if row[place] is not None and row[place + 1] is not None:
                key = (bool(row[place]), bool(row[place + 1]))
                counts[key] = counts.get(key, 0) + 1
        found[signal] = agreement(counts)
    return found


def labels(user: User, brand: Brand, *, mention_id: int | None = None, limit: int | None = None, cursor: str | None = None) -> Page[Label]:
    """The brand's labels, newest first."""
    RULES.check(user, "learning.see", brand)
    size = bounded(limit)
    wanted = select(Label).where(Label.brand_id == brand.id).order_by(Label.id.desc()).limit(size + 1)
    if mention_id is not None:
        wanted = wanted.where(Label.mention_id == mention_id)
    if after := decode(cursor, 1):
        wanted = wanted.where(Label.id < after[0])
    return page_of(db.session.scalars(wanted).all(), size, lambda row: [row.id])


def voices(mention_ids: Sequence[int]) -> dict[int, tuple[Voice, ...]]:
    """Who said what about these posts, oldest first; what nobody said has the name of what followed."""
    rows = db.session.execute(
        select(Label, User.name)
        .outerjoin(User, User.id == Label.user_id)
        .where(Label.mention_id.in_(mention_ids), Label.source != "skipped")
        .order_by(Label.id)
    ).all()
    found: dict[int, list[Voice]] = {}
    for row, name in rows:
        voice = Voice(name or "What followed", row.source, row.angry, row.technical, row.service_related, row.at)
        found.setdefault(row.mention_id, []).append(voice)
    return {mention_id: tuple(said) for mention_id, said in found.items()}


def disputes(user: User, brand: Brand, limit: int = 30) -> list[Dispute]:
    """Posts on which people differ, newest first."""
    RULES.check(user, "learning.see", brand)
    ids = db.session.scalars(_DISPUTED.limit(at_most(limit)), {"brand": brand.id}).all()
    if not ids:
        return []
    rows = db.session.scalars(select(Mention).where(Mention.id.in_(ids)).options(joinedload(Mention.account), joinedload(Mention.decision))).all()
    mentions = {mention.id: mention for mention in rows}
    said = voices(ids)
    return [Dispute(mentions[id_], said[id_]) for id_ in ids]


def _progress() -> Select[Any]:
    brand, person = bindparam("brand", type_=BigId), bindparam("person", type_=BigId)
    said = among(Label.source, *SAID)

    def posts_where(*more: ColumnElement[bool]) -> Any:
        return select(func.count(Label.mention_id.distinct())).where(Label.brand_id == brand, said, *more).scalar_subquery()

    return select(
        select(func.count()).select_from(Label).where(Label.user_id == person, Label.brand_id == brand, said).scalar_subquery().label("mine"),
        posts_where().label("posts"),
        select(func.count(Label.user_id.distinct())).where(Label.brand_id == brand, said).scalar_subquery().label("people"),
        posts_where(Label.angry.is_(True)).label("angry"),
        posts_where(Label.technical.is_(True)).label("technical"),
    )


def _two() -> tuple[Any, Any, ColumnElement[bool]]:
    one, two = aliased(Label), aliased(Label)
    return one, two, and_(two.mention_id == one.mention_id, two.user_id > one.user_id)


def _pairs() -> Select[Any]:
    one, two, same = _two()
    asked = (among(one.source, "labelling"), among(two.source, "labelling"))
    return (
        select(one.angry, two.angry, one.technical, two.technical)
        .join(two, same)
        .where(one.brand_id == bindparam("brand", type_=BigId), *asked)
        .order_by(one.id.desc())
        .limit(at_most(PAIRS))
    )


def _disputed() -> Select[Any]:
    one, two, same = _two()
    spoken = (among(one.source, *SAID), among(two.source, *SAID))
    differ = or_(*(getattr(one, signal) != getattr(two, signal) for signal in ("angry", "technical", "service_related")))
    return (
        select(one.mention_id)
        .join(two, same)
        .where(one.brand_id == bindparam("brand", type_=BigId), *spoken, differ)
        .group_by(one.mention_id)
        .order_by(func.max(two.id).desc())
    )


_PROGRESS, _PAIRS, _DISPUTED = _progress(), _pairs(), _disputed()
