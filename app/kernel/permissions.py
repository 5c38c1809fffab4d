"""A permission is a small named predicate; a table combines them. A refusal carries its reason, so a page can explain itself.

A predicate takes the actor and the thing acted on and returns None for yes, or the sentence that says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.kernel.errors import Forbidden

Predicate = Callable[[Any, Any], str | None]


def all_of(*parts: Predicate) -> Predicate:
    """Yes when each part says yes; else the first refusal."""

    def check(actor: Any, on: Any) -> str | None:
        return next((reason for part in parts if (reason := part(actor, on)) is not None), None)

    return check


def any_of(*parts: Predicate) -> Predicate:
    """Yes when one part says yes; else the last refusal, which should name the way in."""

    def check(actor: Any, on: Any) -> str | None:
        reason: str | None = "Nobody may do this."
        for part in parts:
            reason = part(actor, on)
            if reason is None:
                return None
        return reason

    return check


class Permissions:
    """One room's table: action to predicate."""

    def __init__(self, table: dict[str, Predicate]) -> None:
        self.table = table

    def refusal(self, actor: Any, action: str, on: Any = None) -> str | None:
        """None if allowed, else the reason in words."""
        return self.table[action](actor, on)

    def may(self, actor: Any, action: str, on: Any = None) -> bool:
        return self.refusal(actor, action, on) is None

    def check(self, actor: Any, action: str, on: Any = None) -> None:
        """Raises Forbidden with the reason."""
        reason = self.refusal(actor, action, on)
        if reason is not None:
            raise Forbidden(reason)
