"""The small regression behind what a brand teaches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from escalation.classifier.logistic import logistic


@pytest.mark.parametrize("sparse", [True, False])
def test_a_fit_ends_where_no_step_lowers_its_cost(sparse: bool) -> None:
    chance = np.random.default_rng(3)
    inputs = chance.normal(size=(200, 30)) * (chance.random((200, 30)) < 0.3)
    truth, weight = (chance.random(200) < 0.3).astype(float), chance.random(200)
    offset, hold = chance.normal(size=200), np.append(np.full(30, 0.2), 1e-6)
    found = logistic(csr_matrix(inputs) if sparse else inputs, truth, weight, offset, hold)
    wrong = weight * (1 / (1 + np.exp(-(offset + inputs @ found[:-1] + found[-1]))) - truth)
    assert np.abs(np.append(inputs.T @ wrong, wrong.sum()) + hold * found).max() < 1e-3
    assert np.abs(found).max() > 0.5, "it went somewhere"


def test_a_fit_survives_labels_that_a_line_parts_perfectly() -> None:
    inputs = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    found = logistic(inputs, np.array([0.0, 0, 1, 1]), np.full(4, 1e6), np.zeros(4), np.full(2, 1e-6))
    assert np.isfinite(found).all() and found[0] > 1
