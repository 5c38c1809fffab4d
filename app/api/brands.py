"""The switch that stops all posting of a brand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from app.accounts import brands
from app.accounts.models import Brand, User
from app.api import scope
from app.api.door import Shown, door
from app.kernel.db import db
from community.replies import posting
from community.replies.models import Posting


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


def _view(brand: Brand) -> StopView:
    stopped_at = db.session.scalar(select(Brand.posting_stopped_at).where(Brand.id == brand.id))
    still = db.session.scalars(select(Posting.id).where(Posting.brand_id == brand.id, Posting.state == "posting").order_by(Posting.id).limit(200)).all()
    return StopView(brand=brand.slug, stopped_at=stopped_at, still_posting=list(still) if stopped_at else [])
