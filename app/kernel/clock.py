"""One place that says what time it is. Stored times are UTC and aware; durations inside a process use the monotonic clock."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
