"""The audit log's chain: what was changed or taken away is named, wherever it stood."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, update

from app.kernel import audit, crypto
from app.kernel.audit import AuditEnd, AuditEntry
from app.kernel.db import db
from tests.stories import brand


@pytest.fixture
def chained(app: Flask) -> int:
    """Five sealed rows at least; returns the last place."""
    northwind = brand()
    note(northwind, 5)
    audit.seal()
    return audit.verify().sealed


def note(row: object, count: int) -> None:
    with db.transaction():
        for number in range(count):
            audit.audit("test.done", row, by=None, number=number)


def drop(*places: int) -> None:
    with db.transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.place.in_(places)))


def test_a_whole_chain_is_whole(chained: int) -> None:
    assert chained >= 5
    assert audit.verify().broken == ()
    note(brand("southwind"), 1)
    assert audit.verify().unsealed >= 1
    assert audit.seal() >= 1
    assert audit.verify().broken == ()


def test_rows_taken_from_the_end_are_missed(chained: int) -> None:
    drop(chained, chained - 1)
    assert audit.verify().broken == (f"places {chained - 1} to {chained} are missing",)


def test_sealing_on_hides_nothing(chained: int) -> None:
    drop(chained)
    note(brand("southwind"), 2)
    audit.seal()
    assert f"place {chained} is missing" in audit.verify().broken


def test_an_empty_log_that_was_not_empty_is_seen(chained: int) -> None:
    drop(*range(1, chained + 1))
    assert audit.verify().broken == (f"places 1 to {chained} are missing",)


@pytest.mark.parametrize("forge", [lambda: None, lambda: "v1.forged.word", lambda: crypto.encrypt("another secret of ours")])
def test_an_end_that_is_not_ours_is_told_and_sealing_on_hides_nothing(chained: int, forge: Callable[[], str | None]) -> None:
    signed = forge()
    with db.transaction() as session:
        session.execute(delete(AuditEnd) if signed is None else update(AuditEnd).values(signed=signed))
    drop(chained)
    assert "the end of the chain is not known" in audit.verify().broken[0]
    note(brand("southwind"), 1)
    audit.seal()
    assert f"place {chained} is missing" in audit.verify().broken


def test_a_changed_row_is_named(chained: int) -> None:
    with db.transaction() as session:
        session.execute(update(AuditEntry).where(AuditEntry.place == 2).values(reason="another"))
    assert any(one.startswith("place 2 was changed") for one in audit.verify().broken)
