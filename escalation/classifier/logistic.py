"""Logistic regression, as small as what learns from a brand's labels needs it. Pure; the same numbers give the same coefficients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_STEPS, MOST_TURNS, NEAR = 50, 200, 1e-5
"""Steps of a fit, turns of the search for one, and the share of the first slope at which it is done."""

Doubles = NDArray[np.float64]


def logistic(inputs: Any, truth: Doubles, weight: Doubles, offset: Doubles, hold: Doubles) -> Doubles:
    """Logistic regression around a fixed offset, each coefficient held at zero by its own strength; the last is the bias.
    Newton's steps, each found by conjugate gradients: a library's own way would cost a process 27 MB."""
    from threadpoolctl import threadpool_limits

    turned = inputs.T.tocsr() if hasattr(inputs, "tocsr") else inputs.T
    squares = turned.power(2) if hasattr(turned, "power") else turned**2

    def forth(at: Doubles) -> Doubles:
        return np.asarray(inputs @ at[:-1] + at[-1])

    def back(posts: Doubles) -> Doubles:
        return np.append(turned @ posts, posts.sum())

    def loss(at: Doubles, score: Doubles) -> float:
        return float((weight * (np.logaddexp(0.0, score) - truth * score)).sum() + (hold * at * at).sum() / 2)

    found, score = np.zeros(len(hold)), offset.astype(np.float64)
    first = 0.0
    # Vectors this short are done before other threads have woken.
    with threadpool_limits(1):
        for _ in range(MOST_STEPS):
            said = probability(score)
            slope = back(weight * (said - truth)) + hold * found
            steep = float(np.linalg.norm(slope))
            first = first or steep
            if steep <= NEAR * first:
                break
            curve = weight * said * (1 - said)
            scale = np.append(squares @ curve, curve.sum()) + hold
            step = _conjugate(lambda at, curve=curve: back(curve * forth(at)) + hold * at, -slope, scale, min(0.1, math.sqrt(steep / first)) * steep)  # type: ignore[misc]
            along, before, size = forth(step), loss(found, score), 1.0
            while loss(found + size * step, score + size * along) > before and size > NEAR:
                size /= 2
            found, score = found + size * step, score + size * along
    return found


def _conjugate(bend: Callable[[Doubles], Doubles], wanted: Doubles, scale: Doubles, near: float) -> Doubles:
    """What `bend`, a positive definite matrix with `scale` near its diagonal, turns into `wanted`, to within a length of `near`."""
    found, left = np.zeros(len(wanted)), wanted.copy()
    eased = left / scale
    way, size = eased.copy(), float(left @ eased)
    for _ in range(MOST_TURNS):
        if float(np.linalg.norm(left)) <= near:
            break
        bent = bend(way)
        part = size / float(way @ bent)
        found += part * way
        left -= part * bent
        eased = left / scale
        after = float(left @ eased)
        way, size = eased + after / size * way, after
    return found


def probability(odds: NDArray[Any]) -> Doubles:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds.astype(np.float64), -30.0, 30.0))))
