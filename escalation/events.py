"""Everything that can have happened to cases and promises, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass

from app.kernel.events import Event


@dataclass(frozen=True, slots=True)
class CasesOpened(Event):
    """Cases of one batch for one tier."""

    case_ids: list[int]
    tier: str


@dataclass(frozen=True, slots=True)
class CaseAssigned(Event):
    case_id: int
    user_id: int
    by_id: int


@dataclass(frozen=True, slots=True)
class CaseHandedUp(Event):
    """To tier 2, by a person or because a promise was missed (`by_id` none)."""

    case_id: int
    because: str
    by_id: int | None


@dataclass(frozen=True, slots=True)
class CasesHandedUp(Event):
    """Many that nobody took in time went to tier 2 at once."""

    case_ids: list[int]
    because: str


@dataclass(frozen=True, slots=True)
class CaseResolved(Event):
    """Settled, or handed back to the community (outcome `handed_back`)."""

    case_id: int
    outcome: str
    by_id: int | None


@dataclass(frozen=True, slots=True)
class CaseReopened(Event):
    case_id: int
    because: str


@dataclass(frozen=True, slots=True)
class PromisesMissed(Event):
    """Promises of one tier noticed as missed together."""

    case_ids: list[int]
    tier: str
