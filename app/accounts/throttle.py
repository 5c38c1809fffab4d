"""Guessing passwords is slow: few wrong words per account and per address, whoever asks and however many at once."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, text
from sqlalchemy.orm import InstrumentedAttribute

from app.accounts.models import FailedSignIn
from app.kernel import clock, limits
from app.kernel.db import db
from app.kernel.errors import TooMany

if TYPE_CHECKING:
    from app.config import Config

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 10
PER_ADDRESS = 60
"""An address is often shared by an office, so it may fail more often than one account."""

_key = b""
_on = True


def init(config: Config) -> None:
    """Bind to the installation's secret, with which addresses are made unreadable."""
    global _key, _on
    _key, _on = config.secret.encode(), config.rate_limits


def admit(email_key: str, address: str) -> int:
    """Count a try as wrong before it is looked at, so that tries made at once cannot slip through together; returns its id for `forgive`.

    Raises TooMany, alike for known and unknown accounts.
    """
    account_key, address_key = _hide("account", email_key), _hide("address", limits.network(address))
    if _on:
        if db.is_postgres:
            for key in sorted({account_key, address_key}):
                db.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": int(key[:15], 16)})
        wait = max(_wait(FailedSignIn.account_key, account_key, PER_ACCOUNT), _wait(FailedSignIn.address_key, address_key, PER_ADDRESS))
        if wait:
            raise TooMany(f"Too many tries. Come back in {-(-wait // 60)} min.", retry_after=wait)
    row = FailedSignIn(account_key=account_key, address_key=address_key, at=clock.now())
    db.session.add(row)
    db.session.flush()
    return row.id


def forgive(attempt: int) -> None:
    """The try was right after all."""
    db.session.execute(delete(FailedSignIn).where(FailedSignIn.id == attempt))


def prune() -> None:
    """Drop what no longer counts."""
    db.session.execute(delete(FailedSignIn).where(FailedSignIn.at < clock.now() - 2 * WINDOW))


def _wait(column: InstrumentedAttribute[str], key: str, most: int) -> int:
    """Whole seconds until another try is allowed, 0 for now."""
    now = clock.now()
    recent = select(FailedSignIn.at).where(column == key, FailedSignIn.at > now - WINDOW).order_by(FailedSignIn.at.desc()).offset(most - 1).limit(1)
    oldest = db.session.scalar(recent)
    return max(1, int((oldest + WINDOW - now).total_seconds()) + 1) if oldest else 0


def _hide(what: str, value: str) -> str:
    return hmac.new(_key, f"{what}:{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
