"""Predicates on who somebody is. Rooms combine them with their own in their tables."""

from __future__ import annotations

from typing import Any

from app.accounts.models import Brand, RoleName
from app.kernel.permissions import Predicate

NAMES: dict[str, str] = {
    "advocate": "an advocate",
    "moderator": "a moderator",
    "tier_1": "tier 1",
    "tier_2": "tier 2",
    "analyst": "an analyst",
    "admin": "an admin",
    "owner": "the owner",
}


def is_signed_in(actor: Any, on: Any) -> str | None:
    """A known person who is not suspended."""
    return None if _known(actor) else "Sign in first."


def has_role(*names: RoleName) -> Predicate:
    """One of these roles in the brand of `on` (a Brand, its id, or a row of a brand)."""
    who = " or ".join(NAMES[name] for name in names)

    def check(actor: Any, on: Any) -> str | None:
        return None if _known(actor) and actor.has(brand_id_of(on), *names) else f"Only {who} of this brand may do this."

    return check


def brand_id_of(on: Any) -> int:
    """The brand a thing belongs to; a brand or its id is its own."""
    if isinstance(on, int):
        return on
    return on.id if isinstance(on, Brand) else on.brand_id


def _known(actor: Any) -> bool:
    return actor is not None and getattr(actor, "is_authenticated", False) and actor.is_active
