"""How often one may ask: signed-in requests are counted per person, anonymous ones per address, deliveries per channel.

Counted in Redis, so that all web processes share one count; without Redis nothing is counted and nobody is kept out.
"""

from __future__ import annotations

import time

from flask import current_app

from app.kernel.errors import TooMany
from app.kernel.queue import link

WINDOW = 60
"""Seconds."""
PER_WINDOW = {
    "read": 1_200,
    "write": 300,
    "claim": 60,
    "submit": 60,
    "decide": 120,
    "hook": 600,
    "stranger": 60,
}
"""Far above what a person or a careful program needs."""


def spend(limit: str, who: str) -> None:
    """Count one request. Raises TooMany with the seconds until the next window."""
    if not current_app.config["VOUCH"].rate_limits:
        return
    now = time.time()
    window = int(now // WINDOW)
    key = f"limit:{limit}:{who}:{window}"

    def count(redis: object) -> int:
        pipeline = redis.pipeline()  # type: ignore[attr-defined]
        pipeline.incr(key)
        pipeline.expire(key, WINDOW * 2)
        return int(pipeline.execute()[0])

    if link.ask(count, 0) > PER_WINDOW[limit]:
        wait = int((window + 1) * WINDOW - now) + 1
        raise TooMany(f"That is more than {PER_WINDOW[limit]} a minute. Wait {wait} s.", retry_after=wait)
