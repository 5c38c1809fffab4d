"""Each brand's second stage: where it is kept, which one is live, and reading it once in each process."""

from __future__ import annotations

import logging
import threading
from typing import Any

from sqlalchemy import bindparam, select

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import among, db
from app.kernel.errors import Invalid
from escalation.classifier.model import BadArtefact
from escalation.classifier.models import BrandModel
from escalation.classifier.second import SecondStage, from_bytes
from escalation.classifier.states import MODEL

log = logging.getLogger(__name__)

MOST_KEPT = 64
"""Stages a process holds at once (about half a megabyte each)."""

_LIVE = select(BrandModel.id, BrandModel.sha256).where(BrandModel.brand_id == bindparam("brand_id"), among(BrandModel.state, "live"))

_lock = threading.Lock()
_read: dict[int, tuple[tuple[int, str], SecondStage | None, str | None]] = {}


def live(brand_id: int) -> SecondStage | None:
    """The brand's live second stage, or None where it has none: one small statement, the bytes only when they are others.
    One that can't be read is logged and left out: the start model decides alone, as on the first day."""
    return _live_or_why_not(brand_id)[0]


def trouble(brand_id: int) -> str | None:
    """Why the live model is left out, in a sentence; None where it decides, or where there is none."""
    return _live_or_why_not(brand_id)[1]


def _live_or_why_not(brand_id: int) -> tuple[SecondStage | None, str | None]:
    with db.transaction(read_only=True) as session:
        found = session.execute(_LIVE, {"brand_id": brand_id}).first()
        if found is None:
            return None, None
        key = (found[0], found[1])
        kept = _read.get(brand_id)
        if kept is not None and kept[0] == key:
            return kept[1:]
        raw = session.scalar(select(BrandModel.artefact).where(BrandModel.id == key[0]))
    stage: SecondStage | None = None
    why_not: str | None = None
    try:
        stage = from_bytes(raw or b"")
    except BadArtefact as error:
        why_not = str(error)
        log.error("The live model %d of brand %d is not used: %s", key[0], brand_id, error)
    with _lock:
        if len(_read) >= MOST_KEPT:
            _read.clear()
        _read[brand_id] = (key, stage, why_not)
    return stage, why_not


def keep(brand: Brand, stage: SecondStage, *, by: User | None = None, figures: dict[str, Any] | None = None) -> BrandModel:
    """Store a freshly learned stage as a challenger: it decides nothing until it is put live."""
    row = BrandModel(
        brand_id=brand.id,
        version=stage.version,
        start=str(stage.header["start"]),
        state="challenger",
        artefact=stage.to_bytes(),
        sha256=stage.sha256,
        figures={"labels": stage.header["labels"], "languages": stage.header["languages"], "learned": list(stage.learned), **(figures or {})},
        made_at=clock.now(),
        live_at=None,
        by_id=by.id if by else None,
    )
    db.session.add(row)
    db.session.flush()
    audit("model.kept", row, by=by, version=row.version)
    return row


def put_live(row: BrandModel, *, by: User | None = None, reason: str | None = None) -> BrandModel:
    """Let this model decide from the next post on; the one before steps back and can return. Raises Invalid if its
    bytes can't be used (the live one stays), Conflict if somebody was faster."""
    # Two who choose at once stand in line behind the brand.
    db.session.execute(select(Brand.id).where(Brand.id == row.brand_id).with_for_update(key_share=True))
    try:
        read_stage(row)
    except BadArtefact as error:
        raise Invalid(str(error)) from None
    _step_back(row.brand_id, by=by, reason=reason)
    MODEL.move(row, "put_live", live_at=clock.now())
    audit("model.put_live", row, by=by, reason=reason, version=row.version)
    return row


def stand_down(brand: Brand, *, by: User | None = None, reason: str | None = None) -> BrandModel | None:
    """Go back to the start model alone; returns the model that stepped back, if one was live."""
    db.session.execute(select(Brand.id).where(Brand.id == brand.id).with_for_update(key_share=True))
    return _step_back(brand.id, by=by, reason=reason)


def read_stage(row: BrandModel) -> SecondStage:
    """The stage of any row, live or not. Raises BadArtefact."""
    return from_bytes(db.session.scalar(select(BrandModel.artefact).where(BrandModel.id == row.id)) or b"")


def _step_back(brand_id: int, *, by: User | None, reason: str | None) -> BrandModel | None:
    before = db.session.scalars(select(BrandModel).where(BrandModel.brand_id == brand_id, among(BrandModel.state, "live"))).one_or_none()
    if before is not None:
        MODEL.move(before, "step_back")
        audit("model.stepped_back", before, by=by, reason=reason, version=before.version)
    return before
