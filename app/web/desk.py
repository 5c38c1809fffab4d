"""The desk: what a person may take now, what they hold, and what came back to them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel import clock
from app.web import render
from app.web.claims import held_by
from app.web.frame import is_part, page, watch
from community.feedback.queries import thanks_for
from community.permissions import RULES
from community.tasks.models import Task
from community.tasks.queries import ORDERS, DeskTask, desk
from gamification.points.queries import week
from gamification.points.rules import Price, price

blueprint = Blueprint("desk", __name__)

SHOWN = 12
"""Cards on the page: more than anybody weighs against each other; the rest moves up as these are taken."""


@dataclass(frozen=True, slots=True)
class Card:
    """One task on the desk."""

    task: Task
    post: render.Post
    because: str
    price: Price
    holder: str | None
    until: str | None
    mine: bool
    refusal: str | None
    """Why this person can't claim it; none when they can."""


@blueprint.get("/desk")
def index() -> ResponseReturnValue:
    """`?topic=&lang=&kind=&order=`"""
    watch("desk")
    user, brand = current_user._get_current_object(), acting_brand()
    chosen = {name: request.args.get(name) or None for name in ("topic", "lang", "kind")}
    order = request.args.get("order", "fit")
    order = order if order in ORDERS else "fit"
    found = desk(user, brand, topic=chosen["topic"], lang=chosen["lang"], kind=chosen["kind"], order=order, limit=SHOWN)
    values = {"found": found, "cards": [_card(one) for one in found.items], "chosen": chosen, "order": order}
    if is_part():
        return page("desk/_list.html", **values)
    advocate = found.advocate
    return page(
        "desk/index.html",
        **values,
        claims=held_by(user, brand),
        advocate=advocate,
        paused=advocate is not None and advocate.paused_until is not None and advocate.paused_until > clock.now(),
        thanks=thanks_for(user, brand, limit=3),
        points=week(user, brand),
    )


def worth(task: Task) -> Price:
    """What an approved reply to it earns now: the wait counts from its arrival, as the ledger counts it."""
    return price(task.kind, task.lang, clock.now() - task.mention.received_at)


def _card(one: DeskTask) -> Card:
    return Card(
        task=one.task,
        post=render.post(one.mention),
        because=one.because,
        price=worth(one.task),
        holder=one.holder.name if one.holder and not one.mine else None,
        until=render.time_of_day(one.holder.until) if one.holder and one.holder.until else None,
        mine=one.mine,
        refusal=RULES.refusal(current_user, "task.claim", one.task),
    )
