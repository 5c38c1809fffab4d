"""Reports that a task is not for the community, and a moderator's word on them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts.models import User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.web import render
from app.web.frame import done, page_or_part, watch
from app.web.tasks import FLAG_CHOICES
from community.mentions.models import Mention
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


@dataclass(frozen=True, slots=True)
class Line:
    """One flag that waits."""

    flag: Flag
    post: render.Post
    who: str
    name: str
    effect: str
    agreed: int
    until: str | None
    """Until when peers may agree; none once a moderator is asked."""


@blueprint.get("/flags")
def index() -> ResponseReturnValue:
    watch("flags")
    return page_or_part("flags/index.html", "flags/_list.html", flags=[_line(*row) for row in open_flags(acting_brand())])


@blueprint.post("/tasks/<int:task_id>/flags")
def create(task_id: int) -> ResponseReturnValue:
    task, user = task_of(current_user, task_id), current_user._get_current_object()
    flag = flags.flag(task, by=user, kind=request.form.get("kind", ""), note=request.form.get("note") or None)
    if flag.kind in flags.URGENT:
        return done("desk.index", "Thank you. The team has it now; you need do nothing more.")
    if flag.by_id != user.id:
        return done("desk.index", _agreed(flag))
    words = "Thank you. Peers may agree for a while, then a moderator looks."
    return done("tasks.show", words, undo=url_for("flags.take_back_form", flag_id=flag.id), task_id=task.id)


@blueprint.post("/flags/<int:flag_id>/votes")
def agree(flag_id: int) -> ResponseReturnValue:
    """A peer sees it the same way."""
    return done("desk.index", _agreed(flags.agree(_flag(flag_id), by=current_user._get_current_object())))


@blueprint.route("/flags/<int:flag_id>", methods=["DELETE"])
@blueprint.post("/flags/<int:flag_id>/end", endpoint="take_back_form")
def take_back(flag_id: int) -> ResponseReturnValue:
    """Whoever raised it was mistaken."""
    flag = _flag(flag_id)
    flags.take_back(flag, by=current_user._get_current_object())
    return done("tasks.show", "Your flag is taken back.", task_id=flag.task_id)


@blueprint.post("/flags/<int:flag_id>/decision")
def decide(flag_id: int) -> ResponseReturnValue:
    flag = db.session.get(Flag, flag_id)
    if flag is None or not RULES.may(current_user, "flag.decide", flag):
        raise NotFound
    upheld = request.form.get("uphold") == "1"
    flags.decide_flag(flag, by=current_user._get_current_object(), uphold=upheld)
    return done("flags.index", "Upheld." if upheld else "Dismissed.")


def _flag(flag_id: int) -> Flag:
    """A flag on a task this person may see; NotFound alike for all others."""
    flag = db.session.get(Flag, flag_id)
    if flag is None:
        raise NotFound
    task_of(current_user, flag.task_id)
    return flag


def _agreed(flag: Flag) -> str:
    if flag.state != "upheld":
        return "Thank you. You agree with the flag; others may still."
    return "Thank you. Enough of you agreed: " + ("the specialists have it now." if flag.kind == "technical" else "it is set aside.")


def _line(flag: Flag, mention: Mention, who: User, agreed: int) -> Line:
    until = render.time_of_day(flag.window_until) if flag.window_until and flag.window_until > clock.now() else None
    return Line(flag, render.post(mention), who.name, NAMES.get(flag.kind, flag.kind), EFFECT.get(flag.kind, ""), agreed, until)
