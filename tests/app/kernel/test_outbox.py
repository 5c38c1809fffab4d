"""Facts on their way: many in a row are one job, none waits for a sweep, each takes effect once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask

from app.kernel import outbox, queue
from app.kernel.db import db
from app.kernel.events import Event


@dataclass(frozen=True)
class BellRang(Event):
    brand_id: int
    times: int


@pytest.fixture
def heard(db: object, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the only subscriber of this test has heard."""
    known: list[int] = []

    def hear(event: Event, _id: int) -> None:
        assert isinstance(event, BellRang)
        known.append(event.times)

    monkeypatch.setattr(outbox, "_SUBSCRIBERS", {"hear": (frozenset({"BellRang"}), hear)})
    return known


def ring(times: int) -> None:
    with db.transaction():
        outbox.record(BellRang(1, times))


def work() -> None:
    queue.burst(Flask(__name__))


def test_a_thousand_facts_in_a_row_are_one_job(heard: list[int]) -> None:
    """Red when each asks for a job of its own: all but the first find nothing, and whatever is queued behind them waits for minutes."""
    for number in range(20):
        ring(number)
    assert queue.waiting()["default"] == 1
    work()
    assert heard == list(range(20))


def test_what_comes_once_a_job_began_asks_for_a_job_again(heard: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Red when the mark is taken away after the reading: a fact between the two would wait for the sweep."""
    kinds, hear = outbox._SUBSCRIBERS["hear"]

    def answer(event: Event, id_: int) -> None:
        hear(event, id_)
        if len(heard) == 1:
            outbox.record(BellRang(1, 2))

    monkeypatch.setattr(outbox, "_SUBSCRIBERS", {"hear": (kinds, answer)})
    ring(1)
    outbox.deliver("hear", 1)
    assert queue.waiting()["default"] == 2, "the one asked for by the first fact, and one for what came while that was heard"
    work()
    assert heard == [1, 2]


def test_a_lost_job_is_asked_for_by_the_sweep(heard: list[int]) -> None:
    ring(1)
    queue.redis_client().flushdb()  # type: ignore[union-attr]
    queue.marked("deliver-hear", 30)
    assert outbox.sweep_deliveries() == 1
    work()
    assert heard == [1]
