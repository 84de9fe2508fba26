"""The exact scan against brute force and pwlf."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.fitting.bases import basis_of
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.step_search import best_knees, search_knees_and_steps
from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.model import SINGLE_SLOPE, TWO_SLOPE, two_slope


def scan(pulses, rows, colour=NoiseColour(None), variance=1e-4, rtn=False):  # noqa: B008
    dictionary = Dictionary(Whitener(pulses, colour), basis_of(TWO_SLOPE), rtn)
    _, products = dictionary.project(rows)
    plain = best_knees(dictionary, products)
    if not rtn:
        return dictionary, plain
    return dictionary, search_knees_and_steps(dictionary, products, np.full(len(rows), variance), plain)


def noisy(seed, t_star=120.0, n=300, sd=0.01):
    rng = np.random.default_rng(seed)
    t = np.arange(1, n + 1)
    return t, two_slope(t, 1e-3, t_star, 0.02, 1e-4) + sd * rng.standard_normal(n)


@pytest.mark.parametrize("seed", range(3))
def test_knee_is_the_best_of_all_by_brute_force(seed):
    t, y = noisy(seed)
    dictionary, (found,) = scan(t, y[None])
    best, rss = None, np.inf
    for k in dictionary.grid:
        design = np.column_stack([np.ones(len(t)), t, np.maximum(t - k, 0)])
        b, *_ = np.linalg.lstsq(design, y, rcond=None)
        left = np.sum((y - design @ b) ** 2)
        if b[2] <= 0 and left < rss:
            best, rss = k, left
    assert dictionary.grid[found.knee - dictionary.profiles.start] == best
    assert y @ y - found.explained == pytest.approx(rss, rel=1e-8)


def test_knee_agrees_with_pwlf():
    pwlf = pytest.importorskip("pwlf")
    t, y = noisy(1, sd=0.003)
    dictionary, (found,) = scan(t, y[None])
    state = np.random.get_state()  # noqa: NPY002  (the oracle seeds the global generator)
    knee = pwlf.PiecewiseLinFit(t.astype(float), y, seed=1).fit(2)[1]
    np.random.set_state(state)  # noqa: NPY002
    assert dictionary.grid[found.knee - dictionary.profiles.start] == pytest.approx(knee, abs=1.0)


def test_all_devices_at_once_is_the_same_as_one_by_one():
    rows = np.stack([noisy(seed, t_star)[1] for seed, t_star in enumerate((60.0, 120.0, 200.0))])
    t = np.arange(1, 301)
    together = scan(t, rows, NoiseColour(1.0), rtn=True)[1]
    alone = [scan(t, row[None], NoiseColour(1.0), rtn=True)[1][0] for row in rows]
    assert [(c.knee, c.steps) for c in together] == [(c.knee, c.steps) for c in alone]


def test_steps_and_knee_are_found_together():
    t, y = noisy(4, sd=0.01)
    y = y + 0.08 * ((t >= 80) & (t < 190))
    dictionary, (found,) = scan(t, y[None], rtn=True)
    reads = [int(dictionary.step_reads[s - dictionary.steps.start]) for s in found.steps]
    assert [int(t[r]) for r in reads] == pytest.approx([80, 190], abs=1)
    assert dictionary.grid[found.knee - dictionary.profiles.start] == pytest.approx(120, abs=12)


def test_hmmlearn_finds_the_same_steps_on_white_noise():
    hmm = pytest.importorskip("hmmlearn.hmm")
    rng = np.random.default_rng(12)
    t = np.arange(1, 401)
    state = (t >= 120) & (t < 260)
    y = 0.1 * state + 0.01 * rng.standard_normal(400)
    model = hmm.GaussianHMM(2, random_state=0, n_iter=50).fit(y[:, None])
    path = model.predict(y[:, None])
    dictionary = Dictionary(Whitener(t, NoiseColour(None)), basis_of(SINGLE_SLOPE), True)
    _, products = dictionary.project(y[None])
    (found,) = search_knees_and_steps(dictionary, products, np.array([1e-4]), best_knees(dictionary, products))
    reads = [int(dictionary.step_reads[s - dictionary.steps.start]) for s in found.steps]
    np.testing.assert_array_equal(reads, np.flatnonzero(np.diff(path)) + 1)
