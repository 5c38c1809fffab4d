"""The board of the week: the sum of all first, pseudonyms, nobody who does not want to be there."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel.errors import NotFound
from app.web.frame import done, page, watch
from community.advocates import actions as advocates
from community.advocates.queries import advocate_of
from gamification.leaderboards.queries import board

blueprint = Blueprint("boards", __name__)

BOARDS = ("week",)
NEAR = 3
"""How many places above and below oneself "near you" shows."""


@blueprint.get("/boards/<board>")
def show(board: str) -> ResponseReturnValue:
    """`?view=near|top`"""
    if board not in BOARDS:
        raise NotFound
    watch("me")
    return _show(board, request.args.get("view", "near"))


@blueprint.post("/me/boards")
def choose() -> ResponseReturnValue:
    """Leave the boards, or come back to them: at once, nothing else lost, and taken back with one key. `shown` 1 or 0."""
    shown = request.values.get("shown") == "1"
    advocates.show_on_boards(current_user._get_current_object(), acting_brand(), shown=shown)
    say = "You are on the boards again." if shown else "You left the boards. Nothing else changes."
    return done("boards.show", say, undo=url_for("boards.choose", shown=0 if shown else 1), board="week")


def _show(period: str, view: str) -> ResponseReturnValue:
    user, brand = current_user._get_current_object(), acting_brand()
    found = board(brand, period=period, user=user)
    rows = found.rows
    if view != "top" and found.mine is not None:
        rows = [row for row in rows if abs(row.place - found.mine.place) <= NEAR] or [found.mine]
    return page(
        "boards/show.html",
        board=found,
        rows=rows,
        view=view,
        near=found.mine is not None and len(rows) < len(found.rows),
        advocate=advocate_of(user, brand),
        week=found.since.isocalendar().week,
        ends=found.since + timedelta(days=7),
    )
