"""Two lines by cost, and what they do to a day's posts."""

from __future__ import annotations

import random

import pytest

from escalation.classifier.lines import Lines, Scored, choose, consequences, sweep


def stream(count: int, *, timid: float = 1.0, seed: int = 1) -> list[Scored]:
    """Posts whose probability is right; `timid` below 1 says everything nearer to a half than it is."""
    import math

    chance = random.Random(seed)
    found = []
    for _ in range(count):
        true_odds = chance.gauss(-1.5, 2)
        true = chance.random() < 1 / (1 + math.exp(-true_odds))
        found.append(Scored(1 / (1 + math.exp(-timid * true_odds)), true))
    return found


def test_without_labels_the_lines_stand_where_a_look_begins_and_ends_to_pay() -> None:
    assert choose([], 5) == Lines(0.1, 0.5)
    assert choose([], 3) == Lines(0.167, 0.5)


def test_right_probabilities_are_taken_at_their_word() -> None:
    lines = choose(stream(3_000), 5)
    assert lines.low == pytest.approx(0.1, abs=0.03) and lines.high == pytest.approx(0.5, abs=0.05)


def test_a_timid_machine_gets_nearer_lines() -> None:
    lines = choose(stream(3_000, timid=0.5), 5)
    # What it calls 25 % is 10 % in truth.
    assert lines.low == pytest.approx(0.25, abs=0.04) and lines.high == pytest.approx(0.5, abs=0.05)


def test_a_dearer_miss_moves_the_low_line_down_and_never_up() -> None:
    scored = stream(500)
    lows = [choose(scored, cost).low for cost in (1.5, 2, 3, 5, 10, 50)]
    assert lows == sorted(lows, reverse=True) and lows[0] > lows[-1]


def test_where_no_look_pays_there_is_one_line() -> None:
    assert choose([], 0.5) == Lines(0.667, 0.667)


def test_the_chosen_lines_cost_least_among_many() -> None:
    scored = stream(4_000, timid=0.6)
    best = consequences(scored, choose(scored, 5), 5).cost_of_100
    others = [consequences(scored, Lines(low / 20, high / 20), 5).cost_of_100 for low in range(1, 19) for high in range(low, 20)]
    assert best <= min(others) * 1.03


def test_consequences_add_up() -> None:
    scored = [Scored(0.9, True), Scored(0.9, False), Scored(0.3, True), Scored(0.3, False), Scored(0.05, True), *[Scored(0.05, False)] * 5]
    found = consequences(scored, Lines(0.2, 0.5), 5, posts_a_day=100)
    assert (found.n, found.base_rate) == (10, 0.3)
    assert (found.at_once.share, found.reached.share, found.right.share, found.looks.share) == (0.3333, 0.6667, 0.5, 0.2)
    assert found.reached.low < 0.6667 < found.reached.high and found.reached.of == 3
    assert (found.escalated_a_day, found.needless_a_day, found.looks_a_day, found.missed_a_day) == (20, 10, 20, 10)
    low, high = found.missed_a_day_interval or (0, 0)
    assert low < 10 < high <= 30
    assert found.cost_of_100 == 5 * 10 + 10 + 0.5 * 20


def test_a_stream_s_own_base_rate_counts_not_that_of_what_was_asked() -> None:
    asked = [Scored(0.6, True)] * 50 + [Scored(0.6, False)] * 50
    found = consequences(asked, Lines(0.2, 0.5), 5, base_rate=0.1, posts_a_day=1_000)
    assert found.base_rate == 0.1 and found.right.share == pytest.approx(0.1)
    assert found.needless_a_day == pytest.approx(900)


def test_weights_stand_for_posts_and_widen_the_interval() -> None:
    even = [Scored(0.9, place % 2 == 0) for place in range(100)]
    uneven = [Scored(0.9, place % 2 == 0, 20.0 if place < 10 else 1.0) for place in range(100)]
    one, other = (consequences(scored, Lines(0.2, 0.5), 5).right for scored in (even, uneven))
    assert one.share == other.share == 0.5
    assert other.of < 25 < one.of == 100
    assert other.high - other.low > one.high - one.low


def test_labels_that_contradict_the_machine_are_survived() -> None:
    for scored in ([Scored(0.99, False)] * 300 + [Scored(0.01, True)] * 300, [Scored(1.0, True)] * 50, [Scored(0.0, False)], [Scored(0.5, True, 0.0)]):
        lines = choose(scored, 5)
        assert 0 < lines.low <= lines.high < 1


def test_nothing_labelled_is_said() -> None:
    with pytest.raises(ValueError, match="nothing is labelled yet"):
        consequences([], Lines(0.1, 0.5), 5)


def test_a_sweep_trades_recall_for_work() -> None:
    steps = sweep(stream(500), 5, posts_a_day=200)
    assert [step.reached.share for step in steps] == sorted((step.reached.share for step in steps), reverse=True)
    assert len(steps) == 19 and all(step.looks.share == 0 for step in steps)
