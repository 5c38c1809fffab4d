"""Badges as data: what each is for and how far one has to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Badge:
    """Granted once `goal` entries of a ledger rule stand (none of them taken back)."""

    name: str
    title: str
    tier: Literal["bronze", "silver", "gold"]
    rule: str
    goal: int
    says: str
    """What it is for, shown before it is earned."""
    because: str
    """Why it was given."""


CATALOGUE: tuple[Badge, ...] = (
    Badge("first_vetted", "First vetted reply", "bronze", "approved", 1, "Have one reply approved.", "Your first reply was approved."),
    Badge("thanked", "Five thanks", "silver", "thanked", 5, "Be thanked by five authors.", "Five authors said thanks for your answers."),
    Badge(
        "first_try",
        "At the first answer",
        "gold",
        "first_try",
        10,
        "Solve ten questions at the first answer.",
        "Ten questions were solved by your first answer.",
    ),
)
BY_NAME = {badge.name: badge for badge in CATALOGUE}
