"""Everything that can have happened in the game, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass

from app.kernel.events import Event


@dataclass(frozen=True, slots=True)
class PointsAwarded(Event):
    """An entry was written to the ledger; a reversal has negative points."""

    entry_id: int
    user_id: int
    rule: str
    points: int


@dataclass(frozen=True, slots=True)
class BadgeGranted(Event):
    user_id: int
    badge: str
