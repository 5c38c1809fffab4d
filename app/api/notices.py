"""What one was told: thanks, every decision about one's work, what waits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from app.accounts.models import Brand, User
from app.api.door import Asked, Listed, Shown, Words, door, listed
from app.kernel.db import db
from app.kernel.pagination import MOST
from app.notices import actions
from app.notices.kinds import kind_of
from app.notices.models import Notice
from app.notices.queries import page_of_notices


class NoticeView(Shown):
    """One notice. `kind` is what its mail is chosen by (see the preferences), `about` the narrower word; `link` a page of this installation."""

    id: int
    brand: str
    kind: str
    about: str
    text: str
    quote: str | None
    link: str
    at: datetime
    read_at: datetime | None


class NoticesAsked(Asked):
    unread: Annotated[bool, Field(description="Only what one has not read yet.", strict=False)] = False
    limit: Annotated[int, Field(ge=1, le=MOST)] = 50
    cursor: Annotated[Words | None, Field(max_length=500, pattern=r"^[A-Za-z0-9_-]*$", description="`next` of the page before.")] = None


@door("GET", "/me/notices", asks=NoticesAsked, gives=Listed[NoticeView])
def list_notices(*, by: User, query: NoticesAsked) -> dict[str, Any]:
    """What one was told in all one's brands, newest first."""
    found = page_of_notices(by, limit=query.limit, cursor=query.cursor, unread=query.unread)
    brands = {brand_id: db.session.get_one(Brand, brand_id).slug for brand_id in {notice.brand_id for notice in found.items}}
    return listed(found, lambda notice: _view(notice, brands))


@door("POST", "/me/notices/read", status=204)
def read_notices(*, by: User, **_: object) -> None:
    """One has seen them all."""
    actions.read_all(by)


def _view(notice: Notice, brands: dict[int, str]) -> NoticeView:
    fields = {name: getattr(notice, name) for name in ("id", "text", "quote", "link", "at", "read_at")}
    return NoticeView(**fields, brand=brands[notice.brand_id], kind=kind_of(notice.kind).name, about=notice.kind)
