"""The pages: one file per resource, each thin: find, ask leave, call one verb, answer."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, make_response, render_template

from app.kernel.logs import request_id


def register(app: Flask) -> None:
    """Every page."""


def error_page(status: int, code: str, message: str, extra: dict[str, Any]) -> Response:
    """A failure in words, with the request's id."""
    return make_response(render_template("error.html", status=status, code=code, message=message, extra=extra, request_id=request_id()), status)
