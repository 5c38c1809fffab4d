"""What a person was told, thanks first."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.notices import actions
from app.notices.queries import latest
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
    """Unread thanks stand before everything, then newest first."""
    watch("me")
    found = sorted(latest(current_user._get_current_object()), key=lambda notice: notice.kind != "thanks" or notice.read_at is not None)
    return page("notices/index.html", notices=found, icons=ICONS)


@blueprint.post("/notices/read")
def read_all() -> ResponseReturnValue:
    actions.read_all(current_user._get_current_object())
    return done("notices.index")
