"""Makes the application. Read `create_app` from top to bottom: that is all there is."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from app import access, api, cli, web, wiring
from app.accounts import people
from app.accounts.models import User
from app.config import Config
from app.extensions import csrf, login_manager
from app.kernel import logs, ops, queue
from app.kernel.db import db
from app.kernel.errors import VouchError
from app.kernel.outage import outage
from app.web import limits

log = logging.getLogger(__name__)

BODY_LIMIT = 1_000_000
"""Bytes of a request; larger files come in through `flask mentions import`, which streams, or where a view allows more (`body_limit`)."""
ROOT = Path(__file__).resolve().parent.parent
READING = frozenset({"GET", "HEAD", "OPTIONS"})
UNTOUCHED = frozenset({"static", "assets.bundle", "ops.healthz", "ops.readyz", "ops.metrics", "session.begin", "changes.index", "drafts.check"})
"""Endpoints no transaction is opened for: they need none, or open the one they need."""


class Vouch(Flask):
    """A Flask in which every request is one unit of work: reading ones never wait for a writer, writing ones are all or nothing.

    A view with `own_transactions` set opens its own and asks `access.check` itself.
    """

    def dispatch_request(self) -> ResponseReturnValue:
        if (
            request.endpoint in UNTOUCHED
            or request.routing_exception is not None
            or getattr(self.view_functions[str(request.endpoint)], "own_transactions", False)
        ):
            return super().dispatch_request()
        with db.transaction(read_only=request.method in READING):
            access.check(request.endpoint)
            limits.spend()
            return super().dispatch_request()


def create_app(config: Config | None = None) -> Flask:
    """An application bound to one configuration. Raises BadConfig with one sentence."""
    config = config or Config.from_environment()
    logs.init(config)
    app = Vouch("vouch", root_path=str(ROOT), static_folder="app/static", template_folder="templates")
    _configure(app, config)
    db.init(config)
    queue.link.init(config)
    wiring.wire(config)
    logs.init_app(app)
    login_manager.init_app(app)
    login_manager.request_loader(_person)
    app.before_request(_allow)
    csrf.init_app(app)
    app.register_blueprint(ops.blueprint)
    web.register(app)
    api.register(app)
    cli.register(app)
    app.register_error_handler(Exception, _answer)
    access.check_complete(app)
    return app


def _configure(app: Flask, config: Config) -> None:
    secure = config.base_url.startswith("https://")
    app.config.update(
        VOUCH=config,
        SECRET_KEY=config.secret,
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        MAX_FORM_MEMORY_SIZE=BODY_LIMIT,
        SESSION_COOKIE_NAME="__Host-vouch" if secure else "vouch",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=secure,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if config.trusted_proxies:
        n = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]


def _allow() -> None:
    """A view that takes files says how large they may be (`body_limit`); asked before anything reads the body."""
    view = current_app.view_functions.get(request.endpoint or "")
    request.max_content_length = getattr(view, "body_limit", BODY_LIMIT)


def _person(_request: Any) -> User | None:
    """Who asks: by the session this device holds, or by an API token. A token never opens a page, a cookie never the API."""
    if request.path.startswith("/api/"):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return people.person_of_token(token.strip()) if scheme.lower() == "bearer" and token else None
    secret = cookie.get("sid")
    found = people.person_of_session(secret) if isinstance(secret, str) and db.in_transaction else None
    if found is None:
        return None
    user, g.sign_in = found
    return user


def _answer(error: Exception) -> ResponseReturnValue:
    """Every failure in words: the refusal's own, or a plain sentence and the request's id."""
    if isinstance(error, VouchError):
        status, code, message, extra = error.status, error.code, error.message, error.extra
    elif isinstance(error, CSRFError):
        status, code, message, extra = 400, "stale", STALE, {}
    elif isinstance(error, HTTPException):
        if error.code is None or error.code < 400:
            return error  # a redirect
        status, code, message, extra = error.code, error.name.lower().replace(" ", "-"), _WORDS.get(error.code, error.description or error.name), {}
    elif (why := outage(error)) is not None:
        log.warning("the database did not answer: %s", why)
        status, code, message, extra = (
            503,
            "unavailable",
            "The database does not answer just now. Nothing you typed is lost; try again in a moment.",
            {"retry_after": 5},
        )
    else:
        log.exception("unexpected error")
        status, code, message, extra = 500, "error", "Something broke on our side. Nothing was changed.", {}
    answer = api.problem if request.path.startswith("/api/") else web.error_page
    response = answer(status, code, message, extra)
    if "retry_after" in extra:
        response.headers["Retry-After"] = str(extra["retry_after"])
    return response


STALE = "This page is older than your sign-in, so nothing was done. Open the page again and send it once more."
_WORDS = {
    400: "That request could not be read.",
    404: "Not here, or not yours to see.",
    405: "That can't be done here.",
    413: "That is too large: a request holds at most 1 MB, a file of answers 8 MB. More comes in by “flask mentions import” and “flask answers import”.",
    415: "That kind of content is not read here.",
}
