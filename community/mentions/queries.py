"""Reading mentions, conversations and the triage list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import defer, joinedload

from app.accounts.models import Brand, User
from app.kernel.db import among, db
from app.kernel.errors import NotFound
from app.kernel.pagination import Page, bounded, decode, page_of
from community.channels.models import ChannelAccount
from community.mentions.models import Decision, Mention
from community.permissions import RULES


@cache
def in_lists() -> tuple[Any, ...]:
    """What lists load of a post. Of its account the name alone: how it is set up is long, and would be read again with every row."""
    return joinedload(Mention.account).load_only(ChannelAccount.kind, ChannelAccount.name), defer(Mention.summons), defer(Mention.reply_ref)


def mention_of(user: User, mention_id: int) -> Mention:
    """One mention with its account and decision; NotFound for what is not this person's to see."""
    mention = db.session.scalars(
        select(Mention).where(Mention.id == mention_id).options(joinedload(Mention.account), joinedload(Mention.decision))
    ).one_or_none()
    if mention is None or RULES.refusal(user, "mention.see", mention):
        raise NotFound
    return mention


def mentions(
    user: User, brand: Brand, *, audience: str | None = None, ext_id: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Page[Mention]:
    """The brand's mentions, newest first."""
    RULES.check(user, "mention.see", _InBrand(brand.id))
    size = bounded(limit)
    wanted = (
        select(Mention)
        .where(Mention.brand_id == brand.id)
        .options(joinedload(Mention.account), joinedload(Mention.decision))
        .order_by(Mention.id.desc())
        .limit(size + 1)
    )
    if ext_id is not None:
        wanted = wanted.where(Mention.ext_id == ext_id)
    if audience is not None:
        wanted = wanted.join(Decision, (Decision.mention_id == Mention.id) & Decision.superseded_at.is_(None)).where(Decision.audience == audience)
    if after := decode(cursor, 1):
        wanted = wanted.where(Mention.id < after[0])
    return page_of(db.session.scalars(wanted).all(), size, lambda mention: [mention.id])


def conversation(conversation_id: int, *, user: User, limit: int = 100) -> Sequence[Mention]:
    """The thread, oldest first. An advocate never sees what came in private."""
    wanted = (
        select(Mention)
        .where(Mention.conversation_id == conversation_id)
        .options(joinedload(Mention.account), joinedload(Mention.decision))
        .order_by(Mention.posted_at, Mention.id)
        .limit(limit)
    )
    found = db.session.scalars(wanted).all()
    return [m for m in found if not m.private or user.has(m.brand_id, "tier_1", "tier_2", "moderator", "admin")]


def triage_list(brand: Brand, limit: int = 50) -> Sequence[Mention]:
    """Mentions the machine was unsure of, oldest first."""
    return db.session.scalars(
        select(Mention)
        .join(Decision, Decision.mention_id == Mention.id)
        .where(Decision.brand_id == brand.id, Decision.superseded_at.is_(None), among(Decision.audience, "triage"))
        .options(joinedload(Mention.account), joinedload(Mention.decision))
        .order_by(Decision.at)
        .limit(limit)
    ).all()


def triage_count(brand: Brand, most: int = 1000) -> int:
    """How many wait there, counted up to `most` so that the cost stays bounded."""
    waiting = select(Decision.id).where(Decision.brand_id == brand.id, Decision.superseded_at.is_(None), among(Decision.audience, "triage")).limit(most)
    return db.session.scalar(select(func.count()).select_from(waiting.subquery())) or 0


def decisions(mention: Mention) -> Sequence[Decision]:
    """Every decision about a mention, newest first."""
    return db.session.scalars(select(Decision).where(Decision.mention_id == mention.id).order_by(Decision.id.desc())).all()


def earlier_posts(mention: Mention, limit: int = 5) -> Sequence[Mention]:
    """What the same author wrote in public before, newest first."""
    if mention.author_ext_id is None:
        return []
    return db.session.scalars(
        select(Mention)
        .where(Mention.account_id == mention.account_id, Mention.author_ext_id == mention.author_ext_id, Mention.id < mention.id, Mention.private.is_(False))
        .order_by(Mention.id.desc())
        .limit(limit)
    ).all()


class _InBrand:
    """A brand as the thing a permission is asked about."""

    def __init__(self, brand_id: int) -> None:
        self.brand_id = brand_id
