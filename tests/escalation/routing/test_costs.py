"""Two lines by cost, and what they mean; pure sums."""

from __future__ import annotations

import random

import pytest

from escalation.routing.costs import LEAST_OF_EACH, consequence, draw


def calibrated(count: int, seed: int = 1) -> tuple[list[float], list[bool]]:
    """Scores that mean what they say."""
    chance = random.Random(seed)
    said = [chance.random() for _ in range(count)]
    return said, [chance.random() < one for one in said]


def test_where_scores_mean_what_they_say_the_labels_draw_what_arithmetic_does() -> None:
    said, true = calibrated(20_000)
    found = draw(said, true, 5)
    assert found.from_labels
    assert found.low == pytest.approx(0.10, abs=0.04)
    assert found.high == pytest.approx(0.50, abs=0.06)
    assert found.low_interval is not None
    assert found.low_interval[0] <= found.low <= found.low_interval[1]


def test_a_dearer_miss_draws_the_low_line_lower() -> None:
    said, true = calibrated(5_000)
    assert draw(said, true, 20).low < draw(said, true, 5).low < draw(said, true, 2).low


def test_a_timid_machine_gets_lower_lines() -> None:
    """Red when arithmetic alone draws them: every probability is half of what is true."""
    said, true = calibrated(20_000)
    found = draw([one / 2 for one in said], true, 5)
    assert found.high == pytest.approx(0.25, abs=0.04)


def test_with_few_labels_arithmetic_draws_them() -> None:
    found = draw([0.5] * (LEAST_OF_EACH * 2 - 1), [True] * LEAST_OF_EACH + [False] * (LEAST_OF_EACH - 1), 4)
    assert (found.from_labels, found.low_interval) == (False, None)
    assert (draw([], [], 4).low, draw([], [], 4).high) == (0.125, 0.5)


def test_consequences_are_counted_not_guessed() -> None:
    said = [0.05, 0.2, 0.3, 0.6, 0.9, 0.9]
    true = [True, False, True, False, True, True]
    found = consequence(said, true, 0.1, 0.5, stream=[0.05] * 50 + [0.3] * 30 + [0.7] * 20, days=10, base_rate=0.2)
    assert (found.recall.hits, found.recall.of) == (3, 4)
    assert (found.at_once.hits, found.precision.hits, found.precision.of) == (2, 2, 3)
    assert (found.cases_a_day, found.looks_a_day) == (2.0, 3.0)
    assert found.missed_a_day == pytest.approx(100 / 10 * 0.2 * 0.25)
    assert found.needless_a_day == pytest.approx(2.0 / 3)
    assert consequence([], [], 0.1, 0.5).recall.share is None
