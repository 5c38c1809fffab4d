"""Suspending a person and lifting it: who may, and that they are told. What they hold is freed by every room (see `app.wiring`)."""

from __future__ import annotations

from app.accounts import people
from app.accounts.models import User
from app.accounts.people import SUSPENDED_FOR
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.outbox import record
from community.events import PersonReinstated, PersonSuspended


def may_suspend(actor: User, person: User, brand_id: int) -> str | None:
    """None for yes, or why not. An account is one everywhere, so whoever works in several brands is the owner's to suspend."""
    if actor.suspended_at is not None:
        return "This account is suspended; a moderator of the brand can lift that."
    if actor.id == person.id:
        return "Nobody suspends themselves. Take a break under Me."
    if actor.is_owner:
        return None
    if person.is_owner or person.brand_ids != {brand_id}:
        return "They work elsewhere, too: only the owner of this installation may do this."
    if actor.has(brand_id, "admin"):
        return None
    if actor.has(brand_id, "moderator"):
        return None if person.roles_in(brand_id) == {"advocate"} else "They are staff: an admin of the brand may do this."
    return "Only a moderator or an admin of this brand may do this."


def suspend(person: User, *, by: User, brand_id: int, reason: str) -> None:
    """Out at once, on every device; what they held is free, drafts and answers stay. Raises Forbidden, Invalid, Conflict."""
    _check(by, person, brand_id)
    if reason not in SUSPENDED_FOR:
        raise Invalid(f"A reason is one of {', '.join(SUSPENDED_FOR)}.", field="reason")
    if person.suspended_at is not None:
        raise Conflict(f"{person.name} is suspended already.")
    people.suspend(person, by, reason)


def reinstate(person: User, *, by: User, brand_id: int) -> None:
    """They may sign in again. Sessions and tokens from before stay ended. Raises Forbidden, Conflict."""
    _check(by, person, brand_id)
    if person.suspended_at is None:
        raise Conflict(f"{person.name} is not suspended.")
    people.reinstate(person, by)


def note_suspended(person: User, by: User | None, reason: str | None) -> None:
    """A fact in each brand they work in."""
    for brand_id in sorted(person.brand_ids):
        record(PersonSuspended(brand_id, person.id, by.id if by else None, reason or "other"))


def note_reinstated(person: User, by: User | None, _reason: str | None) -> None:
    for brand_id in sorted(person.brand_ids):
        record(PersonReinstated(brand_id, person.id, by.id if by else None))


def _check(by: User, person: User, brand_id: int) -> None:
    reason = may_suspend(by, person, brand_id)
    if reason is not None:
        raise Forbidden(reason)
