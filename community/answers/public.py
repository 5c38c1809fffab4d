"""What everybody may read: answers marked public, of brands that wish it. Nothing here knows a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select

from app.accounts.models import Brand
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.answers.actions import PUBLIC
from community.answers.models import Answer, Version

MOST = 500
"""Answers on the list of a brand."""
LONGEST = 60
"""Characters of the words in an address."""


def read(slug: str, answer_id: int) -> tuple[Brand, Answer, Version, Sequence[tuple[Answer, Version]]]:
    """One answer with its other languages; NotFound for whatever is not public."""
    brand = _open(slug)
    row = db.session.execute(_public(brand).where(Answer.id == answer_id)).one_or_none()
    if row is None:
        raise NotFound
    answer, version = row
    first = answer.original_id or answer.id
    others = db.session.execute(_public(brand).where(or_(Answer.id == first, Answer.original_id == first), Answer.id != answer.id).order_by(Answer.lang))
    return brand, answer, version, [(other, words) for other, words in others]


def listed(slug: str) -> tuple[Brand, Sequence[tuple[Answer, Version]]]:
    """The public answers of a brand that hold, by topic."""
    brand = _open(slug)
    fresh = or_(Answer.review_by.is_(None), Answer.review_by > clock.now())
    rows = db.session.execute(_public(brand).where(fresh).order_by(Answer.topic, Answer.lang, Version.title, Answer.id).limit(MOST))
    return brand, [(answer, version) for answer, version in rows]


def words_of(title: str) -> str:
    """A title as a part of an address."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:LONGEST].rstrip("-") or "answer"


def _open(slug: str) -> Brand:
    brand = db.session.scalar(select(Brand).where(Brand.slug == slug))
    if brand is None or not PUBLIC.of(brand):
        raise NotFound
    return brand


def _public(brand: Brand) -> Any:
    return (
        select(Answer, Version)
        .join(Version, and_(Version.answer_id == Answer.id, Version.number == Answer.version))
        .where(Answer.brand_id == brand.id, Answer.public.is_(True), Answer.state == "published")
    )
