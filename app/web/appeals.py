"""A second look at a rejection: the writer asks, somebody who did not decide it looks."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel.errors import Invalid
from app.web import render
from app.web.frame import done, page, watch
from community.moderation import appeals
from community.replies.queries import reply_of

blueprint = Blueprint("appeals", __name__)


@blueprint.get("/appeals")
def index() -> ResponseReturnValue:
    """What waits for a second look, oldest first."""
    watch("reviews")
    user = current_user._get_current_object()
    rows = [(one, render.post(one.mention), appeals.refusal_of(one.appeal, user), appeals.can_send(one)) for one in appeals.open_appeals(user, acting_brand())]
    return page("appeals/index.html", rows=rows)


@blueprint.post("/replies/<int:reply_id>/appeal")
def create(reply_id: int) -> ResponseReturnValue:
    """The writer of a rejected reply asks, once: `words`."""
    reply = reply_of(current_user, reply_id)
    appeals.appeal(reply, by=current_user._get_current_object(), words=request.form.get("words", ""))
    return done("tasks.show", "Asked. Somebody who did not decide it takes a second look, and you hear what they find.", task_id=reply.task_id)


@blueprint.post("/appeals/<int:appeal_id>/decision")
def decide(appeal_id: int) -> ResponseReturnValue:
    """`outcome` uphold, send (uphold and let it go out) or dismiss; `note`."""
    user = current_user._get_current_object()
    outcome = request.form.get("outcome")
    if outcome not in ("uphold", "send", "dismiss"):
        raise Invalid("An outcome is uphold, send or dismiss.", field="outcome")
    asked = appeals.appeal_of(user, appeal_id)
    appeals.decide(asked.appeal, by=user, uphold=outcome != "dismiss", send=outcome == "send", note=request.form.get("note"))
    words = {"uphold": "Upheld: it counts as right.", "send": "Upheld, and it goes out.", "dismiss": "The decision stands."}[outcome]
    return done("appeals.index", f"{words} {asked.writer.name} hears it with your reason.")
