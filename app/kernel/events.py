"""An event is a frozen fact in the past tense that carries ids and plain values. Each room lists its own in its `events.py`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

_KINDS: dict[str, type[Event]] = {}


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events. Fields are JSON values; `brand_id` says whose fact it is."""

    name: ClassVar[str] = "Event"
    brand_id: int

    def __init_subclass__(cls, **kw: Any) -> None:
        super(Event, cls).__init_subclass__(**kw)
        cls.name = cls.__name__
        _KINDS[cls.__name__] = cls

    def payload(self) -> dict[str, Any]:
        return asdict(self)


def rebuild(name: str, payload: dict[str, Any]) -> Event:
    """The event as it was recorded. Fields added to the class since keep their defaults; fields dropped since are ignored."""
    kind = _KINDS[name]
    known = {f.name for f in fields(kind)}
    return kind(**{key: value for key, value in payload.items() if key in known})
