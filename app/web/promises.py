"""How soon each tier promises a first reply: shown to the team, set by an admin."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel.errors import Invalid
from app.web.frame import done, page, watch
from escalation.cases.queries import COUNTED, case_count
from escalation.sla import actions, due
from escalation.sla.queries import promises
from escalation.tiers import NAMES, TIERS

blueprint = Blueprint("promises", __name__)


@blueprint.get("/promises")
def index() -> ResponseReturnValue:
    watch("cases")
    actions.RULES.check(current_user._get_current_object(), "sla.see", acting_brand())
    return _page()


@blueprint.post("/promises/<tier>")
def keep(tier: str) -> ResponseReturnValue:
    """`minutes` and `urgent_minutes`, of the form or (an undo) of the address."""
    given = request.values
    try:
        wanted = {name: _whole(given.get(name, ""), name) for name in ("minutes", "urgent_minutes")}
        was = actions.set_promise(acting_brand(), tier, **wanted, by=current_user._get_current_object())
    except Invalid as refused:
        # What was typed stays on the page, beside the sentence that says what is wrong with it.
        return _page(tier, dict(given.items()), refused), refused.status
    if (was.minutes, was.urgent_minutes) == (wanted["minutes"], wanted["urgent_minutes"]):
        return done("promises.index", "Nothing was changed.")
    undo = url_for("promises.keep", tier=tier, minutes=was.minutes, urgent_minutes=was.urgent_minutes)
    said = f"{NAMES[tier].capitalize()} promises a first reply within {wanted['minutes']} min, {wanted['urgent_minutes']} where it is urgent."
    return done("promises.index", f"{said} Open cases keep the time they were promised.", undo=undo)


def _page(tier: str = "", typed: dict[str, str] | None = None, refused: Invalid | None = None) -> str:
    brand, by = acting_brand(), current_user._get_current_object()
    hold = promises(brand.id)
    return page(
        "promises/index.html",
        tiers=[(name, NAMES[name], hold[name, due.FIRST_RESPONSE], due.DEFAULTS[name, due.FIRST_RESPONSE], case_count(brand, name)) for name in TIERS],
        most=actions.LONGEST,
        counted=COUNTED,
        urgent_from=due.URGENT_FROM,
        may=actions.RULES.may(by, "sla.set", brand),
        tier=tier,
        typed=typed or {},
        refused=refused,
    )


def _whole(text: str, name: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Invalid(f"“{text[:20]}” is no number of minutes.", field=name)
    return int(text)
