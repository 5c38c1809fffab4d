"""What is said to the database while something runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.kernel.db import db


@contextmanager
def listening(name: str, listener: Callable[..., Any]) -> Iterator[None]:
    """An event of SQLAlchemy's engines or pools, on every one the application has."""
    engines = db.engines
    for engine in engines:
        event.listen(engine, name, listener)
    try:
        yield
    finally:
        for engine in engines:
            event.remove(engine, name, listener)


@contextmanager
def statements() -> Iterator[list[str]]:
    """Fills with the SQL as it is sent."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    with listening("before_cursor_execute", note):
        yield seen
