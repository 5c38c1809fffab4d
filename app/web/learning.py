"""Runs of learning: starting one, watching it, its figures, putting it live, going back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.web import render
from app.web.frame import done, is_part, page, page_or_part, watch
from escalation import jobs
from escalation.classifier import brands, store
from escalation.classifier.model import BadArtefact
from escalation.learning import drift, queries, runs
from escalation.learning.models import LearningRun
from escalation.permissions import RULES

blueprint = Blueprint("learning", __name__)

STATES: dict[str, tuple[str, str, str]] = {
    "queued": ("waiting", "", "clock"),
    "fitting": ("learning", "accent", "refresh-cw"),
    "shadow": ("watched", "info", "eye"),
    "taken": ("put live", "ok", "check"),
    "refused": ("not better", "warn", "triangle-alert"),
    "withdrawn": ("withdrawn", "", "undo-2"),
    "failed": ("ended early", "bad", "octagon-alert"),
}
"""Word, tone, icon."""


@blueprint.get("/learning")
def index() -> ResponseReturnValue:
    watch("learning")
    user, brand = current_user._get_current_object(), acting_brand()
    RULES.check(user, "learning.see", brand)
    found, models = runs.runs(brand), runs.models(brand)
    live = next((model for model in models.values() if model.state == "live"), None)
    card, broken = _start_model()
    values: dict[str, Any] = {
        "runs": [(run, models.get(run.model_id or 0), STATES[run.state]) for run in found],
        "live": live,
        "trouble": broken or brands.trouble(brand.id),
        "may": RULES.may(user, "learning.decide", brand),
        "busy": next((run for run in found if run.state in ("queued", "fitting")), None),
    }
    if is_part():
        return page_or_part("learning/index.html", "learning/_list.html", **values)
    return page(
        "learning/index.html",
        progress=queries.progress(user, brand),
        caution=queries.CAUTION,
        earnest=queries.EARNEST,
        weeks=drift.weeks(brand),
        much=drift.MUCH,
        card=card,
        outgrown=live is not None and not broken and runs.outgrown(live),
        waiting=sum(found[0].figures.get("alone", {}).values()) if found else 0,
        shadow_days=runs.SHADOW_DAYS.of(brand),
        by_itself=runs.BY_ITSELF.of(brand),
        **values,
    )


@blueprint.post("/learning/runs")
def start() -> ResponseReturnValue:
    run = runs.start(acting_brand(), by=current_user._get_current_object())
    runs.queue(run, jobs.learn)
    return done("learning.index", "Learning from your labels. This takes some seconds; you may leave the page.")


@blueprint.get("/learning/runs/<int:run_id>")
def show(run_id: int) -> ResponseReturnValue:
    watch("learning")
    user = current_user._get_current_object()
    run = _run(run_id)
    model = runs.models(acting_brand()).get(run.model_id or 0)
    values: dict[str, Any] = {
        "run": run,
        "people": runs.names(run),
        "changed": [(row, render.piece(mention.text)) for row, mention in runs.differences(run)],
    }
    if is_part():
        return page_or_part("learning/show.html", "learning/_run.html", **values)
    return page(
        "learning/show.html",
        **values,
        state=STATES[run.state],
        model=model,
        may=RULES.may(user, "learning.decide", run),
        can_take=runs.can_take(run),
    )


@blueprint.post("/learning/runs/<int:run_id>/live")
def put_live(run_id: int) -> ResponseReturnValue:
    """An admin's word, with a reason."""
    run = _run(run_id)
    runs.put_live(run, by=current_user._get_current_object(), reason=request.form.get("reason", ""))
    return done("learning.index", "It decides from the next post on.", undo=url_for("learning.back"))


@blueprint.post("/learning/runs/<int:run_id>/withdraw")
def withdraw(run_id: int) -> ResponseReturnValue:
    runs.withdraw(_run(run_id), by=current_user._get_current_object())
    return done("learning.index", "It is no longer watched. What is live stays.")


@blueprint.post("/learning/back")
def back() -> ResponseReturnValue:
    """One click to the model before."""
    before = runs.back(acting_brand(), by=current_user._get_current_object())
    return done("learning.index", f"Model {before.version} decides again." if before else "The start model decides alone again.")


def _start_model() -> tuple[dict[str, Any], str | None]:
    """Its card, and why it can't be used, if so: the page must open above all then."""
    try:
        return store.live().card, None
    except BadArtefact as error:
        return {}, str(error)


def _run(run_id: int) -> LearningRun:
    """NotFound for what is not of this person's brand."""
    run = db.session.get(LearningRun, run_id)
    if run is None or RULES.refusal(current_user, "learning.see", run) or run.brand_id != acting_brand().id:
        raise NotFound
    return run
