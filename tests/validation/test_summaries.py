import numpy as np
import pytest
from scipy import stats

from weakreset.validation.pool import _draws
from weakreset.validation.summaries import Summary, column_quantiles, judge, step_down


def test_quantiles_agree_with_numpy_where_reads_are_missing():
    values = np.random.default_rng(0).standard_normal((4, 30, 5))
    values[:, 20:, 1] = np.nan
    values[:, 1:, 2] = np.nan
    levels = (0.05, 0.25, 0.5, 0.95)
    expected = np.nanquantile(values, levels, axis=1).transpose(1, 0, 2)
    assert column_quantiles(values, levels) == pytest.approx(expected)


def test_a_column_without_reads_stays_nan():
    assert np.isnan(column_quantiles(np.full((1, 3, 1), np.nan), (0.5,))).all()


def test_a_replica_is_drawn_without_replacement_and_the_first_is_the_measured_set():
    members = _draws(7, 20, 50, np.random.default_rng(3))
    assert members[0].tolist() == list(range(7))
    assert all(len(set(row)) == 7 for row in members)
    assert members.max() == 26


def p_values(shift: float, n_sets: int) -> np.ndarray:
    """Ranks of a set of 20 unit normals, moved by `shift`, among replicas from a small pool of 60 unmoved ones."""
    found = []
    for seed in range(n_sets):
        rng = np.random.default_rng(seed)
        values = rng.standard_normal(80)
        values[:20] += shift
        members = _draws(20, 60, 199, rng)
        checks = judge([Summary("mean", values[members].mean(axis=1)[:, None], ("",), "The mean")])
        found.append(checks[0].p_value)
    return np.array(found)


@pytest.mark.statistical
def test_the_rank_of_a_true_set_is_uniform_even_with_a_small_pool():
    """KS test of 400 p-values against the uniform law; false alarm 1e-3, seeds 0..399."""
    assert stats.kstest(p_values(0.0, 400), "uniform").pvalue > 1e-3


@pytest.mark.statistical
def test_the_rank_of_a_wrong_set_is_not_uniform():
    assert stats.kstest(p_values(0.3, 400), "uniform").pvalue < 1e-6


def test_identical_replicas_speak_neither_way():
    check = judge([Summary("constant", np.ones((100, 2)), ("here", "there"), "A constant")])[0]
    assert check.passed
    assert check.p_value == 1.0


def test_step_down_of_independent_checks_is_near_sidak_and_of_equal_ones_corrects_nothing():
    """4,000 replicas of 5 checks, seed 9; the p-values are ranks, so both answers are known."""
    ranks = np.stack([np.random.default_rng(s).permutation(4000) + 1 for s in range(5)], axis=1) / 4000
    ranks[0] = (0.01, 0.3, 0.5, 0.8, 0.9)
    corrected = step_down(ranks)
    assert corrected[0] == pytest.approx(1 - 0.99**5, rel=0.15)
    assert corrected[1] == pytest.approx(1 - 0.7**4, rel=0.05)
    assert np.all(np.diff(corrected) >= 0)
    same = np.repeat(ranks[:, :1], 5, axis=1)
    assert step_down(same) == pytest.approx(np.full(5, 0.01), abs=1e-3)


def test_step_down_lies_between_the_raw_values_and_bonferroni():
    rng = np.random.default_rng(10)
    for _ in range(50):
        values = rng.standard_normal((400, 6))
        ranks = (values[None] >= values[:, None]).mean(axis=1)
        corrected = step_down(ranks)
        assert np.all(corrected >= ranks[0] - 1e-12)
        assert np.all(corrected <= np.minimum(1.0, 6 * ranks[0] + 1e-12))


@pytest.mark.statistical
def test_the_smallest_corrected_value_of_a_true_set_is_below_five_percent_in_five_percent():
    """2,000 sets of 8 independent checks, 399 replicas each, seed 11: 5 % +- 4 binomial sd (6e-5)."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(2000):
        values = rng.standard_normal((400, 8))
        ranks = 1.0 - values.argsort(axis=0).argsort(axis=0) / 400
        alarms += step_down(ranks).min() <= 0.05
    assert alarms <= 2000 * 0.05 + 4 * np.sqrt(2000 * 0.05 * 0.95)
    assert alarms >= 2000 * 0.03
