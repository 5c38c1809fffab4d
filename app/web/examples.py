"""What good looks like: replies that went well, shown to newcomers before any rank."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.web import render
from app.web.frame import done, page, watch
from community.advocates.queries import advocate_of, names
from community.moderation import first_week
from community.moderation.sampling import FIRST_REPLIES
from community.replies.queries import reply_of

blueprint = Blueprint("examples", __name__)

SHOWN = 6


@blueprint.get("/examples")
def index() -> ResponseReturnValue:
    watch("me")
    user, brand = current_user._get_current_object(), acting_brand()
    advocate = advocate_of(user, brand)
    mentor = first_week.mentor_of(brand)
    return page(
        "examples/index.html",
        rows=[(one, render.post(one.mention)) for one in first_week.examples(brand, limit=SHOWN)],
        mentor=names([mentor.id], brand.id).get(mentor.id) if mentor is not None and mentor.id != user.id else None,
        new=advocate is not None and first_week.is_new(advocate),
        first=FIRST_REPLIES,
    )


@blueprint.post("/replies/<int:reply_id>/example")
def choose(reply_id: int) -> ResponseReturnValue:
    """`shown` 1: show it to newcomers; 0: no longer."""
    reply, user = reply_of(current_user, reply_id), current_user._get_current_object()
    if request.form.get("shown") == "1":
        first_week.show_as_example(reply, by=user)
        return done("reviews.show", "Shown to newcomers as what good looks like.", reply_id=reply_id)
    first_week.hide_example(reply, by=user)
    return done("reviews.show", "No longer shown.", reply_id=reply_id)
