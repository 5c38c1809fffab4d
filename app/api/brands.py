"""What a brand chose for itself, and the switch that stops all its posting."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts import brands, choices
from app.accounts.models import Brand, User
from app.api import scope
from app.api.door import Given, Shown, Words, door
from app.kernel.db import db
from community.replies import posting
from community.replies.models import Posting


class SettingsBody(Given):
    """`settings`: name to value; null takes the default again. All are kept, or none."""

    settings: dict[Words, Any]


class ChoiceView(Shown):
    """`kind` is number, switch, option, lines or text; `bounds` are least and most of a number, or the length of a text."""

    name: str
    kind: str
    value: Any
    default: Any
    label: str
    help: str
    unit: str
    options: dict[str, str]
    bounds: tuple[int, int] | None


class SettingsView(Shown):
    brand: str
    settings: list[ChoiceView]


class StopView(Shown):
    """`still_posting`: those a worker was sending when the switch was thrown; no other will start."""

    brand: str
    stopped_at: datetime | None
    still_posting: list[int]


@door("POST", "/brands/<slug>/posting_stop", gives=StopView)
def stop_posting(*, by: User, slug: str, **_: object) -> StopView:
    """Stop: from the answer on, no request of this brand to a network starts, those named apart."""
    brand = scope.brand_of(by, slug)
    posting.stop(brand, by=by)
    return _view(brand)


@door("DELETE", "/brands/<slug>/posting_stop", gives=StopView)
def resume_posting(*, by: User, slug: str, **_: object) -> StopView:
    """Go on: what waited goes out by itself."""
    brand = scope.brand_of(by, slug)
    brands.resume_posting(brand, by=by)
    return _view(brand)


@door("GET", "/brands/<slug>/settings", gives=SettingsView)
def get_settings(*, by: User, slug: str) -> SettingsView:
    """Everything the brand may choose, with what holds now."""
    return _settings(scope.brand_of(by, slug, "admin"))


@door("PATCH", "/brands/<slug>/settings", takes=SettingsBody, gives=SettingsView)
def change_settings(*, by: User, slug: str, body: SettingsBody) -> SettingsView:
    """Choose, all or none."""
    brand = scope.brand_of(by, slug, "admin")
    choices.choose(brand, body.settings, by=by)
    return _settings(brand)


def _settings(brand: Brand) -> SettingsView:
    fields = ("name", "kind", "default", "label", "help", "unit", "options", "bounds")
    shown = [ChoiceView(**{name: getattr(choice, name) for name in fields}, value=choice.of(brand)) for choice in choices.CHOICES.values()]
    return SettingsView(brand=brand.slug, settings=shown)


def _view(brand: Brand) -> StopView:
    stopped_at = db.session.scalar(select(Brand.posting_stopped_at).where(Brand.id == brand.id))
    still = db.session.scalars(select(Posting.id).where(Posting.brand_id == brand.id, Posting.state == "posting").order_by(Posting.id).limit(200)).all()
    return StopView(brand=brand.slug, stopped_at=stopped_at, still_posting=list(still) if stopped_at else [])
