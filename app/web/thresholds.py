"""Two lines by cost: what they mean, what they would have changed, putting them live, going back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel.errors import Invalid
from app.web import render
from app.web.frame import done, page, watch
from escalation.learning import rehearsal
from escalation.permissions import RULES
from escalation.routing import lines
from escalation.routing.policy import default_policy

blueprint = Blueprint("thresholds", __name__)

NAMES = {"anger": "Angry", "technical": "Technical"}


@blueprint.get("/thresholds")
def index() -> ResponseReturnValue:
    watch("me")
    user, brand = current_user._get_current_object(), acting_brand()
    days = request.args.get("days", "7")
    span = int(days) if days in {str(one) for one in rehearsal.PERIODS} else 7
    refused: Invalid | None = None
    chosen: dict[str, Any] | None = None
    costs: dict[str, float] | None = None
    if request.args.get("draw"):
        costs = {signal: one.cost for signal, one in lines.read(_costs(request.args)).items()}
    elif any(name in request.args for name in _fields()):
        try:
            chosen = lines.read(_given(request.args))
        except Invalid as error:
            refused = error
    found = rehearsal.propose(user, brand, lines=chosen, costs=costs, days=span)
    posts = {id_: render.post(mention, marked=True, faint=True) for id_, mention in rehearsal.shown(found.rehearsal).items()}
    return page(
        "thresholds/index.html",
        found=found,
        posts=posts,
        names=NAMES,
        days=span,
        periods=rehearsal.PERIODS,
        versions=lines.history(brand),
        defaults={signal: default_policy().lines[signal] for signal in lines.DRAWN},
        refused=refused,
        may=RULES.may(user, "learning.decide", brand),
    )


@blueprint.post("/thresholds")
def put_live() -> ResponseReturnValue:
    """What was rehearsed goes live; the rehearsal is kept with it."""
    user, brand = current_user._get_current_object(), acting_brand()
    RULES.check(user, "learning.decide", brand)
    wanted = lines.read(_given(request.form))
    before = lines.current(brand.id)
    kept = rehearsal.propose(user, brand, lines=wanted).rehearsal.summary()
    row = lines.put_live(brand, wanted, by=user, reason=request.form.get("reason"), rehearsal=kept)
    undo = url_for("thresholds.back", version=before.version if before else 0)
    return done("thresholds.index", f"Lines {row.version} decide from the next post on.", undo=undo)


@blueprint.post("/thresholds/back/<int:version>")
def back(version: int) -> ResponseReturnValue:
    """The numbers of an earlier version; 0 is the defaults."""
    row = lines.back_to(acting_brand(), version, by=current_user._get_current_object())
    return done("thresholds.index", f"{row.reason}: they decide from the next post on.")


def _fields() -> list[str]:
    return [f"{signal}_{name}" for signal in lines.DRAWN for name in ("low", "high", "cost")]


def _given(form: Any) -> dict[str, Any]:
    """Percent in the form, shares behind it."""
    found: dict[str, dict[str, Any]] = {signal: {} for signal in lines.DRAWN}
    for signal in lines.DRAWN:
        for name in ("low", "high", "cost"):
            value = form.get(f"{signal}_{name}", "").strip().replace(",", ".").removesuffix("%").strip()
            if value:
                found[signal][name] = _share(value, signal, name)
    return found


def _costs(form: Any) -> dict[str, Any]:
    return {signal: {"cost": part["cost"]} for signal, part in _given(form).items() if "cost" in part}


def _share(value: str, signal: str, name: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise Invalid(f"{NAMES[signal]}: “{value[:20]}” is no number.", field=f"{signal}_{name}") from None
    return number if name == "cost" else number / 100
