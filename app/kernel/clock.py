"""One place that says what time it is. Stored times are UTC and aware; durations inside a process use the monotonic clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_shift: ContextVar[timedelta] = ContextVar("vouch_clock_shift", default=timedelta(0))


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC) - _shift.get()


@contextmanager
def ago(length: timedelta) -> Iterator[None]:
    """Let what is done inside have happened this long ago: how seeds give a brand its history. Nothing that serves people uses it."""
    token = _shift.set(length)
    try:
        yield
    finally:
        _shift.reset(token)
