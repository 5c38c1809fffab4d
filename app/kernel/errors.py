"""What can be refused, each with a sentence for the person who asked.

`status` is the HTTP status the edges answer with; `code` names the kind of problem for programs.
"""

from __future__ import annotations

from typing import Any


class VouchError(Exception):
    """A refusal with its reason in words. Nothing was changed."""

    status = 400
    code = "bad-request"

    def __init__(self, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra


class Invalid(VouchError):
    """What was handed in cannot be used; `field` says which part."""

    status = 422
    code = "invalid"

    def __init__(self, message: str, *, field: str | None = None, **extra: Any) -> None:
        super().__init__(message, **({"field": field} if field else {}), **extra)
        self.field = field


class Missing(VouchError):
    """A part that is required was not handed in."""

    status = 400
    code = "missing"


class SignedOut(VouchError):
    status = 401
    code = "signed-out"


class Forbidden(VouchError):
    """The rule that forbids it, in words."""

    status = 403
    code = "forbidden"


class NotFound(VouchError):
    """Not here, or not yours to see: the two are never told apart."""

    status = 404
    code = "not-found"

    def __init__(self, message: str = "Not here, or not yours to see.", **extra: Any) -> None:
        super().__init__(message, **extra)


class Conflict(VouchError):
    """Somebody was faster, or the thing has moved on: says what is true now."""

    status = 409
    code = "conflict"


class TooMany(VouchError):
    """A limit is reached; `retry_after` in seconds where waiting helps."""

    status = 429
    code = "too-many"

    def __init__(self, message: str, *, retry_after: int | None = None, **extra: Any) -> None:
        super().__init__(message, **({"retry_after": retry_after} if retry_after else {}), **extra)
        self.retry_after = retry_after
