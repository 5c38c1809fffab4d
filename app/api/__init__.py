"""The API, /api/v1: the same resources and the same verbs as the pages."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, jsonify

from app.kernel.logs import request_id


def register(app: Flask) -> None:
    """Every resource."""


def problem(status: int, code: str, message: str, extra: dict[str, Any]) -> Response:
    """RFC 9457: what went wrong, for programs."""
    response = jsonify({"type": f"urn:vouch:{code}", "title": message, "status": status, "detail": message, "request_id": request_id(), **extra})
    response.status_code = status
    response.content_type = "application/problem+json"
    return response
