"""The labelling page: one post at a time, one key each; and where people differ."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.web import render
from app.web.frame import done, page, watch
from community.mentions.queries import mention_of
from escalation.learning import actions, queries, sampling
from escalation.permissions import RULES

blueprint = Blueprint("labelling", __name__)

VERDICTS = (
    ("angry", "Angry", "a", "anger, insult, blame, sarcasm that blames, a threat to leave"),
    ("technical", "Technical", "t", "a bug, crash, outage, device, version, connection or login"),
    ("both", "Both", "b", "angry and technical"),
    ("neither", "Neither", "n", "a question, a plain problem, thanks: a customer can answer"),
    ("spam", "Not for us", "s", "spam, news, talk between others, nothing to answer"),
)
"""Verdict, word, key, what it means."""
WHY = {
    "unsure": "The machine is least sure of posts like this one.",
    "random": "Drawn blindly, so that we learn how common such posts are, and what the machine is surely wrong about.",
    "second": "A second look: somebody labelled this already. Their answer is not shown.",
}
SAID = {verdict: word.lower() for verdict, word, _, _ in VERDICTS}


@blueprint.get("/labelling")
def index() -> ResponseReturnValue:
    watch("me")
    user, brand = current_user._get_current_object(), acting_brand()
    RULES.check(user, "label.give", brand)
    asked = sampling.next_question(user, brand)
    mention = mention_of(user, asked.mention_id) if asked else None
    return page(
        "labelling/index.html",
        post=render.post(mention) if mention else None,
        asked=asked,
        why=WHY[asked.drawn] if asked else "",
        verdicts=VERDICTS,
        progress=queries.progress(user, brand),
        agreed=queries.agreed(brand),
        caution=queries.CAUTION,
        earnest=queries.EARNEST,
    )


@blueprint.post("/labelling")
def give() -> ResponseReturnValue:
    """A label; the next post opens by itself."""
    user = current_user._get_current_object()
    number = request.form.get("mention", "")
    mention = mention_of(user, int(number) if number.isascii() and number.isdigit() and len(number) < 18 else 0)
    verdict = request.form.get("verdict", "")
    actions.label(mention, verdict, by=user, drawn=request.form.get("drawn") or None)
    decision = mention.decision
    had = f" The machine had said: angry {decision.anger:.2f}, technical {decision.technical:.2f}." if decision and verdict != "skip" else ""
    say = f"Skipped: {mention.author} is not asked about again." if verdict == "skip" else f"Labelled: {SAID[verdict]}.{had}"
    return done("labelling.index", say, undo=url_for("labelling.take_back", mention_id=mention.id))


@blueprint.post("/labelling/<int:mention_id>/undo")
def take_back(mention_id: int) -> ResponseReturnValue:
    user = current_user._get_current_object()
    actions.take_back(mention_of(user, mention_id), by=user)
    return done("labelling.index", "Taken back: nothing was learned from it.")


@blueprint.get("/labelling/disputed")
def disputed() -> ResponseReturnValue:
    """Where people differ."""
    watch("me")
    user, brand = current_user._get_current_object(), acting_brand()
    found = [(render.post(one.mention), one.voices) for one in queries.disputes(user, brand)]
    return page("labelling/disputed.html", disputes=found, may=RULES.may(user, "label.give", brand), verdicts=VERDICTS)
