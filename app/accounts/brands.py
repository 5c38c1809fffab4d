"""Finding a brand, founding one, and the switch that stops all its posting."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import select, update

from app.accounts.models import Brand, User
from app.accounts.permissions import has_role
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.permissions import Permissions

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")

RULES = Permissions({"stop_posting": has_role("moderator", "admin"), "resume_posting": has_role("admin")})
"""Stopping must be easy; starting again is a decision of the brand."""


def brand_by_slug(slug: str) -> Brand:
    """Raises NotFound."""
    brand = db.session.scalar(select(Brand).where(Brand.slug == slug))
    if brand is None:
        raise NotFound(f"There is no brand “{slug[:64]}”.")
    return brand


def all_brands() -> Sequence[Brand]:
    """By name."""
    return db.session.scalars(select(Brand).order_by(Brand.name, Brand.id)).all()


def found(slug: str, name: str, *, by: User | None) -> Brand:
    """Open a brand. Raises Invalid, Conflict."""
    if not SLUG.fullmatch(slug):
        raise Invalid("A slug is made of small letters, digits and dashes.", field="slug")
    if db.session.scalar(select(Brand.id).where(Brand.slug == slug)):
        raise Conflict(f"The brand “{slug}” exists already.")
    brand = Brand(slug=slug, name=name, settings={}, created_at=clock.now())
    db.session.add(brand)
    db.session.flush()
    audit("brand_founded", brand, by=by, brand_id=brand.id)
    return brand


def stop_posting(brand: Brand, *, by: User, reason: str | None = None) -> None:
    """From the commit on, nothing of this brand goes out. Stopping twice changes nothing."""
    RULES.check(by, "stop_posting", brand)
    now = clock.now()
    stopped = db.session.execute(update(Brand).where(Brand.id == brand.id, Brand.posting_stopped_at.is_(None)).values(posting_stopped_at=now))
    if stopped.rowcount:  # type: ignore[attr-defined]
        audit("posting_stopped", brand, by=by, reason=reason, brand_id=brand.id)
        db.after_commit(lambda: live.bump(brand.id, "reviews"))


def resume_posting(brand: Brand, *, by: User) -> None:
    """What waited goes out by itself."""
    RULES.check(by, "resume_posting", brand)
    resumed = db.session.execute(update(Brand).where(Brand.id == brand.id, Brand.posting_stopped_at.is_not(None)).values(posting_stopped_at=None))
    if resumed.rowcount:  # type: ignore[attr-defined]
        audit("posting_resumed", brand, by=by, brand_id=brand.id)
        db.after_commit(lambda: live.bump(brand.id, "reviews"))
