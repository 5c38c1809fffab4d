"""What the machine was unsure of, waiting for a person's decision."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel import clock
from app.web import render
from app.web.frame import page_or_part, watch
from community.mentions.actions import TRIAGE_MINUTES
from community.mentions.models import Decision
from community.mentions.queries import triage_list
from community.permissions import RULES

blueprint = Blueprint("triage", __name__)

SHOWN = 15
"""Posts on the page; the next move up as these are decided."""


@blueprint.get("/triage")
def index() -> ResponseReturnValue:
    watch("triage")
    now = clock.now()
    found = [
        (render.post(mention, marked=True, faint=True), mention.decision, _left(mention.decision, now)) for mention in triage_list(acting_brand(), limit=SHOWN)
    ]
    may = RULES.may(current_user, "mention.reroute", _In(acting_brand().id))
    return page_or_part("triage/index.html", "triage/_list.html", mentions=found, minutes=TRIAGE_MINUTES, may=may)


def _left(decision: Decision | None, now: datetime) -> int:
    """Seconds until tier 1 gets it."""
    return max(0, round(60 * TRIAGE_MINUTES - (now - decision.at).total_seconds())) if decision else 0


class _In:
    """A brand as the thing a permission is asked about."""

    def __init__(self, brand_id: int) -> None:
        self.brand_id = brand_id
