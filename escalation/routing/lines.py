"""A brand's own lines: reading them with every batch, putting others live, going back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import BigId, at_most, db
from app.kernel.errors import Conflict, Invalid
from escalation.permissions import RULES
from escalation.routing.models import CURRENT, BrandLines
from escalation.routing.policy import Lines, Policy, default_policy

DRAWN = ("anger", "technical")
"""Signals whose lines a brand draws by its costs."""
MOST_COST = 100.0
HISTORY = 20

_NOW = select(BrandLines).where(BrandLines.brand_id == bindparam("brand", type_=BigId), text(CURRENT))


def policy_of(brand_id: int) -> Policy:
    """The policy with the brand's own lines: one small statement."""
    with db.transaction(read_only=True):
        row = current(brand_id)
    return default_policy() if row is None else with_lines(default_policy(), read(row.lines), row.version)


def current(brand_id: int) -> BrandLines | None:
    """The version that holds; none while the brand keeps the defaults."""
    return db.session.scalars(_NOW, {"brand": brand_id}).one_or_none()


def with_lines(policy: Policy, lines: Mapping[str, Lines], version: int | None = None) -> Policy:
    """The same rules with other lines; `version` is the brand's own, named in every decision."""
    name = policy.version if version is None else f"{policy.version}+{version}"
    return replace(policy, version=name, lines={**policy.lines, **lines})


def read(given: Mapping[str, Any]) -> dict[str, Lines]:
    """Lines as handed in or stored: `{signal: {"low", "high", "cost"}}`; what is absent keeps its default. Raises Invalid."""
    found: dict[str, Lines] = {}
    for signal in DRAWN:
        default = default_policy().lines[signal]
        part = given.get(signal, {})
        if not isinstance(part, Mapping):
            raise Invalid(f"Lines for {signal} are low, high and cost.", field=signal)
        low, high, cost = (_number(part.get(name, getattr(default, name)), f"{signal}_{name}") for name in ("low", "high", "cost"))
        if not 0 < low <= high <= 1:
            raise Invalid(f"For {signal} the lower line stands above 0, the upper one at most at 1, and not below the lower.", field=f"{signal}_low")
        if not 1 <= cost <= MOST_COST:
            raise Invalid(f"One miss is worth 1 to {MOST_COST:.0f} needless escalations.", field=f"{signal}_cost")
        found[signal] = Lines(round(low, 4), round(high, 4), cost, reason(signal, cost))
    return found


def reason(signal: str, cost: float) -> str:
    """The because-line of a decision between the lines."""
    what = "one missed angry author costs" if signal == "anger" else "one missed technical post costs"
    return f"{what} as much as {cost:g} needless escalations"


def stored(lines: Mapping[str, Lines]) -> dict[str, Any]:
    """As `read` takes them."""
    return {signal: {"low": one.low, "high": one.high, "cost": one.cost} for signal, one in lines.items() if signal in DRAWN}


def put_live(brand: Brand, lines: Mapping[str, Lines], *, by: User, reason: str | None = None, rehearsal: Mapping[str, Any] | None = None) -> BrandLines:
    """These lines decide from the next batch on. Raises Forbidden, Conflict."""
    RULES.check(by, "learning.decide", brand)
    last = db.session.scalar(select(func.max(BrandLines.version)).where(BrandLines.brand_id == brand.id)) or 0
    now = clock.now()
    db.session.execute(update(BrandLines).where(BrandLines.brand_id == brand.id, BrandLines.superseded_at.is_(None)).values(superseded_at=now))
    words = reason.strip()[:300] if reason and reason.strip() else None
    row = BrandLines(brand_id=brand.id, version=last + 1, lines=stored(lines), reason=words, by_id=by.id, at=now, rehearsal=dict(rehearsal or {}))
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("Somebody put other lines live a moment ago. Look again.") from None
    numbers = {f"{signal}_{name}": value for signal, part in row.lines.items() for name, value in part.items()}
    audit("lines.put_live", row, by=by, version=row.version, **numbers)
    return row


def back_to(brand: Brand, version: int, *, by: User) -> BrandLines:
    """An earlier version's numbers as the newest; 0 is the defaults. Raises Invalid, Forbidden."""
    RULES.check(by, "learning.decide", brand)
    if version == 0:
        return put_live(brand, {signal: default_policy().lines[signal] for signal in DRAWN}, by=by, reason="The defaults again")
    row = db.session.scalar(select(BrandLines).where(BrandLines.brand_id == brand.id, BrandLines.version == version))
    if row is None:
        raise Invalid("There is no such version.", field="version")
    return put_live(brand, read(row.lines), by=by, reason=f"Version {version} again", rehearsal=row.rehearsal)


def history(brand: Brand) -> Sequence[tuple[BrandLines, str]]:
    """Versions with who put them live, newest first."""
    found = select(BrandLines, User.name).join(User, User.id == BrandLines.by_id).where(BrandLines.brand_id == brand.id)
    return [(row, name) for row, name in db.session.execute(found.order_by(BrandLines.version.desc()).limit(at_most(HISTORY)))]


def _number(given: Any, name: str) -> float:
    try:
        value = float(given) if not isinstance(given, bool) else math.nan
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise Invalid(f"{name.replace('_', ' ').capitalize()} is a number.", field=name)
    return value
