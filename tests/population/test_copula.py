"""Correlations between the devices' numbers: recovered where there are some, not found where there are none.

Everything here is simulated. MC figures were measured on other seeds than the tests use.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.population.synthetic import NAMES, correlated, wafer
from weakreset.fitting import fit_devices
from weakreset.multiple_testing import holm
from weakreset.parameter_file import ParameterFile, majumdar2021
from weakreset.population import CorrelationFit, PairTest, export_parameters, fit_population
from weakreset.population.copula import copula_likelihood, fit_copula
from weakreset.population.correlated import CorrelatedHierarchy, _moving
from weakreset.population.families import FreeLaw
from weakreset.population.hierarchy import Hierarchy
from weakreset.population.scores import DeviceScores, score_devices
from weakreset.twin import simulate_traces

LAWS = {name: majumdar2021().parameters[name].law() for name in NAMES}


def exact(z, names=("a", "b", "c")):
    """Devices that know their scores."""
    n = len(z)
    return DeviceScores(names, z[:, None, :], np.ones((n, 1)), np.zeros((n, 1, 0)), np.zeros((n, 1)), ())


def fit_wafer(seed, matrix=None, n_devices=150):
    devices, known = wafer(np.random.default_rng(seed), LAWS, n_devices, matrix)
    return fit_copula([score_devices(Hierarchy(devices, known=known), LAWS)])


def test_copula_density_agrees_with_scipy():
    z = np.random.default_rng(1).standard_normal((40, 3))
    matrix = np.array([[1.0, 0.5, -0.2], [0.5, 1.0, 0.1], [-0.2, 0.1, 1.0]])
    joint = stats.multivariate_normal(np.zeros(3), matrix).logpdf(z)
    assert copula_likelihood(exact(z), matrix, [])[0] == pytest.approx(joint.sum() - stats.norm.logpdf(z).sum())


def test_gradient_agrees_with_finite_differences():
    devices, known = wafer(np.random.default_rng(2), LAWS, 40)
    scores = score_devices(Hierarchy(devices, known=known), LAWS)
    matrix, pairs = correlated(m1__t_star=0.4, c1__m2=-0.2), [(1, 2), (3, 4), (0, 3)]
    _, gradient = copula_likelihood(scores, matrix, pairs)
    for at, (i, j) in enumerate(pairs):
        ends = []
        for sign in (1, -1):
            moved = matrix.copy()
            moved[i, j] = moved[j, i] = matrix[i, j] + sign * 1e-5
            ends.append(copula_likelihood(scores, moved, pairs)[0])
        assert gradient[:, at].sum() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-4)


def test_weights_of_a_device_sum_to_one_over_both_cases():
    devices, known = wafer(np.random.default_rng(3), LAWS, 60)
    scores = score_devices(Hierarchy(devices, known=known), LAWS)
    assert np.allclose(scores.inside_weight.sum(axis=1) + scores.beyond_weight.sum(axis=1), 1.0)
    hidden = scores.beyond_weight.sum(axis=1) > 0.5
    assert 3 < hidden.sum() < 30
    assert np.all(scores.beyond[hidden][..., 2] >= stats.norm.ppf(LAWS["t_star"].cdf(1000.0)) - 1e-9)


def test_independence_is_rejected_at_the_stated_rate():
    """100 wafers of 150 independent devices, joint level 5 %: more than 12 rejections happen by chance in 0.15 %.

    Single p-values: the share below 0.05 of 1,000 has a sd of 0.007; outside 0.03..0.07 in 0.4 %.
    """
    fits = [fit_wafer([4, seed]) for seed in range(100)]
    assert all(len(fit.tests) == 10 for fit in fits)
    assert sum(any(test.rejected for test in fit.tests) for fit in fits) <= 12
    assert 0.03 < np.mean([test.p_value < 0.05 for fit in fits for test in fit.tests]) < 0.07


def test_the_rate_test_fails_on_a_correlated_generator():
    fits = [fit_wafer([5, seed], correlated(m1__c1=0.35)) for seed in range(30)]
    assert sum(any(test.rejected for test in fit.tests) for fit in fits) > 12


def test_intervals_scatter_as_their_errors_say():
    """30 wafers with rho = 0.6 (m1, t_star): mean within 0.04 and pulls' sd within 0.65..1.4 (99 % of chi)."""
    fits = [fit_wafer([6, seed], correlated(m1__t_star=0.6)) for seed in range(30)]
    rho = np.array([fit.matrix[1, 2] for fit in fits])
    pulls = (rho - 0.6) / [fit.stderr[1, 2] for fit in fits]
    assert rho.mean() == pytest.approx(0.6, abs=0.04)
    assert 0.65 < pulls.std(ddof=1) < 1.4


def test_holm_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])


def test_what_no_device_knows_is_not_identifiable():
    rng = np.random.default_rng(7)
    z = rng.standard_normal((100, 50, 2))
    z[..., 0] = z[:, :1, 0]
    weight = np.full((100, 50), 1 / 50)
    scores = DeviceScores(("a", "b"), z, weight, np.zeros((100, 1, 0)), np.zeros((100, 1)), ())
    fit = fit_copula([scores])
    assert np.isnan(fit.matrix[0, 1])
    assert fit.significant() is None
    assert "not identifiable: a-b" in fit.sentence


def test_significant_matrix_stays_positive_definite():
    tests = tuple(
        PairTest(pair, r, 0.05, (r - 0.1, r + 0.1), 0.0, 0.0, rejected)
        for pair, r, rejected in (
            (("a", "b"), 0.9, True), (("a", "c"), 0.9, True), (("b", "c"), 0.7, False),
        )
    )
    fit = CorrelationFit(("a", "b", "c"), np.eye(3), np.eye(3), np.eye(3), tests, 100)
    matrix = fit.significant()
    assert np.linalg.eigvalsh(matrix)[0] > 0
    assert matrix[1, 2] == 0.0
    assert np.all(np.diag(matrix) == 1.0)


@pytest.mark.parametrize(("r", "p", "counted"), [
    (0.6, 1e-9, 0.6), (0.6, 0.005, 0.6), (0.6, 0.005 * 10**0.5, 0.3), (0.6, 0.0499, 0.0), (0.6, 0.06, None),
    (0.15, 1e-9, 0.075), (0.2, 1e-9, 0.2), (0.1001, 1e-9, 0.0), (0.09, 1e-9, None),
])
def test_a_pair_moves_laws_more_and_more_and_never_at_a_stroke(r, p, counted):
    tests = (PairTest(("a", "b"), r, 0.05, (0.0, 1.0), p, p, p < 0.05),)
    found = _moving(CorrelationFit(("a", "b"), np.eye(2), np.eye(2), np.eye(2), tests, 100))
    if counted is None:
        assert found is None
    else:
        assert found[0, 1] == found[1, 0] == pytest.approx(counted, abs=2e-3)


def test_correlated_likelihood_is_the_plain_one_without_correlation_and_has_its_gradient():
    devices, known = wafer(np.random.default_rng(8), LAWS, 50)
    base = Hierarchy(devices, known=known)
    free = {name: FreeLaw(law.family, {"loc": law.params["loc"]} if law.family == "expon" else {}, law.lower, law.upper)
            for name, law in LAWS.items()}
    names = list(free)
    x = np.concatenate([free[name].coordinates(LAWS[name].params) for name in names])
    one = np.ones(len(x))
    plain, slope = base._objective(x, one, names, free, LAWS, {})
    same, same_slope = CorrelatedHierarchy(base, LAWS, np.eye(5))._objective(x, one, names, free, LAWS, {})
    assert same == pytest.approx(plain)
    assert same_slope == pytest.approx(slope, rel=1e-6)
    joint = CorrelatedHierarchy(base, LAWS, correlated(m1__t_star=0.6, c1__m2=0.3))
    steps = np.concatenate([free[name].scales(LAWS[name]) for name in names])
    _, slope = joint._objective(x, steps, names, free, LAWS, {})
    for at in range(len(x)):
        moved = [x + sign * 1e-3 * steps[at] * np.eye(len(x))[at] for sign in (1, -1)]
        ends = [joint._objective(m, steps, names, free, LAWS, {})[0] for m in moved]
        assert slope[at] == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=2e-3, abs=0.05)


def test_correlation_is_recovered_from_traces_and_exported():
    """rho = 0.6 between m1 and t_star, 400 devices x 1000 pulses (seed 20262).

    On ten other seeds: mean 0.56, sd 0.045 (0.035 is the scatter of the devices themselves), so 0.1 is missed in
    about 10 % of samples. Another pair is rejected in at most 5 %.
    """
    raw = majumdar2021().model_dump(by_alias=True)
    raw["correlation"] = {"names": ["m1", "t_star"], "matrix": [[1.0, 0.6], [0.6, 1.0]]}
    population = fit_population(fit_devices(simulate_traces(ParameterFile.model_validate(raw), 400, 1000, 20262)))
    fit = population.correlation
    assert fit.matrix[1, 2] == pytest.approx(0.6, abs=0.1)
    assert [test.names for test in fit.tests if test.rejected] == [("m1", "t_star")]
    params = export_parameters(population, "correlated")
    exported = np.array(params.correlation.matrix)
    assert exported[1, 2] == fit.matrix[1, 2]
    assert np.count_nonzero(exported) == 7
    assert any("rejected for m1-t_star" in note for note in params.provenance.notes)
