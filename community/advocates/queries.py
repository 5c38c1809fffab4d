"""Reading advocates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, func, select

from app.accounts.models import User
from app.kernel.db import db
from community.advocates.actions import advocate_of
from community.advocates.models import Advocate

__all__ = ["advocate_of", "known_as", "names"]


def known_as(brand_id: Any) -> ColumnElement[str]:
    """How a person is named to others of a brand, in a statement over `User`: an advocate by the name they chose, staff by their own."""
    chosen = select(Advocate.pseudonym).where(Advocate.user_id == User.id, Advocate.brand_id == brand_id).correlate_except(Advocate).scalar_subquery()
    return func.coalesce(chosen, User.name)


def names(ids: Iterable[int | None], brand_id: int) -> dict[int, str]:
    """How these people are named to others of a brand, by id. One statement."""
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    return {row.id: row.name for row in db.session.execute(select(User.id, known_as(brand_id).label("name")).where(User.id.in_(wanted)))}
