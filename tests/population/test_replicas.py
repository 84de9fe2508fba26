"""Bootstrap intervals and goodness of fit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.population.synthetic import NAMES, correlated, wafer
from weakreset.fitting.likelihood_draws import LikelihoodDraws
from weakreset.model import TWO_SLOPE, TruncatedLaw
from weakreset.parameter_file import majumdar2021, parse_parameters
from weakreset.parameter_file.load_save import dump_parameters
from weakreset.population import export_parameters, fit_population
from weakreset.population.bootstrap import bootstrap_laws
from weakreset.population.choose_families import Laws
from weakreset.population.correlated import CorrelatedHierarchy
from weakreset.population.families import FreeLaw, fit_values
from weakreset.population.goodness import distances, goodness_of_law, goodness_of_values
from weakreset.population.hierarchy import Hierarchy

LAWS = {name: majumdar2021().parameters[name].law() for name in NAMES}
FREE = {
    name: FreeLaw(law.family, {"loc": law.params["loc"]} if law.family == "expon" else {}, law.lower, law.upper)
    for name, law in LAWS.items()
}
NORMAL = TruncatedLaw("norm", {"mean": 0.0, "sd": 1.0})


@pytest.mark.parametrize("matrix", [None, correlated(m1__t_star=0.6)])
def test_bootstrap_widths_agree_with_the_curvature(matrix):
    """40 replicates: a width has a sd of about 12 %; the limits are 40 %."""
    devices, known = wafer(np.random.default_rng(11), LAWS, 80, matrix, n_draws=30)
    likelihood = Hierarchy(devices, known=known)
    if matrix is not None:
        likelihood = CorrelatedHierarchy(likelihood, LAWS, matrix)
    laws, _ = likelihood.maximize(FREE, LAWS)
    covariance = likelihood.covariance(FREE, laws)
    calls = []
    found = bootstrap_laws(
        likelihood, Laws(FREE, laws, {}), laws, 40, np.random.default_rng(12), lambda *call: calls.append(call)
    )
    assert calls[-1] == (40, 40, "bootstrap")
    for name, number in (("m1", "scale"), ("c1", "sd"), ("t_star", "s")):
        low, high = found[name][number]
        assert low < laws[name].params[number] < high
        error = FREE[name].stderr(laws[name], covariance[name])[number]
        assert (high - low) / 3.92 == pytest.approx(error, rel=0.4)


def test_resampling_counts_devices_instead_of_copying_them():
    devices, _ = wafer(np.random.default_rng(13), LAWS, 30)
    indices = np.random.default_rng(14).integers(0, 30, 30)
    counted = Hierarchy(devices).resampled(indices).log_likelihood(LAWS)
    assert counted == pytest.approx(Hierarchy([devices[i] for i in indices]).log_likelihood(LAWS))


def test_distances_by_scipy():
    from scipy import stats

    x = np.random.default_rng(15).standard_normal(50)
    ks, ad = distances(NORMAL, x)
    assert ks == pytest.approx(stats.kstest(x, "norm").statistic)
    u = np.sort(stats.norm.cdf(x))
    expected = -50 - np.mean((2 * np.arange(1, 51) - 1) * (np.log(u) + np.log(1 - u[::-1])))
    assert ad == pytest.approx(expected)


def test_p_values_of_exact_values_are_uniform():
    """40 samples, P(p <= 0.1) = 0.1: more than 10 by chance in 0.2 %; each of two statistics."""
    p_values = []
    for seed in range(40):
        rng = np.random.default_rng([16, seed])
        x = rng.standard_normal(80)
        p_values.append([t.p_value for t in goodness_of_values(x, fit_values(x, ("norm",)).law, 19, rng)])
    assert np.all(np.sum(np.array(p_values) <= 0.1, axis=0) <= 10)


def test_a_wrong_family_of_exact_values_is_seen():
    rng = np.random.default_rng(17)
    x = np.concatenate([rng.normal(-2, 0.5, 60), rng.normal(2, 0.5, 60)])
    assert [t.p_value for t in goodness_of_values(x, fit_values(x, ("norm",)).law, 19, rng)] == [0.05, 0.05]


def two_numbers(rng, true, sd=0.4):
    """Devices that know `c1` with an error of `sd` and another number exactly."""
    seen = true + sd * rng.standard_normal(len(true))
    grid = np.linspace(-3, 3, 25)
    weights = np.repeat(grid, np.maximum(1, np.round(6 * np.exp(-(grid**2) / 2))).astype(int))
    columns = [np.stack([v + sd * weights, np.full(len(weights), 0.1)], 1) for v in seen]
    return Hierarchy([LikelihoodDraws(TWO_SLOPE, ("c1", "m1"), column, 0.0) for column in columns])


def law_p_values(rng, true):
    hierarchy = two_numbers(rng, true)
    free = {"c1": FreeLaw("norm", {}, -np.inf, np.inf)}
    laws, _ = hierarchy.maximize(free, {"c1": NORMAL, "m1": NORMAL}, only=["c1"])
    return [t.p_value for t in goodness_of_law(hierarchy, "c1", free["c1"], laws, 19, rng)]


def test_p_values_of_uncertain_numbers_are_uniform():
    """12 samples, P(p <= 0.1) = 0.1: more than 5 by chance in 0.05 %."""
    p_values = [law_p_values(rng, rng.standard_normal(60)) for rng in map(np.random.default_rng, range(180, 192))]
    assert np.all(np.sum(np.array(p_values) <= 0.1, axis=0) <= 5)


def test_a_wrong_family_of_uncertain_numbers_is_seen():
    rng = np.random.default_rng(19)
    true = np.concatenate([rng.normal(-2, 0.3, 50), rng.normal(2, 0.3, 50)])
    assert law_p_values(rng, true) == [0.05, 0.05]


def test_both_are_exported(fitted):
    families = {"r0_ohm": "norm", "m1": "expon", "t_star": "lognorm", "c1": "norm", "m2": "expon"}
    population = fit_population(fitted, families=families, bootstrap=2, goodness=2, seed=1)
    params = export_parameters(population, "x")
    assert parse_parameters(dump_parameters(params)) == params
    assert set(params.parameters["t_star"].interval) == {"s", "scale"}
    assert [test.statistic for test in params.parameters["r0_ohm"].goodness_of_fit] == [
        "kolmogorov-smirnov", "anderson-darling",
    ]
    assert params.parameters["t_star"].goodness_of_fit is None
    again = fit_population(fitted, families=families, bootstrap=2, goodness=2, seed=1)
    assert all(again.laws[name].interval == law.interval for name, law in population.laws.items())
