"""A share of posts, and how sure of it one can be."""

from __future__ import annotations

from dataclasses import dataclass

from escalation.classifier.evaluation import interval

FEW = 10
"""Below so many posts a share is not shown as one: it would be a story about single people."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share with Wilson's 95 % interval."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """None where nothing is there to have a share of."""
        return self.hits / self.of if self.of else None

    @property
    def few(self) -> bool:
        return self.of < FEW


def share(hits: int, of: int) -> Share:
    low, high = interval(hits, of)
    return Share(hits, of, round(low, 4), round(high, 4))
