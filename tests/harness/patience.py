"""How long something takes at best: what a guard against slowness asks, so that a crowded machine does not fail it."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 3


def best_seconds(act: Callable[[], object], enough: float, clock: Callable[[], float] = time.thread_time) -> float:
    """The shortest of at most TRIES runs, in seconds of this thread's processor time; the first that takes no more than `enough` ends them.

    What is slow by itself is slow every time. A round of the garbage collector over all that a
    test process holds, or a neighbour who has the core, is not.
    """
    best = float("inf")
    for _ in range(TRIES):
        began = clock()
        act()
        best = min(best, clock() - began)
        if best <= enough:
            break
    return best
