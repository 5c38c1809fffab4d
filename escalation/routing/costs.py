"""The brand's two lines by cost as a page shows them: how sure of them one can be, and what they mean for a day. Pure.

Where the lines belong is said by `escalation.classifier.lines`; here labels are drawn again and again to see how far that
hangs on chance, and the shares are counted on labelled posts, the days on all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escalation.classifier.lines import Scored, choose
from escalation.shares import Share, share

LEAST_OF_EACH = 20
"""Labelled posts of each kind from which one speaks of the labels' lines; before, they are nearly arithmetic's alone."""
CELLS = 200
RESAMPLES, SEED = 100, 20_261_122

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lines, how sure of them one can be, and what they rest on. `from_labels` is False where arithmetic drew them."""

    low: float
    high: float
    low_interval: tuple[float, float] | None
    high_interval: tuple[float, float] | None
    labels: int
    positives: int
    from_labels: bool


@dataclass(frozen=True, slots=True)
class Consequence:
    """What two lines mean for one signal. Days are counted on all posts, shares on labelled ones."""

    recall: Share
    """Of the angry (technical), those at or above the low line."""
    at_once: Share
    precision: Share
    """Of those at or above the high line, the angry (technical)."""
    cases_a_day: float | None
    looks_a_day: float | None
    missed_a_day: float | None
    """At the rate at which such posts are found among those drawn blindly."""
    needless_a_day: float | None


def draw(said: Sequence[float], truth: Sequence[bool], cost: float) -> Drawn:
    """The lines at which the labelled posts cost least, held near arithmetic's while there are few."""
    value, true = np.array(said, dtype=np.float64), np.array(truth, dtype=np.intp)
    positives = int(true.sum())
    # Thousands of labels are a few hundred cells: drawn again they cost the same, however many there are.
    counts = np.bincount(2 * np.clip((value * CELLS).astype(np.intp), 0, CELLS - 1) + true, minlength=2 * CELLS)
    found = choose(_scored(counts), cost)
    if min(positives, len(true) - positives) < LEAST_OF_EACH:
        return Drawn(found.low, found.high, None, None, len(true), positives, from_labels=False)
    random = np.random.default_rng(SEED)
    again = [choose(_scored(random.multinomial(len(true), counts / counts.sum())), cost) for _ in range(RESAMPLES)]
    return Drawn(found.low, found.high, _middle([one.low for one in again]), _middle([one.high for one in again]), len(true), positives, from_labels=True)


def _scored(counts: NDArray[np.integer[Any]]) -> list[Scored]:
    return [Scored((cell // 2 + 0.5) / CELLS, bool(cell % 2), float(counts[cell])) for cell in np.flatnonzero(counts).tolist()]


def consequence(
    said: Sequence[float], truth: Sequence[bool], low: float, high: float, *, stream: Sequence[float] = (), days: float = 0.0, base_rate: float | None = None
) -> Consequence:
    """`said` and `truth` of labelled posts; `stream` the scores of all posts of `days` days; `base_rate` among posts drawn blindly."""
    value, true = np.array(said, dtype=np.float64), np.array(truth, dtype=bool)
    scores = np.array(stream, dtype=np.float64)
    positives = int(true.sum())
    seen, at_once = int((true & (value >= low)).sum()), int((true & (value >= high)).sum())
    precision = share(at_once, int((value >= high).sum()))
    cases = float((scores >= high).sum() / days) if days else None
    recall = share(seen, positives)
    missed = None
    if days and base_rate is not None and recall.share is not None:
        missed = len(scores) / days * base_rate * (1 - recall.share)
    needless = None if cases is None or precision.share is None else cases * (1 - precision.share)
    return Consequence(
        recall=recall,
        at_once=share(at_once, positives),
        precision=precision,
        cases_a_day=cases,
        looks_a_day=float(((scores >= low) & (scores < high)).sum() / days) if days else None,
        missed_a_day=missed,
        needless_a_day=needless,
    )


def _middle(values: Sequence[float]) -> tuple[float, float]:
    return round(float(np.quantile(values, 0.025)), 4), round(float(np.quantile(values, 0.975)), 4)
