"""How often one may ask: signed-in requests are counted per person, anonymous ones per address, deliveries per channel, letters per mailbox.

Counted in Redis, so that all processes share one count. Without Redis each process counts for itself: a limit is then
reached later, never not at all, and nothing is written to the database for it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.kernel.errors import TooMany
from app.kernel.queue import link

if TYPE_CHECKING:
    from app.config import Config


@dataclass(frozen=True, slots=True)
class Limit:
    """So many within so many seconds."""

    most: int
    seconds: int

    @property
    def words(self) -> str:
        return f"{self.most} {'a minute' if self.seconds == 60 else 'an hour' if self.seconds == 3600 else f'in {self.seconds} s'}"


LIMITS = {
    "read": Limit(1_200, 60),
    "write": Limit(300, 60),
    "claim": Limit(60, 60),
    "submit": Limit(60, 60),
    "decide": Limit(120, 60),
    "search": Limit(120, 60),
    "hook": Limit(600, 60),
    "stranger": Limit(60, 60),
    "visitor": Limit(600, 60),
    "sign_in": Limit(300, 60),
    "export": Limit(12, 3600),
    "letter": Limit(120, 3600),
    "mailbox": Limit(5, 3600),
    "apply": Limit(20, 3600),
}
"""Far above what a person or a careful program needs. `stranger`: requests to the API without a good token; `visitor`: pages opened without signing in;
`sign_in` counts all tries of an address, wrong words apart (`accounts.throttle`);
`letter` what one person has mailed to others, `mailbox` what one mailbox is sent by strangers' asking."""
REMEMBERED = 10_000
"""Counters a process keeps for itself while there is no Redis; beyond, it begins anew."""

_on = True
_own: dict[str, int] = {}
_lock = threading.Lock()


def init(config: Config) -> None:
    """Bind to the configuration."""
    global _on
    _on = config.rate_limits


def spend(limit: str, who: str) -> None:
    """Count one. Raises TooMany with the seconds until the next window."""
    if not allows(limit, who):
        rule = LIMITS[limit]
        wait = int(rule.seconds - time.time() % rule.seconds) + 1
        raise TooMany(f"That is more than {rule.words}. Wait {wait} s.", retry_after=wait)


def allows(limit: str, who: str) -> bool:
    """Count one; whether it is within the limit. For what must not tell that a limit was reached."""
    if not _on:
        return True
    rule = LIMITS[limit]
    window = int(time.time() // rule.seconds)
    # Hashed: an address or a mailbox has no business in Redis.
    key = f"limit:{limit}:{hashlib.blake2b(who.encode('utf-8', 'surrogatepass'), digest_size=12).hexdigest()}:{window}"

    def count(redis: object) -> int:
        pipeline = redis.pipeline(transaction=False)  # type: ignore[attr-defined]
        pipeline.incr(key)
        pipeline.expire(key, rule.seconds * 2)
        return int(pipeline.execute()[0])

    counted = link.ask(count, 0)
    return (counted or _count_here(key)) <= rule.most


def address(remote: str | None) -> str:
    """Who asks without a name. One household or office counts once: a /64 in IPv6, where everybody has billions of addresses."""
    return f"address:{network(remote or '')}"


def network(remote: str) -> str:
    try:
        found = ipaddress.ip_address(remote)
    except ValueError:
        return remote
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped) if found.ipv4_mapped else str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _count_here(key: str) -> int:
    with _lock:
        if len(_own) >= REMEMBERED:
            _own.clear()
        _own[key] = _own.get(key, 0) + 1
        return _own[key]
