"""The row that a pulse changes: what its parts are, and what keeping poles in 16 bits does to their law."""

import numpy as np
import pytest
import torch

from weakreset.model.noise.pink_poles import fit_pink_poles
from weakreset.simulation.moving_rows import POLE_UNIT, lanes, log_r_of, poles_of, row_width, state_of


@pytest.mark.parametrize(("n_poles", "places", "width"), [(2, 4, 4), (4, 4, 4), (5, 8, 6), (8, 8, 6)])
def test_the_parts_of_a_row_do_not_overlap(n_poles: int, places: int, width: int) -> None:
    assert (lanes(n_poles), row_width(n_poles)) == (places, width)
    moving = torch.zeros((3, 2, width), dtype=torch.int32)
    poles_of(moving).copy_(torch.arange(-2, places - 2).to(torch.int16).expand(3, 2, -1))
    state_of(moving).fill_(7)
    log_r_of(moving).fill_(-8.5)
    assert poles_of(moving)[1, 1].tolist() == list(range(-2, places - 2))
    assert state_of(moving).unique().tolist() == [7]
    assert log_r_of(moving).unique().tolist() == [-8.5]


def test_rounding_adds_as_little_variance_as_stated() -> None:
    """Variance of a rounding, unit^2 / 12, beside what one pulse brings to the slowest pole."""
    worst = 0.0
    for exponent in (0.2, 1.0, 1.8):
        for n_poles in (2, 4, 8):
            brought = 1.0 - fit_pink_poles(exponent, n_poles).decay.max() ** 2
            worst = max(worst, POLE_UNIT**2 / 12.0 / brought)
    assert 1e-6 < worst < 2e-5


@pytest.mark.statistical
def test_a_rounded_pole_keeps_variance_and_memory() -> None:
    """The slowest of the published poles, 4,000 devices, 500 steps of one pulse from its stationary law.

    The variance of the end (relative sd 0.0224) and its correlation with the start, a^500 (sd < 0.016), lie within 5 sd
    of the unrounded law: false alarm 1.2e-6. A unit 512 times as coarse, a quarter of the standard deviation, is seen.
    """
    a = float(fit_pink_poles(1.0, 4).decay.max())

    def run(unit: float) -> tuple[float, float]:
        rng = np.random.default_rng(5)
        y = start = np.round(rng.standard_normal(4000) / unit)
        for _ in range(500):
            y = np.round(a * y + np.sqrt(1.0 - a * a) / unit * rng.standard_normal(4000))
        return float((y * unit).var()), float(np.corrcoef(start, y)[0, 1])

    variance, correlation = run(POLE_UNIT)
    assert variance == pytest.approx(1.0, abs=5 * 0.0224)
    assert correlation == pytest.approx(a**500, abs=5 * 0.016)
    assert run(512 * POLE_UNIT)[0] > 1.0 + 5 * 0.0224
