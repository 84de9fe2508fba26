"""The spread between devices made smaller or larger, with the same random numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from weakreset.errors import ParameterFileError
from weakreset.parameter_file import draw_devices, dump_parameters, majumdar2021, parse_parameters, scale_spread


def drawn(params, n=400):
    return draw_devices(params, n, np.random.default_rng(7))


def test_zero_is_the_nominal_device_and_one_changes_nothing():
    params = majumdar2021()
    laws = {name: entry.law() for name, entry in params.parameters.items()}
    middle, mean = drawn(scale_spread(params, 0.0)), drawn(scale_spread(params, 0.0, "mean"))
    for name in ("m1", "t_star", "c1", "m2"):
        assert middle.drift[name] == pytest.approx(laws[name].median())
        assert mean.drift[name] == pytest.approx(laws[name].mean(), rel=1e-6)
        assert np.array_equal(drawn(scale_spread(params, 1.0)).drift[name], drawn(params).drift[name])


def test_one_parameter_is_changed_and_the_others_keep_their_numbers():
    params = majumdar2021()
    before, after = drawn(params), drawn(scale_spread(params, {"t_star": 0.5}))
    assert np.array_equal(before.drift["m1"], after.drift["m1"])
    assert np.array_equal(before.rtn_amplitude, after.rtn_amplitude)
    assert stats.spearmanr(before.drift["t_star"], after.drift["t_star"]).statistic == pytest.approx(1.0)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_log_of_a_lognormal_law_spreads_by_the_factor_inside_its_truncation(factor):
    params = majumdar2021()
    law = params.parameters["t_star"].law()
    before, after = (drawn(p).drift["t_star"] for p in (params, scale_spread(params, {"t_star": factor})))
    scores = stats.norm.ppf(law.cdf(before)), stats.norm.ppf(law.cdf(after))
    assert scores[1] == pytest.approx(factor * scores[0], abs=1e-6)
    assert after.min() >= law.lower
    assert after.max() <= law.upper


def test_it_survives_the_file_and_refuses_nonsense():
    params = scale_spread(majumdar2021(), {"m1": 0.3})
    assert parse_parameters(dump_parameters(params)) == params
    for scale in ({"m9": 1.0}, {"m1": -1.0}):
        with pytest.raises(ParameterFileError, match=r"d2d\.scale"):
            scale_spread(majumdar2021(), scale)
