"""The arithmetic of what is measured."""

from __future__ import annotations

import math

from escalation.classifier.evaluation import interval


def test_an_interval_ends_where_shares_end() -> None:
    """Red where rounding leaves a hair below nothing: the page said "-0 to 20 %"."""
    ends = [interval(hits, n) for n in range(1, 200) for hits in (0, 1, n // 2, n)]
    assert all(0 <= low <= high <= 1 and math.copysign(1, low) > 0 for low, high in ends)
    assert interval(0, 0) == (0.0, 1.0), "of nothing anything may be true"
    low, high = interval(50, 100)
    assert (round(low, 3), round(high, 3)) == (0.404, 0.596), "Wilson 1927, as tables give it"
