"""Peers look first: what waits for an advocate's look, and the four questions about one reply."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel.errors import Forbidden, Invalid, NotFound
from app.web import render
from app.web.frame import done, page, watch
from community.mentions.queries import conversation
from community.moderation import peers
from community.moderation.peers import PEERS, QUESTIONS, QUORUM, ToVet

blueprint = Blueprint("vet", __name__)


@blueprint.get("/vet")
def index() -> ResponseReturnValue:
    """The queue with its first item open; below trust level 2 what is missing."""
    watch("vet")
    user, brand = current_user._get_current_object(), acting_brand()
    try:
        waits = peers.to_vet(user, brand)
    except Forbidden as refused:
        return page("vet/index.html", waits=[], current=None, refusal=refused.message, on=PEERS.of(brand))
    return _page(waits, waits[0] if waits else None)


@blueprint.get("/vet/<int:reply_id>")
def show(reply_id: int) -> ResponseReturnValue:
    watch("vet", f"reply-{reply_id}")
    user, brand = current_user._get_current_object(), acting_brand()
    item = peers.vet_of(user, reply_id)
    if item.reply.brand_id != brand.id:
        raise NotFound
    return _page(peers.to_vet(user, brand), item)


@blueprint.post("/replies/<int:reply_id>/votes")
def vote(reply_id: int) -> ResponseReturnValue:
    """`revision`, and `kind`, `answers`, `correct`, `personal`: each 1 (yes) or 0 (no); `note`."""
    user = current_user._get_current_object()
    item = peers.vet_of(user, reply_id)
    found: dict[str, bool] = {}
    for name, words in QUESTIONS:
        if request.form.get(name) not in ("0", "1"):
            raise Invalid(f"Say yes or no: is it {words}?", field=name)
        found[name] = request.form[name] == "1"
    row = peers.vote(item.reply, by=user, revision=_number(request.form.get("revision")), note=request.form.get("note"), **found)
    return done("vet.index", "Thank you: a yes." if row.yes else "Thank you. The moderator sees what you found.")


def _page(waits: Any, item: ToVet | None) -> ResponseReturnValue:
    return page("vet/index.html", waits=waits, current=item, refusal=None, on=PEERS.of(acting_brand()), **(_detail(item) if item else {}))


def _detail(item: ToVet) -> dict[str, Any]:
    user = current_user._get_current_object()
    own = peers.mine(user, item.reply)
    quorum = QUORUM.of(acting_brand())
    return {
        "posts": [render.post(one) for one in conversation(item.task.conversation_id, user=user) if one.id <= item.mention.id],
        "own": own,
        "asked": own is None and peers.is_asked(item.reply),
        # Nobody sees what others found before they have looked themselves.
        "votes": peers.votes_of(item.reply, own.revision) if own is not None else [],
        "questions": QUESTIONS,
        "quorum": quorum,
    }


def _number(given: str | None) -> int | None:
    try:
        return int(given) if given else None
    except ValueError:
        raise Invalid("A revision is a number.", field="revision") from None
