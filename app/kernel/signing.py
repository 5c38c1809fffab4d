"""Signed deliveries, in and out: `X-Vouch-Signature: t=UNIX_SECONDS,v1=HEX`, an HMAC-SHA256 over `t.body`.

While a secret is being changed both the new and the old one sign (`v1` twice) and both verify, so neither side has
to change at the same moment.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

SIGNATURE = "X-Vouch-Signature"
EVENT_ID = "X-Vouch-Event-Id"
SKEW = timedelta(minutes=5)
"""How far the two clocks may differ; also how long a stolen delivery could be played again, were its event id unknown."""
_HEADER_LIMIT = 1_000


class Unsigned(Exception):
    """Not signed by anyone who knows the secret, or too long ago; the message says which without helping to guess."""


def sign(secrets: Sequence[str], body: bytes, at: datetime) -> str:
    """The header's value."""
    second = int(at.timestamp())
    return ",".join([f"t={second}", *(f"v1={_mac(secret, second, body)}" for secret in secrets)])


def verify(secrets: Sequence[str], header: str | None, body: bytes, now: datetime) -> None:
    """Raises Unsigned. Every pair is compared, each in constant time."""
    if not header or len(header) > _HEADER_LIMIT:
        raise Unsigned("The signature is missing.")
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1" and value.isascii()]
    if len(times) != 1 or not re.fullmatch(r"[0-9]{1,11}", times[0]) or not given:
        raise Unsigned("The signature is not of the form t=UNIX_SECONDS,v1=HEX.")
    second = int(times[0])
    good = 0
    for secret in secrets:
        expected = _mac(secret, second, body)
        for value in given:
            good |= hmac.compare_digest(expected, value)
    if not good:
        raise Unsigned("The signature is wrong.")
    if abs(now.timestamp() - second) > SKEW.total_seconds():
        raise Unsigned("The signature is more than 5 minutes away from our clock.")


def _mac(secret: str, second: int, body: bytes) -> str:
    return hmac.new(secret.encode(), str(second).encode() + b"." + body, hashlib.sha256).hexdigest()
