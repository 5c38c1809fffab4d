"""The reader's own clock: every time of day on a page is the one on their wall."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from flask import g, has_request_context, request
from flask_login import current_user

from app.notices import preferences

COOKIE = "zone"
"""What the page's script says of the device, as Europe/Berlin; it names nobody."""


def reader_zone() -> tzinfo | None:
    """The zone of the device that asks; without its word the one chosen for mail; None when nobody said."""
    if not has_request_context():
        return None
    zone: tzinfo | str | None = g.get("zone", "unasked")  # every moment of a page asks
    if isinstance(zone, str):
        zone = g.zone = _known(request.cookies.get(COOKIE, "")) or (_known(_chosen()) if current_user.is_authenticated else None)
    return zone


def here(at: datetime) -> datetime:
    """The same moment by the reader's clock."""
    return at.astimezone(reader_zone() or UTC)


def _chosen() -> str:
    kept = current_user.preferences.get(preferences.KEPT_AS)
    return str(kept.get("zone", "")) if isinstance(kept, dict) else ""


def _known(name: str) -> tzinfo | None:
    return ZoneInfo(name) if name in preferences.zones() else None
