"""A brand's own model: kept, put live, taken back, and never trusted blindly."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Brand
from app.kernel.audit import AuditEntry
from app.kernel.db import Database
from app.kernel.errors import Conflict, Invalid
from community.ports import Post, ports
from escalation.classifier import brands, store
from escalation.classifier.models import BrandModel
from escalation.classifier.second import SecondStage, fit
from tests.escalation.classifier.labels import labelled
from tests.stories import brand, person, rooms  # noqa: F401

POST = Post("fandango, tell me about tickets", "en")


@pytest.fixture(scope="module")
def stage() -> SecondStage:
    return fit(store.live(), labelled(300))


@pytest.fixture(scope="module")
def other() -> SecondStage:
    return fit(store.live(), labelled(200, seed=2))


@pytest.fixture
def northwind(rooms: Database) -> Brand:  # noqa: F811
    return brand()


def kept(db: Database, brand: Brand, stage: SecondStage, *, live: bool = True) -> BrandModel:
    with db.transaction():
        row = brands.keep(brand, stage, figures={"test": 1})
        if live:
            brands.put_live(row)
    return row


def test_a_model_decides_for_its_brand_alone_and_only_once_it_is_live(rooms: Database, northwind: Brand, stage: SecondStage) -> None:  # noqa: F811
    kestrel = brand("kestrel", "Kestrel")
    before = ports.triage.route(northwind.id, [POST])[0]
    row = kept(rooms, northwind, stage, live=False)
    assert ports.triage.route(northwind.id, [POST])[0] == before
    with rooms.transaction():
        brands.put_live(row)
    after = ports.triage.route(northwind.id, [POST])[0]
    assert after.audience == "tier_1" and after.signals.classifier.endswith(stage.version)
    assert ports.triage.route(kestrel.id, [POST])[0] == before
    assert row.figures["labels"]["angry"]["n"] == 300 and row.figures["test"] == 1


def test_the_next_one_takes_over_and_the_one_before_comes_back_in_one_step(
    rooms: Database,  # noqa: F811
    northwind: Brand,
    stage: SecondStage,
    other: SecondStage,
) -> None:
    max_ = person(northwind, "admin")
    first, second = kept(rooms, northwind, stage), kept(rooms, northwind, other)
    assert brands.live(northwind.id).version == other.version  # type: ignore[union-attr]
    with rooms.transaction():
        brands.put_live(rooms.session.get_one(BrandModel, first.id), by=max_, reason="it was better")
    assert brands.live(northwind.id).version == stage.version  # type: ignore[union-attr]
    with rooms.transaction() as session:
        assert dict(session.execute(select(BrandModel.id, BrandModel.state)).all()) == {first.id: "live", second.id: "former"}
        entry = session.scalars(select(AuditEntry).where(AuditEntry.actor_id == max_.id, AuditEntry.action == "model.put_live")).one()
        assert (entry.reason, entry.details) == ("it was better", {"version": stage.version})
        assert brands.stand_down(northwind, by=max_).id == first.id  # type: ignore[union-attr]
    assert brands.live(northwind.id) is None


def test_a_model_that_is_live_is_not_put_live_twice(rooms: Database, northwind: Brand, stage: SecondStage) -> None:  # noqa: F811
    row = kept(rooms, northwind, stage)
    with pytest.raises(Conflict), rooms.transaction():
        brands.put_live(row)
    assert brands.live(northwind.id) is not None


def test_one_is_live_at_most_by_the_schema(rooms: Database, northwind: Brand, stage: SecondStage, other: SecondStage) -> None:  # noqa: F811
    kept(rooms, northwind, stage)
    row = kept(rooms, northwind, other, live=False)
    with pytest.raises(IntegrityError), rooms.transaction() as session:
        session.execute(update(BrandModel).where(BrandModel.id == row.id).values(state="live"))


def test_a_damaged_one_is_refused_and_the_live_one_stays(rooms: Database, northwind: Brand, stage: SecondStage, other: SecondStage) -> None:  # noqa: F811
    kept(rooms, northwind, stage)
    row = kept(rooms, northwind, other, live=False)
    with rooms.transaction() as session:
        session.execute(update(BrandModel).where(BrandModel.id == row.id).values(artefact=other.to_bytes()[:-9]))
    with pytest.raises(Invalid, match="does not match its own hash"), rooms.transaction() as session:
        brands.put_live(session.get_one(BrandModel, row.id))
    assert brands.live(northwind.id).version == stage.version  # type: ignore[union-attr]


def test_a_live_one_that_got_damaged_leaves_the_start_model_alone(
    rooms: Database,  # noqa: F811
    northwind: Brand,
    stage: SecondStage,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(brands, "_read", {})  # as in a process that has not read it yet
    before = ports.triage.route(northwind.id, [POST])[0]
    row = kept(rooms, northwind, stage, live=False)
    with rooms.transaction() as session:
        session.execute(update(BrandModel).where(BrandModel.id == row.id).values(artefact=b"broken", state="live"))
    with caplog.at_level(logging.ERROR):
        assert ports.triage.route(northwind.id, [POST])[0] == before
    assert "is not used: The brand's model is not of the format" in caplog.text


def test_a_database_that_cannot_be_asked_leaves_the_start_model_alone(
    rooms: Database,  # noqa: F811
    northwind: Brand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = ports.triage.route(northwind.id, [POST])[0]
    monkeypatch.setattr(ports.triage, "_stage_of", lambda brand_id: 1 / 0)
    assert ports.triage.route(northwind.id, [POST])[0] == before
