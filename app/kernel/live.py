"""What has changed since a page last asked: one small number per brand and list, and per person.

A number is the moment of the last change in microseconds; it says only "different from what you saw". Redis alone
keeps them. Without Redis `read` answers nothing, and a page then fetches its lists as if they had changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from app.kernel.queue import link

KEEP = 7 * 24 * 3600
"""Seconds a number outlives its last change: longer than any page stays open."""


def bump(brand_id: int, *names: str) -> None:
    """Say that these lists of a brand changed. Call it after the commit (`db.after_commit`)."""
    _touch([f"live:{brand_id}:{name}" for name in names])


def bump_person(user_id: int, name: str = "me") -> None:
    """Say that something of one person's changed: their notices, claims, points."""
    _touch([f"live:person:{user_id}:{name}"])


def read(brand_id: int, user_id: int | None, names: Iterable[str]) -> dict[str, int]:
    """The present numbers, 0 for what has not changed lately; "me" is the person's own. Empty when Redis is away."""
    wanted = list(names)
    keys = [f"live:person:{user_id}:{name}" if name == "me" else f"live:{brand_id}:{name}" for name in wanted]
    if not keys:
        return {}
    found = link.ask(lambda redis: redis.mget(keys), None)
    return {} if found is None else {name: int(value or 0) for name, value in zip(wanted, found, strict=True)}


def _touch(keys: list[str]) -> None:
    if not keys:
        return
    moment = time.time_ns() // 1000

    def write(redis: object) -> None:
        with redis.pipeline(transaction=False) as pipe:  # type: ignore[attr-defined]
            for key in keys:
                pipe.set(key, moment, ex=KEEP)
            pipe.execute()

    link.ask(write, None)
