"""What the game keeps when somebody goes: every entry, so that all totals stay what they were."""

from __future__ import annotations

from app.accounts import leaving
from gamification.badges.models import BadgeGrant
from gamification.points.models import LedgerEntry


def listed() -> None:
    leaving.part(LedgerEntry, "user_id", "points", ("at", "brand_id", "rule", "points", "reasons", "subject", "reverses_id"))
    leaving.part(BadgeGrant, "user_id", "badges", ("at", "brand_id", "badge", "because"))
