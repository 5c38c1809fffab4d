"""When the database does not answer: told apart from mistakes of ours, and told in one line."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

READ_ONLY = "25006"
"""PostgreSQL's code for a server that only reads, as a standby does; the driver files it under internal errors."""
LONGEST = 200


def outage(error: BaseException | None) -> str | None:
    """Why the database takes nothing just now (away, full, locked, read-only), in its own words on one line, without the
    statement and what was to be written; None for any other error. Coming again later helps, unlike after a mistake of ours."""
    if isinstance(error, PoolTimeout):
        return "no connection was free"
    if isinstance(error, DBAPIError):
        told = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
        if told or getattr(error.orig, "sqlstate", None) == READ_ONLY:
            return " ".join(str(error.orig).split())[:LONGEST] or type(error.orig).__name__
    return None


def complain(log: logging.Logger, error: BaseException, words: str, *about: object) -> None:
    """Note what broke off: with its traceback where it is a mistake of ours, in one line where the database is away."""
    if (why := outage(error)) is not None:
        log.warning(f"{words}: the database does not answer (%s)", *about, why)
    else:
        log.error(words, *about, exc_info=error)
