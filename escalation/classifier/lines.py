"""Two lines by cost: above the high one at once to staff, between the two a look in triage, below the community. Pure sums.

A miss costs as many needless escalations as the brand says, a needless escalation costs 1, a look costs LOOK. On a
probability that is right, a look is dearer than the miss it prevents below LOOK / cost, and dearer than the needless
escalation it prevents above 1 - LOOK. Whether the probability is right is learned from the brand's own labels first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOOK = 0.5
"""What a look in triage costs, in needless escalations: somebody reads one post instead of working a whole case."""
MOST_COST = 100.0
HOLD_SLOPE, HOLD_SHIFT = 20.0, 2.0
"""How firmly the probability is taken at its word before labels speak against it: one over the variance expected of each."""
LEAST_LINE, MOST_LINE = 0.01, 0.95
"""No line stands further out: beyond these nothing is measured well enough."""
LEAST_GAP = 0.001
STEPS = 19
Z = 1.96

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """What was said of a labelled post (0…1), what is true, and how many posts of the stream it stands for."""

    said: float
    true: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % interval (Wilson). `of` is the number of posts behind it, weighted ones counted by what they are worth."""

    share: float
    low: float
    high: float
    of: float


@dataclass(frozen=True, slots=True)
class Lines:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Consequences:
    """What two lines do to a stream. Posts a day are None where it is not said how many come."""

    lines: Lines
    n: int
    base_rate: float
    at_once: Share
    """Of the posts that have it, how many reach staff at once (recall without a look)."""
    reached: Share
    """…at once or by a look (recall)."""
    right: Share
    """Of the posts that go to staff at once, how many have it (precision)."""
    looks: Share
    """Of all posts, how many are looked at in triage."""
    escalated_a_day: float | None
    needless_a_day: float | None
    looks_a_day: float | None
    missed_a_day: float | None
    missed_a_day_interval: tuple[float, float] | None
    cost_of_100: float
    """What 100 posts cost in needless escalations: misses, looks and needless ones together."""


def choose(scored: Sequence[Scored], cost: float, *, look: float = LOOK) -> Lines:
    """The two lines that cost least if `cost` needless escalations are worth one miss. Without labels, those of a
    probability that is right."""
    slope, shift = _correction(scored)

    def said(wanted: float) -> float:
        raw = 1.0 / (1.0 + math.exp(-(math.log(wanted / (1 - wanted)) - shift) / slope))
        return min(max(raw, LEAST_LINE), MOST_LINE)

    cost = min(max(cost, 0.01), MOST_COST)
    if look / cost >= 1 - look:
        # No post is worth a look: one line, where a miss and a needless escalation weigh alike.
        only = round(said(1 / (1 + cost)), 3)
        return Lines(only, only)
    return Lines(round(said(look / cost), 3), round(said(1 - look), 3))


def consequences(
    scored: Sequence[Scored], lines: Lines, cost: float, *, posts_a_day: float | None = None, base_rate: float | None = None, look: float = LOOK
) -> Consequences:
    """What these lines do. `base_rate`: the share of posts that have it in the whole stream, where it is known better than
    from these labels (which are asked for mostly where the machine was unsure). Raises ValueError without a label."""
    if not any(one.weight > 0 for one in scored):
        raise ValueError("nothing is labelled yet")
    value, truth, weight = _columns(scored)
    yes = float((weight * truth).sum() / weight.sum())
    if base_rate is not None and 0 < yes < 1:
        weight = weight * np.where(truth > 0, base_rate / yes, (1 - base_rate) / (1 - yes))
    above, between = value >= lines.high, (value >= lines.low) & (value < lines.high)
    total = float(weight.sum())
    missed = float((weight * truth * ~(above | between)).sum()) / total
    needless = float((weight * (1 - truth) * above).sum()) / total
    looked = float((weight * between).sum()) / total
    reached = share(above | between, truth > 0, weight)
    rate = float((weight * truth).sum()) / total

    def a_day(part: float) -> float | None:
        return None if posts_a_day is None else round(part * posts_a_day, 1)

    return Consequences(
        lines=lines,
        n=len(scored),
        base_rate=round(rate, 4),
        at_once=share(above, truth > 0, weight),
        reached=reached,
        right=share(truth > 0, above, weight),
        looks=share(between, np.ones(len(truth), dtype=bool), weight),
        escalated_a_day=a_day(float((weight * above).sum()) / total),
        needless_a_day=a_day(needless),
        looks_a_day=a_day(looked),
        missed_a_day=a_day(missed),
        missed_a_day_interval=None
        if posts_a_day is None
        else (round((1 - reached.high) * rate * posts_a_day, 1), round((1 - reached.low) * rate * posts_a_day, 1)),
        cost_of_100=round(100 * (cost * missed + needless + look * looked), 2),
    )


def sweep(scored: Sequence[Scored], cost: float, *, posts_a_day: float | None = None, base_rate: float | None = None) -> list[Consequences]:
    """The consequences of one line (no band) at each step from 5 % to 95 %: what a picture of recall against work is drawn from."""
    steps = (round((step + 1) / (STEPS + 1), 3) for step in range(STEPS))
    return [consequences(scored, Lines(at, at), cost, posts_a_day=posts_a_day, base_rate=base_rate) for at in steps]


def share(hits: NDArray[np.bool_], among: NDArray[np.bool_], weight: Doubles) -> Share:
    """The weighted share of `hits` among some, with Wilson's interval at the number of posts that the weights are worth."""
    inside = weight[among]
    if not len(inside) or not inside.sum():
        return Share(0.0, 0.0, 1.0, 0.0)
    found = float(weight[among & hits].sum() / inside.sum())
    n = float(inside.sum() ** 2 / (inside * inside).sum())
    middle, spread = found + Z * Z / (2 * n), Z * math.sqrt(found * (1 - found) / n + Z * Z / (4 * n * n))
    low, high = (middle - spread) / (1 + Z * Z / n), (middle + spread) / (1 + Z * Z / n)
    return Share(round(found, 4), round(max(0.0, low), 4), round(min(1.0, high), 4), round(n, 1))


def _correction(scored: Sequence[Scored]) -> tuple[float, float]:
    """Slope and shift that make the log-odds right on these labels, held near 1 and 0 (Newton's method, two unknowns)."""
    slope, shift = 1.0, 0.0
    if not scored:
        return slope, shift
    value, truth, weight = _columns(scored)
    kept = np.clip(value, 1e-4, 1 - 1e-4)
    odds = np.log(kept / (1 - kept))
    for _ in range(50):
        right = 1 / (1 + np.exp(-np.clip(slope * odds + shift, -30, 30)))
        wrong, curve = weight * (right - truth), weight * right * (1 - right)
        pull = np.array([(wrong * odds).sum() + HOLD_SLOPE * (slope - 1), wrong.sum() + HOLD_SHIFT * shift])
        bend = np.array([[(curve * odds * odds).sum() + HOLD_SLOPE, (curve * odds).sum()], [(curve * odds).sum(), curve.sum() + HOLD_SHIFT]])
        step = np.linalg.solve(bend, pull)
        # A step never overshoots far: the loss is convex, but flat where everything is said with certainty.
        step = np.clip(step, -1.0, 1.0)
        slope, shift = slope - float(step[0]), shift - float(step[1])
        if abs(step).max() < LEAST_GAP / 100:
            break
    # A probability that says the opposite of the truth is not turned round; it is only trusted less.
    return max(slope, 0.2), shift


def _columns(scored: Sequence[Scored]) -> tuple[Doubles, Doubles, Doubles]:
    table = np.array([(one.said, one.true, one.weight) for one in scored], dtype=np.float64)
    return table[:, 0], table[:, 1], table[:, 2]
