"""Whether posts are still scored as they were when the model was learned: the share of each tenth, of the unsure, of what people find."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.accounts import people
from app.accounts.models import Brand
from app.kernel import clock
from app.kernel.db import among, at_most, db
from app.notices.actions import tell
from community.mentions.models import Decision, Mention
from community.ports import Post
from escalation.classifier.models import BrandModel
from escalation.classifier.predict import predict
from escalation.classifier.second import SecondStage
from escalation.learning.board import judged, week_of
from escalation.learning.models import DriftWeek, LearningRun

BINS = 10
SAMPLE = 2_000
"""Newest posts that the baseline is read from."""
SAMPLE_WITH_MEANING = 500
"""…where an encoder has to read each of them: a tenth's share is then known to three points, and much is 0.25."""
MOST = 20_000
LEAST = 200
"""Posts of a week below which nothing is said of it."""
MUCH = 0.25
"""Population stability index from which the scores are of another kind of posts; 0.1 is a slight shift."""
UNSURE_RISE = 0.10
"""Rise of the share that nobody but a person can decide, from which admins are told."""


def scores(brand: Brand, stage: SecondStage | None, most: int = SAMPLE) -> dict[str, Any]:
    """How the newest posts are scored by this stage: the baseline a week is compared with later."""
    with db.transaction(read_only=True) as session:
        rows = session.execute(
            select(Mention.text, Mention.lang)
            .where(Mention.brand_id == brand.id, Mention.by_brand.is_(False), Mention.gone_at.is_(None))
            .order_by(Mention.id.desc())
            .limit(at_most(most))
        ).all()
    read = predict([Post(text, lang) for text, lang in rows], stage=stage)
    return {"n": len(read), "anger": spread([one.anger for one in read]), "technical": spread([one.technical for one in read])}


def spread(values: Sequence[float]) -> list[float]:
    """The share of the values in each tenth of 0…1."""
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int(value * BINS))] += 1
    return [round(count / len(values), 4) if values else 0.0 for count in counts]


def stability(before: Sequence[float], now: Sequence[float]) -> float:
    """Population stability index of two spreads: 0 the same, above 0.25 another kind of posts."""
    floor = 0.001
    return round(sum((max(b, floor) - max(a, floor)) * math.log(max(b, floor) / max(a, floor)) for a, b in zip(before, now, strict=True)), 4)


def watch_week(brand_id: int, at: datetime | None = None) -> DriftWeek | None:
    """Note the last whole week, once, and tell the admins if it is unlike what was learned from. None where it was noted already."""
    now = at or clock.now()
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    week = week_of(monday - timedelta(days=7))
    with db.transaction(read_only=True) as session:
        if session.scalar(select(DriftWeek.id).where(DriftWeek.brand_id == brand_id, DriftWeek.week == week)):
            return None
        figures = _figures(session.get_one(Brand, brand_id), monday)
    words = _drifted(figures)
    with db.transaction() as session:
        row = DriftWeek(brand_id=brand_id, week=week, figures=figures, drifted=bool(words))
        session.add(row)
        try:
            session.flush()
        except IntegrityError:
            session.rollback()
            return None
        if words:
            for person in people.holders(brand_id, "admin", limit=50):
                tell(person.id, brand_id=brand_id, kind="learning", cause_id=10 * row.id + 5, text=words, link="/learning")
    return row


def _figures(brand: Brand, monday: datetime) -> dict[str, Any]:
    """How the week before was scored; of a week with too few posts only their number."""
    since = monday - timedelta(days=7)
    run = _live_run(brand.id)
    newest = select(Mention.id).where(Mention.brand_id == brand.id).order_by(Mention.id.desc()).limit(at_most(MOST)).subquery()
    decided = (
        select(Decision.anger, Decision.technical, Decision.audience, Decision.classifier)
        .join(newest, newest.c.id == Decision.mention_id)
        .where(Decision.by_id.is_(None), Decision.at >= since, Decision.at < monday)
    )
    # A week is compared with what its own model was learned from: another model's scores are another measure.
    rows = [row for row in db.session.execute(decided) if run is None or row.classifier.endswith(f"+{run[1]}")]
    if len(rows) < LEAST:
        return {"n": len(rows)}
    known, _ = judged(brand, since)
    blind = [one for one in known if one.drawn and one.wanted is not None]
    figures: dict[str, Any] = {
        "n": len(rows),
        "anger": spread([row.anger for row in rows]),
        "technical": spread([row.technical for row in rows]),
        "unsure": round(sum(row.audience == "triage" for row in rows) / len(rows), 4),
        "drawn": len(blind),
        "wanted": sum(bool(one.wanted) for one in blind),
    }
    before = _baseline(brand.id, run[0] if run else None)
    if before is not None:
        figures |= {"anger_shift": stability(before["anger"], figures["anger"]), "technical_shift": stability(before["technical"], figures["technical"])}
        figures["unsure_rise"] = round(figures["unsure"] - before.get("unsure", figures["unsure"]), 4)
    return figures


def weeks(brand: Brand, limit: int = 12) -> Sequence[DriftWeek]:
    """Those with posts enough to say something, newest first."""
    found = db.session.scalars(select(DriftWeek).where(DriftWeek.brand_id == brand.id).order_by(DriftWeek.week.desc()).limit(at_most(limit)))
    return [week for week in found if "unsure" in week.figures]


def due(limit: int = 20) -> Sequence[int]:
    """Brands whose last whole week is not noted yet."""
    now = clock.now()
    week = week_of(now - timedelta(days=now.weekday() + 7))
    noted = select(DriftWeek.id).where(DriftWeek.brand_id == Brand.id, DriftWeek.week == week).exists()
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Brand.id).where(~noted).limit(at_most(limit))).all()


def _live_run(brand_id: int) -> tuple[LearningRun, str] | None:
    """The run whose model is live, and the model's version."""
    found = (
        select(LearningRun, BrandModel.version)
        .join(BrandModel, BrandModel.id == LearningRun.model_id)
        .where(LearningRun.brand_id == brand_id, among(BrandModel.state, "live"))
        .limit(1)
    )
    row = db.session.execute(found).first()
    return (row[0], row[1]) if row is not None else None


def _baseline(brand_id: int, run: LearningRun | None) -> Mapping[str, Any] | None:
    """Of the live model's run; while the start model decides alone, the first week that was noted."""
    noted = db.session.scalars(select(DriftWeek).where(DriftWeek.brand_id == brand_id).order_by(DriftWeek.week))
    first = next((week for week in noted if "unsure" in week.figures), None)
    found: dict[str, Any] = dict(run.figures.get("baseline") or {}) if run is not None else {}
    if not found.get("n"):
        return first.figures if first is not None else None
    if first is not None and "unsure" not in found:
        found["unsure"] = first.figures["unsure"]
    return found


def _drifted(figures: Mapping[str, Any]) -> str:
    for signal, word in (("anger", "angry"), ("technical", "technical")):
        if figures.get(f"{signal}_shift", 0.0) > MUCH:
            shift = figures[f"{signal}_shift"]
            return f"Last week's posts were scored unlike those the model was learned from ({word}: shift {shift:.2f}). Label some, and learn again."
    if figures.get("unsure_rise", 0.0) > UNSURE_RISE:
        return f"The unsure share rose by {100 * figures['unsure_rise']:.0f} points last week. Label some, and learn again."
    return ""
