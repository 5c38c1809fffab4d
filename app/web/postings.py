"""Getting it out: by hand with a link to prove it, taking it back while it can be, and what nobody knows yet."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.kernel.db import db
from app.kernel.errors import NotFound
from app.web import render
from app.web.frame import done, page, watch
from app.web.reviews import scope_asked
from community.channels.models import ChannelAccount
from community.mentions.models import Mention
from community.mentions.queries import conversation
from community.moderation.queries import history
from community.replies import actions, posting
from community.replies.models import Posting, Reply
from community.replies.queries import posting_of, postings_of, reply_of
from community.replies.states import POSTING

blueprint = Blueprint("postings", __name__)


@blueprint.get("/replies/<int:reply_id>/posting")
def show(reply_id: int) -> ResponseReturnValue:
    """The three steps of posting by hand, or how a posting of ours stands."""
    reply = reply_of(current_user, reply_id)
    watch(f"reply-{reply.id}")
    order = _newest(reply)
    account = db.session.get_one(ChannelAccount, order.account_id)
    question = next((one for one in conversation(_mention(reply).conversation_id, user=current_user._get_current_object()) if one.id == reply.mention_id), None)
    decided = history(reply)
    return page(
        "postings/show.html",
        reply=reply,
        posting=order,
        post=render.post(question) if question else None,
        channel=render.channel(account),
        url=render.link(_mention(reply).url),
        posted_at_url=render.link(order.url),
        review=decided[-1] if decided else None,
        mine=reply.writer_id == current_user.id,
        can_pull_back=POSTING.can(order.state, "pull_back"),
    )


@blueprint.post("/replies/<int:reply_id>/permalink")
def confirm(reply_id: int) -> ResponseReturnValue:
    """The writer says where it is."""
    reply = reply_of(current_user, reply_id)
    actions.confirm_by_hand(_newest(reply), by=current_user._get_current_object(), url=request.form.get("url", ""))
    return done("tasks.show", "It is out. Thank you. We read what the author writes next and tell you.", task_id=reply.task_id)


@blueprint.route("/replies/<int:reply_id>/posting", methods=["DELETE"])
@blueprint.post("/replies/<int:reply_id>/pull-back", endpoint="pull_back_form")
def pull_back(reply_id: int) -> ResponseReturnValue:
    """Nothing is out yet, and nothing will go out."""
    reply = reply_of(current_user, reply_id)
    actions.pull_back(reply, by=current_user._get_current_object())
    if reply.writer_id == current_user.id:
        return done("desk.index", "Pulled back. Nothing was posted. The task is kept for you for a while.")
    return done("reviews.index", "Pulled back. Nothing was posted. Its writer hears it now.", **scope_asked())


@blueprint.post("/postings/<int:posting_id>/settle")
def settle(posting_id: int) -> ResponseReturnValue:
    """A moderator looked at the network for us."""
    order = posting_of(current_user, posting_id)
    posting.settle(order, by=current_user._get_current_object(), outcome=request.form.get("outcome", ""), url=request.form.get("url") or None)
    return done("reviews.index", "Noted. Thank you for looking.", show="stuck")


def _newest(reply: Reply) -> Posting:
    found = postings_of(reply)
    if not found:
        raise NotFound("There is nothing to post here yet: the reply waits for its look.")
    return found[-1]


def _mention(reply: Reply) -> Mention:
    return db.session.get_one(Mention, reply.mention_id)
