"""What a check says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "advice", "stop"]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what, why, the words it is about, and words to use instead: an empty `offer` takes them out, none offers nothing."""

    name: str
    level: Level
    text: str
    quote: str | None = None
    offer: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
