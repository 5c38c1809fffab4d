"""How often one may ask by page: the same counters as the API's, so that a person has one budget for both."""

from __future__ import annotations

from flask import request
from flask_login import current_user

from app.kernel import limits

OF = {
    "claims.create": "claim",
    "drafts.submit": "submit",
    "drafts.check": "read",
    "leaving.export": "export",
    "quality.export": "export",
}
"""Endpoints with a limit of their own; every other that changes something is a plain `write`."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def spend() -> None:
    """Count this request. Raises TooMany. Of what a signed-in person reads only searches (`?q=`) count: the rest costs less than counting would."""
    if request.path.startswith("/api/"):
        return  # its doors count
    limit = OF.get(request.endpoint or "") or ("" if request.method in READING else "write")
    if not limit and request.args.get("q"):
        limit = "search"
    if current_user.is_authenticated:
        if limit:
            limits.spend(limit, f"person:{current_user.id}")
    else:
        limits.spend(limit or "visitor", limits.address(request.remote_addr))
