"""The two tiers of the team, and who works in which."""

from __future__ import annotations

from typing import Any, Literal

Tier = Literal["tier_1", "tier_2"]
TIERS: tuple[Tier, ...] = ("tier_1", "tier_2")
"""From general to specialist."""
NAMES: dict[str, str] = {"tier_1": "tier 1", "tier_2": "tier 2"}
WORKERS: dict[str, tuple[str, ...]] = {"tier_1": ("tier_1", "tier_2"), "tier_2": ("tier_2",)}
"""Roles that may take a tier's cases: specialists help out below, never the other way round."""


def works_in(user: Any, brand_id: int, tier: str) -> bool:
    """Whether the person may take this tier's cases."""
    return user.has(brand_id, *WORKERS[tier])


def tiers_of(user: Any, brand_id: int) -> tuple[Tier, ...]:
    """The tiers whose cases the person may take."""
    return tuple(tier for tier in TIERS if works_in(user, brand_id, tier))
