"""The quality board: how well the machine decides, what it missed, and what became of one miss."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel.errors import NotFound
from app.web import render
from app.web.frame import page, watch
from community.mentions.queries import conversation, decisions, mention_of
from escalation.learning import board as boards
from escalation.learning.board import Board, Line
from escalation.learning.queries import voices
from escalation.shares import Share

blueprint = Blueprint("quality", __name__)

GROUPS = {"language": "Language", "channel": "Channel", "category": "Category", "week": "Week", "version": "Version"}
SHARES = ("reached", "as_case", "angry", "technical", "precision", "needless", "looks")


@blueprint.get("/quality")
def index() -> ResponseReturnValue:
    watch("me")
    found = _asked()
    missed = [(render.post(mention, marked=True, faint=True), mention.decision) for mention in boards.misses(found)]
    return page(
        "quality/index.html", board=found, misses=missed, groups=GROUPS, periods=boards.PERIODS, enough=boards.ENOUGH, goal=boards.GOAL, asked=_filters()
    )


@blueprint.get("/quality.csv")
def export() -> Response:
    """Every number of the board, as a table."""
    found, out = _asked(), io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["group", "name", "figure", "share", "low", "high", "hits", "of"])
    for group, one in [("all", found.whole), *((by, one) for by, lines in found.groups.items() for one in lines)]:
        for figure, value in shares(one):
            rows.writerow([group, safe(one.name), figure, _number(value.share), value.low, value.high, value.hits, value.of])
    for signal, curve in found.curves.items():
        rows.writerow(["calibration", signal, "brier", "" if curve.brier is None else curve.brier, "", "", curve.positives, curve.of])
        for each in curve.bins:
            rows.writerow(["calibration", signal, f"said {each.said}", _number(each.true.share), each.true.low, each.true.high, each.true.hits, each.true.of])
    answer = Response(out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="quality-{acting_brand().slug}-{found.days}-days.csv"'
    return answer


@blueprint.get("/quality/misses/<int:mention_id>")
def autopsy(mention_id: int) -> ResponseReturnValue:
    """One miss: what the machine saw, when, who corrected it, and what it became."""
    watch("me")
    user = current_user._get_current_object()
    mention = mention_of(user, mention_id)
    told = list(reversed(decisions(mention)))
    if not told:
        raise NotFound
    said = voices([mention.id]).get(mention.id, ())
    return page(
        "quality/autopsy.html",
        mention=mention,
        post=render.post(mention, marked=True, faint=True),
        first=told[0],
        steps=render.story_of(mention, told, said),
        thread=[render.post(one) for one in conversation(mention.conversation_id, user=user) if one.id != mention.id and one.posted_at >= mention.posted_at],
    )


def shares(one: Line) -> Iterator[tuple[str, Share]]:
    """Every share of a line by its name."""
    return ((name, getattr(one, name)) for name in SHARES)


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def _asked() -> Board:
    asked = _filters()
    return boards.board(current_user._get_current_object(), acting_brand(), **asked)


def _filters() -> dict[str, Any]:
    days = request.args.get("days", "28")
    return {
        "days": int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
        **{name: request.args.get(name) or None for name in ("sample", "language", "channel", "version")},
    }


def _number(value: float | None) -> str | float:
    return "" if value is None else round(value, 4)
