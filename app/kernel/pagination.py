"""Cursor pages: a page is found by where the last one ended, so its cost does not grow with how far one has read."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.kernel.errors import Invalid

MOST = 200
T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items, and the cursor that continues after them (None at the end)."""

    items: Sequence[T]
    next: str | None


def page_of(rows: Sequence[T], limit: int, key: Callable[[T], list[Any]]) -> Page[T]:
    """Make a page of `limit` from `limit + 1` fetched rows; `key` gives the JSON values the order is by."""
    if len(rows) <= limit:
        return Page(rows, None)
    shown = rows[:limit]
    return Page(shown, encode(key(shown[-1])))


def bounded(limit: int | None, default: int = 50) -> int:
    """The page size asked for, held between 1 and MOST."""
    return max(1, min(limit if limit is not None else default, MOST))


def encode(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode(cursor: str | None, size: int, *, words: int = 0) -> list[Any] | None:
    """The values a cursor stands for: whole numbers, a row's id the last of them; the first so many `words` are text. Raises Invalid for another."""
    if not cursor:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, UnicodeDecodeError, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != size or not all(isinstance(v, str) if n < words else _is_id(v) for n, v in enumerate(values)):
        raise Invalid("This cursor is not one we gave out.", field="cursor")
    return values


def _is_id(value: Any) -> bool:
    """A whole number that a column can be compared with."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
