"""Runs of learning, lines by cost, and why a post is read as it is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, OfBrand, RowId, Shown, Words, door
from app.api.mentions import WordView
from app.api.quality import ShareView
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.mentions.queries import mention_of
from escalation import jobs
from escalation.learning import rehearsal, runs
from escalation.learning.models import LearningRun
from escalation.learning.why import why
from escalation.permissions import RULES
from escalation.routing import lines
from escalation.routing.policy import default_policy


class RunView(Shown):
    """`figures` hold what was taken and left out, champion and challenger on the test set, each share with its interval."""

    id: int
    state: str
    by_id: int | None
    at: datetime
    step: str
    done: int
    ended_at: datetime | None
    model: str | None
    live: bool
    because: str | None
    figures: dict[str, Any]
    shadow_until: datetime | None
    shadow: dict[str, Any]


class Runs(Shown):
    items: list[RunView]
    next: None = None


class ReasonGiven(Given):
    reason: Annotated[Words, Field(min_length=1, max_length=300)]


class LineGiven(Given):
    low: Annotated[float, Field(gt=0, le=1, strict=False)]
    high: Annotated[float, Field(gt=0, le=1, strict=False)]
    cost: Annotated[float, Field(ge=1, le=100, strict=False, description="Needless escalations one miss is worth.")]


class LinesGiven(Given):
    anger: LineGiven
    technical: LineGiven
    reason: Annotated[Words | None, Field(max_length=300)] = None


class LineView(Shown):
    low: float
    high: float
    cost: float


class LinesView(Shown):
    """Version 0 is the defaults."""

    version: int
    anger: LineView
    technical: LineView
    reason: str | None
    at: datetime | None


class ConsequenceView(Shown):
    recall: ShareView
    at_once: ShareView
    precision: ShareView
    cases_a_day: float | None
    looks_a_day: float | None
    missed_a_day: float | None
    needless_a_day: float | None


class DrawnView(Shown):
    low: float
    high: float
    low_interval: tuple[float, float] | None
    high_interval: tuple[float, float] | None
    labels: int
    positives: int
    from_labels: bool


class LoadView(Shown):
    audience: str
    now: float
    then: float


class ChangeView(Shown):
    mention_id: int
    was: str
    would: str
    anger: float
    technical: float
    right: bool | None


class RehearsalView(Shown):
    days: float
    posts: int
    complete: bool
    changed: int
    loads: list[LoadView]
    better: int
    worse: int
    changes: list[ChangeView]


class ProposalView(Shown):
    lines: dict[str, LineView]
    now: dict[str, LineView]
    drawn: dict[str, DrawnView]
    consequences: dict[str, ConsequenceView]
    before: dict[str, ConsequenceView]
    base_rate: dict[str, float | None]
    labelled: int
    rehearsal: RehearsalView


class LinesAsked(OfBrand):
    anger_low: float | None = None
    anger_high: float | None = None
    anger_cost: float | None = None
    technical_low: float | None = None
    technical_high: float | None = None
    technical_cost: float | None = None
    days: Annotated[int, Field(ge=1, le=28)] = 7


class FeatureView(Shown):
    name: str
    signal: str
    weight: float


class NeighbourView(Shown):
    mention_id: int
    text: str
    alike: float
    angry: bool | None
    technical: bool | None
    service_related: bool | None


class WhyView(Shown):
    """What the present version says of a post and why; `rule` is the one that decided where it went."""

    anger: float | None
    technical: float | None
    spam: float | None
    classifier: str | None
    rule: str | None
    words: list[WordView]
    features: list[FeatureView]
    neighbours: list[NeighbourView]


@door("GET", "/learning_runs", asks=OfBrand, gives=Runs)
def list_runs(*, by: User, query: OfBrand) -> dict[str, Any]:
    """The brand's newest runs."""
    brand = scope.brand_of(by, query.brand, *scope.READS)
    models = runs.models(brand)
    return {"items": [_run_view(run, models) for run in runs.runs(brand)]}


@door("GET", "/learning_runs/<id:run_id>", gives=RunView)
def get_run(*, by: User, run_id: int) -> RunView:
    """One run with its figures."""
    return _shown(_run(by, run_id))


@door("POST", "/brands/<slug>/learning", gives=RunView, status=202)
def start_run(*, by: User, slug: str, **_: Any) -> RunView:
    """Learn from the brand's labels; a worker does it."""
    run = runs.start(scope.brand_of(by, slug, "admin"), by=by)
    runs.queue(run, jobs.learn)
    return _shown(run)


@door("POST", "/learning_runs/<id:run_id>/live", takes=ReasonGiven, gives=RunView)
def put_run_live(*, by: User, body: ReasonGiven, run_id: int) -> RunView:
    """Let its model decide, by an admin's word."""
    run = _run(by, run_id)
    runs.put_live(run, by=by, reason=body.reason)
    return _shown(_run(by, run_id))


@door("POST", "/learning_runs/<id:run_id>/withdraw", gives=RunView)
def withdraw_run(*, by: User, run_id: int, **_: Any) -> RunView:
    """Stop watching it."""
    runs.withdraw(_run(by, run_id), by=by)
    return _shown(_run(by, run_id))


@door("POST", "/brands/<slug>/learning/back", status=204)
def go_back(*, by: User, slug: str, **_: Any) -> None:
    """Let the model before decide again."""
    runs.back(scope.brand_of(by, slug, "admin"), by=by)


@door("GET", "/lines", asks=OfBrand, gives=LinesView)
def get_lines(*, by: User, query: OfBrand) -> dict[str, Any]:
    """The lines that hold."""
    return _lines_view(lines.current(scope.brand_of(by, query.brand, *scope.READS).id))


@door("GET", "/lines/rehearsal", asks=LinesAsked, gives=ProposalView)
def rehearse_lines(*, by: User, query: LinesAsked) -> Any:
    """What these lines would mean and change; what is absent stays as it is."""
    brand = scope.brand_of(by, query.brand, *scope.READS)
    now = lines.stored(lines.policy_of(brand.id).lines)
    for signal in lines.DRAWN:
        given = {name: getattr(query, f"{signal}_{name}") for name in ("low", "high", "cost")}
        now[signal] |= {name: value for name, value in given.items() if value is not None}
    return rehearsal.propose(by, brand, lines=lines.read(now), days=query.days)


@door("PUT", "/brands/<slug>/lines", takes=LinesGiven, gives=LinesView)
def put_lines_live(*, by: User, slug: str, body: LinesGiven) -> dict[str, Any]:
    """These lines decide from the next batch on; the rehearsal is kept with them."""
    brand = scope.brand_of(by, slug, "admin")
    wanted = lines.read({signal: getattr(body, signal).model_dump() for signal in lines.DRAWN})
    kept = rehearsal.propose(by, brand, lines=wanted).rehearsal.summary()
    return _lines_view(lines.put_live(brand, wanted, by=by, reason=body.reason, rehearsal=kept))


@door("GET", "/mentions/<id:mention_id>/why", gives=WhyView)
def explain_mention(*, by: User, mention_id: int) -> WhyView:
    """The words and features that weighed most, the rule, and the most similar labelled posts."""
    mention = mention_of(by, mention_id)
    found = why(mention, scope.brand_by_id(mention.brand_id))
    reasons = mention.decision.reasons if mention.decision else []
    signals = found.signals
    return WhyView(
        anger=signals.anger if signals else None,
        technical=signals.technical if signals else None,
        spam=signals.spam if signals else None,
        classifier=signals.classifier if signals else None,
        rule=next((reason["rule"] for reason in reversed(reasons) if reason.get("rule")), None),
        words=[WordView.model_validate(word) for word in found.words],
        features=[FeatureView.model_validate(feature) for feature in found.features],
        neighbours=[
            NeighbourView(
                mention_id=one.mention_id,
                text=one.text,
                alike=one.alike,
                angry=one.answer.angry,
                technical=one.answer.technical,
                service_related=one.answer.service_related,
            )
            for one in found.neighbours
        ],
    )


def _run(by: User, run_id: RowId) -> LearningRun:
    run = db.session.get(LearningRun, run_id)
    if run is None or RULES.refusal(by, "learning.see", run):
        raise NotFound
    return run


def _shown(run: LearningRun) -> RunView:
    return _run_view(run, runs.models(scope.brand_by_id(run.brand_id)))


def _run_view(run: LearningRun, models: dict[int, Any]) -> RunView:
    model = models.get(run.model_id or 0)
    names = ("id", "state", "by_id", "at", "step", "done", "ended_at", "because", "figures", "shadow_until", "shadow")
    return RunView(**{name: getattr(run, name) for name in names}, model=model.version if model else None, live=bool(model and model.state == "live"))


def _lines_view(row: Any) -> dict[str, Any]:
    if row is None:
        return {"version": 0, **{signal: default_policy().lines[signal] for signal in lines.DRAWN}, "reason": None, "at": None}
    return {"version": row.version, **{signal: LineView(**row.lines[signal]) for signal in lines.DRAWN}, "reason": row.reason, "at": row.at}
