"""What everybody may read: answers marked public, of brands that wish it. Nothing here knows a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select

from app.accounts.models import Brand
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.answers import search
from community.answers.actions import PUBLIC
from community.answers.models import Answer, Version
from community.mentions.text import language

MOST = 500
"""Answers on the list of a brand; the rest is found by its words."""
MOST_FITTING = 10
LONGEST_QUESTION = 200
"""Characters."""
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


@dataclass(frozen=True, slots=True)
class Shelf:
    """A brand's public answers that hold."""

    brand: Brand
    found: Sequence[tuple[Answer, Version]]
    """By topic; where words were looked for, the best first."""
    languages: Sequence[str]
    """In which there are any."""
    more: bool
    """Whether there are more than a page shows."""


def listed(slug: str, *, q: str = "", lang: str = "") -> Shelf:
    """The public answers of a brand that hold: all of them or those in a language, or what fits a question. NotFound where the brand shows none."""
    brand = _open(slug)
    holds = _public(brand).where(or_(Answer.review_by.is_(None), Answer.review_by > clock.now()))
    languages = db.session.scalars(holds.with_only_columns(Answer.lang).distinct().order_by(Answer.lang)).all()
    if lang in languages:
        holds = holds.where(Answer.lang == lang)
    if q.strip():
        best = [hit.passage.answer_id for hit in search.search(brand.id, q[:LONGEST_QUESTION], lang=lang or language(q), limit=search.CANDIDATES, library=True)]
        rows = {answer.id: (answer, version) for answer, version in db.session.execute(holds.where(Answer.id.in_(best)))}
        return Shelf(brand, [rows[id_] for id_ in best if id_ in rows][:MOST_FITTING], languages, more=False)
    found = db.session.execute(holds.order_by(Answer.topic, Answer.lang, Version.title, Answer.id).limit(MOST + 1)).all()
    return Shelf(brand, [(answer, version) for answer, version in found[:MOST]], languages, more=len(found) > MOST)


def is_open(slug: str) -> Brand | None:
    """The brand, if it shows answers to everybody."""
    try:
        return _open(slug)
    except NotFound:
        return None


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
