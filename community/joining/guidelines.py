"""What a brand asks of its advocates: versioned words, each advocate's yes on record, asked for again when they change."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from community.joining.models import Acceptance, Guidelines
from community.permissions import RULES

LONGEST = 20_000

_CURRENT = select(Guidelines).where(Guidelines.brand_id == bindparam("brand")).order_by(Guidelines.version.desc()).limit(1)


def newer_than_accepted(brand: Any, user: Any) -> Select[int]:
    """Versions of a brand's guidelines that a person has not said yes to; both are bound parameters."""
    accepted = select(func.max(Acceptance.version)).where(Acceptance.user_id == user, Acceptance.brand_id == brand).scalar_subquery()
    return select(Guidelines.version).where(Guidelines.brand_id == brand, Guidelines.version > func.coalesce(accepted, 0))


_OWED = newer_than_accepted(bindparam("brand"), bindparam("user")).order_by(Guidelines.version.desc()).limit(1)
"""Asked with every claim, so made once."""


def current(brand_id: int) -> Guidelines | None:
    """The version that holds now; None where the brand has none."""
    return db.session.scalar(_CURRENT, {"brand": brand_id})


def owed(user: User, brand_id: int) -> int | None:
    """The version an advocate still has to read and accept, if any. Who is staff there as well is not asked."""
    if user.roles_in(brand_id) != {"advocate"}:
        return None
    return db.session.scalar(_OWED, {"brand": brand_id, "user": user.id})


def publish(brand: Brand, text: str, *, by: User) -> Guidelines:
    """Let these words hold from now on; every advocate is asked again. The same words once more change nothing. Raises Forbidden, Invalid."""
    RULES.check(by, "guidelines.publish", brand)
    words = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not words or len(words) > LONGEST:
        raise Invalid(f"Guidelines are words, {LONGEST:,} characters at most.", field="text")
    # Two admins at once: the second waits, and publishes the version after.
    db.session.execute(select(Brand.id).where(Brand.id == brand.id).with_for_update(key_share=True))
    before = current(brand.id)
    if before is not None and before.text == words:
        return before
    made = Guidelines(brand_id=brand.id, version=(before.version if before else 0) + 1, text=words, at=clock.now(), by_id=by.id)
    db.session.add(made)
    db.session.flush()
    audit("guidelines.publish", made, by=by, version=made.version, text_hash=hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest())
    return made


def accept(user: User, brand: Brand, version: int) -> None:
    """Say yes to the version that was read. Raises Conflict when another holds by now."""
    holds = current(brand.id)
    if holds is None or holds.version != version:
        raise Conflict("The guidelines changed this very moment. Read the new ones.", version=holds.version if holds else None)
    note(user, brand.id, version)


def note(user: User, brand_id: int, version: int) -> None:
    """Keep a yes that was given; twice is once."""
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    wanted = insert(Acceptance).values(brand_id=brand_id, user_id=user.id, version=version, at=clock.now())
    made = db.session.scalar(wanted.on_conflict_do_nothing(index_elements=["user_id", "brand_id", "version"]).returning(Acceptance.id))
    if made is not None:
        audit("guidelines.accept", user, by=user, brand_id=brand_id, version=version)
