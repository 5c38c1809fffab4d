"""Claiming is creating a claim, handing back is ending it; and the page of what a person has in hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, TooMany
from app.web import render
from app.web.frame import done, page, watch
from community.moderation.actions import REASON_WORDS
from community.moderation.models import Review
from community.moderation.queries import asked_changes
from community.replies import actions as replies
from community.replies.queries import replies_of
from community.tasks import actions
from community.tasks.models import Claim, Task
from community.tasks.queries import claims_of, task_of

blueprint = Blueprint("claims", __name__)

LONGEST_NUMBER = 18
"""Digits of a row's id in a form."""


@dataclass(frozen=True, slots=True)
class Held:
    """One hold with what the person needs to go on."""

    task: Task
    claim: Claim
    post: render.Post
    left: int
    """Seconds of the lease; 0 for an assignment."""
    share: int
    """Percent of the lease that is left."""
    asked: Asked | None
    """It came back: what a reviewer wants changed."""


@dataclass(frozen=True, slots=True)
class Asked:
    who: str
    at: datetime
    words: str


@blueprint.get("/claims")
def index() -> ResponseReturnValue:
    watch("desk")
    user, brand = current_user._get_current_object(), acting_brand()
    return page("claims/index.html", claims=held_by(user, brand), replies=replies_of(user, brand, limit=30))


@blueprint.post("/tasks/<int:task_id>/claim")
def create(task_id: int) -> ResponseReturnValue:
    """Take the task: 409 with the winner's name for whoever was slower. `incident`: the one whose leading task it is; its answer is written there."""
    task = task_of(current_user, task_id)
    try:
        with db.session.begin_nested():
            actions.claim(task, by=current_user._get_current_object())
    except (Conflict, TooMany) as refusal:
        return page("claims/lost.html", refusal=refusal.message, read=refusal.extra.get("read"), task_id=task_id), refusal.status
    led = request.form.get("incident", "")
    if led.isascii() and led.isdigit() and len(led) < LONGEST_NUMBER:
        return done("incidents.show", "Yours. What you write here once is varied for all of them.", incident_id=int(led))
    return done("tasks.show", task_id=task.id)


@blueprint.route("/tasks/<int:task_id>/claim", methods=["DELETE"])
@blueprint.post("/tasks/<int:task_id>/claim/release", endpoint="release")
def delete(task_id: int) -> ResponseReturnValue:
    """Hand it back with a `note`; the draft stays with its writer, and with `leave_draft=1` the next one may start from it."""
    task, leaves = task_of(current_user, task_id), request.form.get("leave_draft") == "1"
    replies.hand_on(task, by=current_user._get_current_object(), note=request.form.get("note") or None, leave_draft=leaves)
    if leaves:
        return done("desk.index", "Handed back. Whoever takes it may start from your draft.", undo=url_for("claims.take_words_back", task_id=task.id))
    return done("desk.index", "Handed back. The task is free for others, your draft is kept for you.")


@blueprint.post("/tasks/<int:task_id>/claim/words/forget")
def take_words_back(task_id: int) -> ResponseReturnValue:
    """Leave no draft for the next one after all."""
    actions.take_words_back(task_of(current_user, task_id), by=current_user._get_current_object())
    return done("desk.index", "Your draft is yours alone again.")


def held_by(user: User, brand: Brand) -> list[Held]:
    """What a person holds, the most urgent end first."""
    claims = claims_of(user, brand)
    returned = asked_changes(user, [task.id for task, _ in claims])
    return [_held(task, claim, returned.get(task.id)) for task, claim in claims]


def _held(task: Task, claim: Claim, returned: tuple[Review, User | None] | None) -> Held:
    left = render.seconds_left(claim.ends_at)
    whole = (claim.ends_at - claim.started_at).total_seconds() if claim.ends_at else 0
    asked = None
    if returned is not None:
        review, who = returned
        asked = Asked(who.name if who else "A rule", review.at, review.note or REASON_WORDS.get(review.reason or "", ""))
    return Held(task, claim, render.post(task.mention), left, share_left(left, whole), asked)


def share_left(left: float, whole: float) -> int:
    return max(0, min(100, round(100 * left / whole))) if whole else 100
