"""Which endpoint is open to whom: one table. An endpoint that stands in no line stops the start.

This is the outer door only: it asks for a role in any brand. Which row may be touched is asked of the rooms'
own permissions by the verb or query behind the door.
"""

from __future__ import annotations

from flask import Flask, g
from flask_login import current_user

from app.accounts import people
from app.accounts.models import Brand, User
from app.kernel.errors import Forbidden, SignedOut

PUBLIC = "public"
SIGNED_IN = "signed in"
ANSWERS = ("advocate", "moderator", "tier_1", "tier_2")
STAFF = ("moderator", "tier_1", "tier_2", "admin")
READS = (*STAFF, "analyst")

ENDPOINTS: dict[str, str | tuple[str, ...]] = {
    "static": PUBLIC,
    "ops.healthz": PUBLIC,
    "ops.readyz": PUBLIC,
    "ops.metrics": PUBLIC,
}


def open_to(table: dict[str, str | tuple[str, ...]]) -> None:
    """Add a roof room's lines to the table; a line may stand once only."""
    twice = ENDPOINTS.keys() & {name for name in table if ENDPOINTS.get(name, table[name]) != table[name]}
    if twice:
        raise RuntimeError(f"endpoints opened twice: {', '.join(sorted(twice))}")
    ENDPOINTS.update(table)


def check_complete(app: Flask) -> None:
    """Raises RuntimeError naming endpoints that stand in no line."""
    missing = {rule.endpoint for rule in app.url_map.iter_rules()} - ENDPOINTS.keys()
    if missing:
        raise RuntimeError(f"these endpoints stand in no line of the access table: {', '.join(sorted(missing))}")


def check(endpoint: str | None) -> None:
    """May the person of this request pass the outer door? Raises SignedOut or Forbidden."""
    needed = ENDPOINTS.get(endpoint or "", PUBLIC)
    if needed == PUBLIC:
        return
    if not current_user.is_authenticated:
        raise SignedOut("Sign in first.")
    if needed == SIGNED_IN:
        return
    user: User = current_user._get_current_object()
    held = {role.name for role in user.roles} | ({"admin"} if user.is_owner else set())
    if held.isdisjoint(needed):
        *others, last = (name.replace("_", " ") if name.startswith("tier") else f"{name}s" for name in needed)
        words = f"{', '.join(others)} and {last}" if others else last
        raise Forbidden(f"This is for {words}. An admin of the brand gives roles.")


def acting_brand() -> Brand:
    """The brand this request works in: the one chosen on this device, else the person's first. Raises Forbidden for nobody's."""
    if "brand" not in g:
        mine = people.brands_of(current_user)
        if not mine:
            raise Forbidden("You have no role in any brand yet. An admin gives roles.")
        chosen = g.sign_in.brand_id if g.get("sign_in") else None
        g.brand = next((brand for brand in mine if brand.id == chosen), mine[0])
        g.brands = mine
    brand: Brand = g.brand
    return brand
