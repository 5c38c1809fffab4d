"""The API, /api/v1: the same resources and the same verbs as the pages.

One file per resource, each operation a `door` (see `door`): find, ask leave, call one verb, answer.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import MethodNotAllowed

from app import access as outer
from app.api import (
    access,
    answers,
    appeals,
    brands,
    cases,
    claims,
    decide,
    desk,
    flags,
    hooks,
    incidents,
    joining,
    labels,
    leaderboards,
    learning,
    leaving,
    mentions,
    metrics,
    notices,
    people,
    postings,
    preferences,
    promises,
    quality,
    receipts,
    replies,
    reviews,
    tasks,
    texts,
    trust,
    vet,
)  # fmt: skip
from app.api.document import document
from app.api.door import DOORS, IdConverter, blueprint
from app.extensions import csrf
from app.kernel.logs import request_id

RESOURCES = (
    mentions,
    labels,
    learning,
    quality,
    decide,
    tasks,
    answers,
    texts,
    claims,
    desk,
    flags,
    replies,
    reviews,
    postings,
    receipts,
    cases,
    incidents,
    leaderboards,
    leaving,
    people,
    notices,
    preferences,
    joining,
    metrics,
    brands,
    promises,
    hooks,
    trust,
    vet,
    appeals,
)
VERSION = "1.0.0"


def register(app: Flask) -> None:
    """Every resource."""
    app.url_map.converters["id"] = IdConverter
    # A token is sent by a program on purpose, never by a browser by itself.
    csrf.exempt(blueprint)
    app.register_blueprint(blueprint)
    outer.open_to(access.TABLE)


def problem(status: int, code: str, message: str, extra: dict[str, Any]) -> Response:
    """RFC 9457: what went wrong, for programs."""
    response = jsonify({"type": f"urn:vouch:{code}", "title": message, "status": status, "detail": message, "request_id": request_id(), **extra})
    response.status_code = status
    response.content_type = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if "Authorization" in request.headers else "Bearer"
    if isinstance(request.routing_exception, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(request.routing_exception.valid_methods or ())
    return response


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(DOORS, prefix=str(blueprint.url_prefix), version=VERSION)


def _openapi() -> Response:
    return jsonify(description())


_openapi.own_transactions = True  # type: ignore[attr-defined]
blueprint.add_url_rule("/openapi.json", endpoint="openapi", view_func=_openapi, methods=["GET"], provide_automatic_options=False)
