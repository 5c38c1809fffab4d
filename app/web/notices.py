"""What a person was told, thanks first."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.notices import actions
from app.notices.kinds import kind_of
from app.notices.models import Notice
from app.notices.queries import page_of_notices
from app.web.frame import done, page, watch

blueprint = Blueprint("notices", __name__)

ICONS = {
    "thanks": "heart", "approved": "check-check", "returned": "undo-2", "rejected": "x", "posted": "send", "lapsed": "clock-alert",
    "reopened": "refresh-cw", "stuck": "octagon-alert", "refused": "octagon-alert", "flag": "flag", "flag_decided": "flag", "assigned": "user-round-plus",
    "handed_up": "arrow-up", "missed": "octagon-alert", "pulled_back": "undo-2", "withdrawn": "undo-2", "badge": "award", "joined": "user-round-plus",
    "application": "user-round-plus", "role": "shield", "trust": "shield", "fits": "inbox", "suspended": "ban", "doubt": "circle-help",
}  # fmt: skip


@blueprint.get("/notices")
def index() -> ResponseReturnValue:
    """Unread thanks stand before everything, then the newest day first, in each day ranks last. `?after=`"""
    watch("me")
    found = page_of_notices(current_user._get_current_object(), cursor=request.args.get("after"))
    return page("notices/index.html", notices=sorted(found.items, key=_place), next_cursor=found.next, later="after" in request.args, icons=ICONS)


def _place(notice: Notice) -> tuple[bool, int, bool]:
    kind = kind_of(notice.kind).name
    thanks = kind == "thanks" and notice.read_at is None
    return (not thanks, 0 if thanks else -notice.at.toordinal(), kind == "game")


@blueprint.post("/notices/read")
def read_all() -> ResponseReturnValue:
    actions.read_all(current_user._get_current_object())
    return done("notices.index")
