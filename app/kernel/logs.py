"""Log lines: one JSON object each on standard error, every one that belongs to a request carrying its id.

A line never breaks: whatever a post or a header holds stays inside its JSON string. On a developer's terminal the
same facts are printed for reading, control characters escaped.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, Response, g, request

if TYPE_CHECKING:
    from app.config import Config

QUIET = ("static", "ops.healthz", "ops.readyz", "ops.metrics")
"""Endpoints asked so often, by machines, that their lines would hide the others."""

_OUTSIDE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

log = logging.getLogger("vouch.request")


def init(config: Config) -> None:
    """Send everything logged in this process to standard error. Safe to call again."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    pretty = config.env == "development" and sys.stderr.isatty()
    last: list[Any] = [_on_one_line, structlog.dev.ConsoleRenderer()] if pretty else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    handler = _ToStandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.log_level)
    for name, level in (("rq", logging.WARNING), ("werkzeug", logging.WARNING), ("alembic", logging.WARNING), ("urllib3", logging.WARNING)):
        logging.getLogger(name).setLevel(max(level, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def init_app(app: Flask) -> None:
    """Give each request an id and a line when it is answered."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """The id of the request being answered, to be shown with an error; "" outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


class _ToStandardError(logging.StreamHandler[Any]):
    """Writes to what standard error is now, not to what it was when logging began."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: Any) -> None:
        raise AttributeError("this handler follows standard error")


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.began = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=given if _OUTSIDE_ID.fullmatch(given) else uuid.uuid4().hex)


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    level = logging.DEBUG if request.endpoint in QUIET else logging.INFO
    if log.isEnabledFor(level):
        # The rule, not the path: paths carry hook tokens and set-password links.
        route = request.url_rule.rule if request.url_rule else "-"
        took = round((time.monotonic() - g.get("began", time.monotonic())) * 1000, 1)
        log.log(level, "request", extra={"method": request.method, "route": route, "status": response.status_code, "ms": took})
    return response


def _on_one_line(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    return {key: _CONTROL.sub(lambda c: c[0].encode("unicode_escape").decode(), value) if isinstance(value, str) else value for key, value in event.items()}
