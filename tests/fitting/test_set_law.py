"""The law that devices' numbers are integrated over where shapes are compared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from weakreset.fitting.set_law import Candidates, SetLaw, first_law, improved


def one_device(precision: list[float], estimate: list[float]) -> Candidates:
    """A single candidate, numbers that do not go together."""
    gram = np.diag(precision)
    return Candidates(
        gram[None], (gram @ estimate)[None, None], np.zeros(1), np.array([-np.inf, np.inf]), np.zeros(1)
    )


@pytest.mark.parametrize("estimate", [0.5, -0.3])
def test_the_evidence_is_the_integral_over_a_normal_and_an_exponential_law(estimate):
    law = SetLaw(np.array([[0.2]]), np.array([[0.7]]), 0.0, 1.0, 1, 0.4)
    found = improved(law, [one_device([3.0, 5.0], [1.0, estimate])], np.ones(2))[0]

    def likelihood(x, precision, peak):
        return np.exp(precision * (peak * x - 0.5 * x * x))

    normal = integrate.quad(
        lambda x: likelihood(x, 3.0, 1.0) * stats.norm.pdf(x, 0.2, np.sqrt(0.7)), -9, 9, points=[0.5]
    )[0]
    decaying = integrate.quad(lambda x: likelihood(x, 5.0, estimate) * stats.expon.pdf(x, scale=0.4), 0, 12)[0]
    assert found == pytest.approx(np.log(normal) + np.log(decaying), abs=1e-5)


@pytest.mark.parametrize("positive", [-1, 2])
def test_every_round_explains_the_set_better_and_the_law_is_found(positive):
    """400 devices, seed 2: numbers N(3, 0.5), N(-1, 1) and exponential of mean 2, seen to 0.3; 5 standard errors."""
    rng = np.random.default_rng(2)
    true = np.column_stack([rng.normal(3.0, 0.5, 400), rng.normal(-1.0, 1.0, 400), rng.exponential(2.0, 400)])
    gram = np.eye(3) / 0.3**2
    product = ((true + 0.3 * rng.standard_normal(true.shape)) @ gram)[:, None, :]
    part = Candidates(gram[None], product, np.zeros(1), np.array([-np.inf, np.inf]), np.zeros(400))
    law, totals = first_law(3, False, 0.0, positive), []
    for _ in range(40):
        total, law = improved(law, [part], np.ones(3))
        totals.append(total)
    assert np.all(np.diff(totals) > -1e-6)
    assert law.means[:2, 0] == pytest.approx([3.0, -1.0], abs=0.25)
    assert np.sqrt(np.diag(law.spread)[:2]) == pytest.approx([0.5, 1.0], rel=0.2)
    if positive == 2:
        assert law.size == pytest.approx(2.0, rel=0.25)
