"""How soon each tier promises a first reply."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.accounts.models import Brand, User
from app.api import scope
from app.api.door import Given, Shown, door
from app.kernel.errors import NotFound
from escalation.sla import actions, due
from escalation.sla.queries import promises
from escalation.tiers import TIERS

Minutes = Annotated[int, Field(ge=1, le=actions.LONGEST)]


class PromiseBody(Given):
    """Minutes to the first posted reply, from the moment the post reached us; `urgent_minutes` from 60 priority points on, never more than `minutes`."""

    minutes: Minutes
    urgent_minutes: Minutes


class PromiseView(Shown):
    """`default`: what holds where the brand has set nothing, minutes and urgent minutes."""

    tier: Literal["tier_1", "tier_2"]
    minutes: int
    urgent_minutes: int
    default: tuple[int, int]


class PromisesView(Shown):
    brand: str
    urgent_from: int
    promises: list[PromiseView]


@door("GET", "/brands/<slug>/promises", gives=PromisesView)
def get_promises(*, by: User, slug: str) -> PromisesView:
    """What holds for cases that open now."""
    brand = scope.brand_of(by, slug)
    actions.RULES.check(by, "sla.see", brand)
    return _view(brand)


@door("PUT", "/brands/<slug>/promises/<tier>", takes=PromiseBody, gives=PromisesView)
def set_promise(*, by: User, slug: str, tier: str, body: PromiseBody) -> PromisesView:
    """Set one tier's. It holds for cases that open from now on and for those another tier hands over; open ones keep the time they were promised."""
    brand = scope.brand_of(by, slug, "admin")
    if tier not in TIERS:
        raise NotFound
    actions.set_promise(brand, tier, minutes=body.minutes, urgent_minutes=body.urgent_minutes, by=by)
    return _view(brand)


def _view(brand: Brand) -> PromisesView:
    hold = promises(brand.id)
    shown = [
        PromiseView(
            tier=tier,
            minutes=hold[tier, due.FIRST_RESPONSE].minutes,
            urgent_minutes=hold[tier, due.FIRST_RESPONSE].urgent_minutes,
            default=(due.DEFAULTS[tier, due.FIRST_RESPONSE].minutes, due.DEFAULTS[tier, due.FIRST_RESPONSE].urgent_minutes),
        )
        for tier in TIERS
    ]
    return PromisesView(brand=brand.slug, urgent_from=due.URGENT_FROM, promises=shown)
