"""One outside post, why it went where it went, and the correction by a person."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.web import render
from app.web.frame import done, page, watch
from community.mentions import actions
from community.mentions.queries import conversation, decisions, earlier_posts, mention_of
from community.permissions import RULES
from escalation.learning.queries import voices
from escalation.learning.why import why
from escalation.permissions import RULES as LEARNING
from escalation.tiers import TIERS

blueprint = Blueprint("mentions", __name__)


@blueprint.get("/mentions/<int:mention_id>")
def show(mention_id: int) -> ResponseReturnValue:
    watch("triage", "mentions")
    user = current_user._get_current_object()
    mention = mention_of(user, mention_id)
    return page(
        "mentions/show.html",
        mention=mention,
        back=("cases.index", "cases") if mention.decision is not None and mention.decision.audience in TIERS else ("triage.index", "what is unsure"),
        post=render.post(mention, marked=True),
        decisions=decisions(mention),
        thread=[render.post(one) for one in conversation(mention.conversation_id, user=user) if one.id != mention.id],
        earlier=earlier_posts(mention),
        grounds=why(mention, acting_brand()),
        voices=voices([mention.id]).get(mention.id, ()),
        may_label=LEARNING.may(user, "label.give", mention),
        may=RULES.may(user, "mention.reroute", mention),
        audiences=[code for code in actions.AUDIENCES if not (mention.private and code == "community")],
        priority=render.priority(mention.decision.priority) if mention.decision else None,
    )


@blueprint.post("/mentions/<int:mention_id>/reroute")
def reroute(mention_id: int) -> ResponseReturnValue:
    mention = mention_of(current_user, mention_id)
    audience = request.form.get("audience", "")
    actions.reroute(mention, audience, by=current_user._get_current_object(), reason=request.form.get("reason") or None)
    say = f"Decided: {render.AUDIENCES.get(audience, audience)}. It is kept, for the classifier to learn from."
    if request.form.get("from") == "triage":
        return done("triage.index", say, undo=url_for("mentions.put_back", mention_id=mention.id))
    return done("mentions.show", say, mention_id=mention.id)


@blueprint.post("/mentions/<int:mention_id>/put-back")
def put_back(mention_id: int) -> ResponseReturnValue:
    """One key after a decision that slipped."""
    mention = mention_of(current_user, mention_id)
    actions.put_back(mention, by=current_user._get_current_object())
    return done("triage.index", f"{mention.author}: unsure again.")
