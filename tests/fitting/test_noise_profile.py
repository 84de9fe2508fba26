"""Noise whose size changes along the traces, and noise that is slower than a block: seen, allowed for, not invented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weakreset.fitting import FitSet, fit_devices
from weakreset.fitting.fit_text import fit_of, text_of
from weakreset.fitting.noise_profile import SizeSeen, noise_profile
from weakreset.fitting.residual_colour import colour_inflation, power_of_set, slow_power
from weakreset.fitting.whitening import NoiseColour, NoiseProfile, Whitener
from weakreset.model import pink_noise
from weakreset.traces import TraceSet

T = np.arange(1.0, 401.0)
MIDDLES = np.arange(25.0, 400.0, 50.0)


def fits_of(log_ratio: np.ndarray, **options: object) -> FitSet:
    ohm = 7000.0 * np.exp(np.hstack([np.zeros((len(log_ratio), 1)), log_ratio]))
    names = [f"d{i}" for i in range(len(ohm))]
    return fit_devices(TraceSet.from_arrays(names, np.arange(ohm.shape[1]), ohm), jobs=1, **options)


def test_whitened_traces_of_a_profile_have_unit_variance_throughout():
    """20 x 400 squares, seed 1: an eighth is known to 4.5 %; 0.2 is more than four of that (8 parts, 1e-4)."""
    rng = np.random.default_rng(1)
    profile = NoiseProfile((50.0, 350.0), (-0.8, 0.5))
    whitener = Whitener(T.astype(np.int64), NoiseColour(1.0, profile=profile))
    traces = profile.at(T) * pink_noise(rng, 20, 400)
    squares = (whitener.rows(traces) ** 2).reshape(20, 8, 50).mean(axis=(0, 2))
    assert squares == pytest.approx(np.ones(8), abs=0.2)
    flat = (Whitener(T.astype(np.int64), NoiseColour(1.0)).rows(traces) ** 2).reshape(20, 8, 50).mean(axis=(0, 2))
    assert flat[-1] > 4.0 * flat[0]  # the same traces without the profile
    part = whitener.at(T[:120].astype(np.int64))
    assert part.rows(traces[:, :120]) == pytest.approx(whitener.rows(traces)[:, :120])


def test_a_profile_is_not_seen_in_even_noise_nor_in_few_devices_and_is_where_it_is():
    """Level 1e-5 a set; 200 sets of even noise, seed 2: a false alarm of the rule has a chance of 0.2 %."""
    rng = np.random.default_rng(2)

    def seen(size: np.ndarray, n: int) -> list[SizeSeen | None]:
        return [SizeSeen(MIDDLES, size**2 * rng.chisquare(50, (n, 8)) / 50)]

    assert all(noise_profile(seen(np.ones(8), 40), None) is None for _ in range(200))
    growing = np.linspace(0.6, 2.0, 8)
    found = noise_profile(seen(growing, 40), None)
    assert found is not None
    size = found.at(MIDDLES)
    assert size / size[0] == pytest.approx(growing / growing[0], rel=0.15)
    assert np.mean(size**2) == pytest.approx(1.0, abs=1e-3)
    assert noise_profile(seen(growing, 5), None) is None
    assert noise_profile([None], found) is found
    assert noise_profile(seen(np.ones(8), 40), found) is found  # nothing is left after it


def test_noise_that_grows_is_not_taken_for_telegraph_steps():
    """40 devices without steps, seed 3, noise from 0.5 to 2.5 times its mean: by one size a fifth have steps."""
    rng = np.random.default_rng(3)
    drift = rng.gamma(4.0, 3e-4, (40, 1)) * np.minimum(T, rng.uniform(80, 250, (40, 1)))
    fits = fits_of(drift + 0.007 * np.linspace(0.5, 2.5, 400) * pink_noise(rng, 40, 400))
    assert sum(bool(fit.rtn.steps) for fit in fits) <= 2
    (said,) = [note for note in fits.notes if "changes along the traces" in note]
    assert "times its mean at their beginning" in said
    assert fits.fits[0].profile is not None
    assert fit_of(text_of(replace(fits.fits[0], result=None))).colour == fits.fits[0].colour  # parts of a stream
    quiet = fits_of(drift + 0.007 * pink_noise(rng, 40, 400))
    assert quiet.fits[0].profile is None
    assert not any("changes along the traces" in note for note in quiet.notes)


@pytest.mark.statistical
def test_errors_grow_where_the_residuals_are_slower_than_assumed():
    """Of 200 fits of white noise, seed 4, mean squares lie within 0.15 of 1 (sd of a mean 0.03); of slow noise above 2.

    The same spread comes out of the fits themselves: what is reported is what the numbers scatter by, within a quarter.
    """
    rng = np.random.default_rng(4)
    columns = np.column_stack([np.ones(400), T / 400, np.maximum(T - 150, 0) / 400])
    q, r = np.linalg.qr(columns)
    root = np.linalg.inv(r)
    white = rng.standard_normal((200, 400))
    slow = white + np.array([np.convolve(row, np.ones(40) / 40, "same") for row in rng.standard_normal((200, 400))]) * 6
    for noise, least, most in ((white, 0.85, 1.15), (slow, 2.0, 40.0)):
        left = noise - noise @ q @ q.T
        powers = [slow_power(q, row) for row in left]
        of_set = power_of_set(powers)
        ratios = np.array([colour_inflation(q, root, one, of_set) ** 2 for one in powers]).mean(axis=0)
        scatter = np.var(noise @ q @ root.T, axis=0) / np.einsum("ij,ij->i", root, root)
        assert np.all((ratios > least) & (ratios < most))
        assert np.all(ratios > 0.6 * scatter)
    assert power_of_set(powers[:10]) == ()
