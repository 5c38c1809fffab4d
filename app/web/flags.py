"""Reports that a task is not for the community, and a moderator's word on them."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.web import render
from app.web.frame import done, page_or_part, watch
from app.web.tasks import FLAG_CHOICES
from community.moderation import flags
from community.moderation.models import Flag
from community.moderation.queries import open_flags
from community.permissions import RULES
from community.tasks.queries import task_of

blueprint = Blueprint("flags", __name__)

EFFECT = {
    "technical": "Upheld, it goes to tier 2.",
    "spam": "Upheld, it is set aside.",
    "angry": "The team has it already. Your word teaches the classifier.",
    "private_data": "The team has it already. Your word teaches the classifier.",
    "at_risk": "The specialists have it already. Your word teaches the classifier.",
}
NAMES = {code: name for code, _, name, _ in FLAG_CHOICES}


@blueprint.get("/flags")
def index() -> ResponseReturnValue:
    watch("flags")
    found = [(flag, render.post(mention), who, NAMES.get(flag.kind, flag.kind), EFFECT.get(flag.kind, "")) for flag, mention, who in open_flags(acting_brand())]
    return page_or_part("flags/index.html", "flags/_list.html", flags=found)


@blueprint.post("/tasks/<int:task_id>/flags")
def create(task_id: int) -> ResponseReturnValue:
    task = task_of(current_user, task_id)
    flag = flags.flag(task, by=current_user._get_current_object(), kind=request.form.get("kind", ""), note=request.form.get("note") or None)
    if flag.kind in flags.URGENT:
        return done("desk.index", "Thank you. The team has it now; you need do nothing more.")
    return done("tasks.show", "Thank you. A moderator looks at your flag.", task_id=task.id)


@blueprint.post("/flags/<int:flag_id>/decision")
def decide(flag_id: int) -> ResponseReturnValue:
    flag = db.session.get(Flag, flag_id)
    if flag is None or not RULES.may(current_user, "flag.decide", flag):
        raise NotFound
    upheld = request.form.get("uphold") == "1"
    flags.decide_flag(flag, by=current_user._get_current_object(), uphold=upheld)
    return done("flags.index", "Upheld." if upheld else "Dismissed.")
