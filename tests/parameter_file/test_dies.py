"""Devices on dies: the file's shares are those that are drawn, by the twin and by the layers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import special

from weakreset.errors import ParameterFileError, UsageError
from weakreset.parameter_file import dump_parameters, majumdar2021, parse_parameters
from weakreset.parameter_file.dies import die_of_each
from weakreset.simulation import DeviceArray
from weakreset.twin import simulate_population, simulate_traces


def with_dies(**share):
    raw = json.loads(dump_parameters(majumdar2021()))
    raw["dies"] = {"column": "die", "share": share, "n_groups": 8}
    return parse_parameters(json.dumps(raw))


def scores(file, values):
    return special.ndtri(file.parameters["r0_ohm"].law().cdf(values))


@pytest.mark.statistical
def test_the_share_between_dies_is_that_of_the_file():
    """400 dies x 20 devices, seed 1: the share is known to about 0.03; 0.12 is 4 sd (6e-5). A share of 0 is told."""
    file, n_dies = with_dies(r0_ohm=0.5), 400
    die = die_of_each(20 * n_dies, n_dies)
    for given, share in ((file, 0.5), (with_dies(r0_ohm=0.0), 0.0)):
        # without noise, which is not looked at: 1/f noise of 8,000 devices takes most of a minute
        devices = simulate_population(given, 20 * n_dies, 1, 1, without=("pink", "rtn"), dies=die).devices
        z = scores(given, devices.r0_ohm).reshape(n_dies, 20)
        within = float(z.var(axis=1, ddof=1).mean())
        between = float(z.mean(axis=1).var(ddof=1)) - within / 20
        assert between / (between + within) == pytest.approx(share, abs=0.12)
        assert z.std() == pytest.approx(1.0, abs=0.12)  # over dies the law is the file's


def test_traces_carry_their_die_and_nothing_changes_without():
    file = with_dies(r0_ohm=0.5, m1=0.3)
    traces = simulate_traces(file, 12, 20, 3, n_dies=4)
    assert [str(trace.extras["die"][0]) for trace in traces] == [f"die{i}" for i in np.repeat([1, 2, 3, 4], 3)]
    plain, same = simulate_traces(majumdar2021(), 12, 20, 3), simulate_traces(file, 12, 20, 3)
    for one, other in zip(plain, same, strict=True):
        np.testing.assert_array_equal(one.resistance_ohm, other.resistance_ohm)
    again = simulate_traces(file, 12, 20, 3, n_dies=4)
    np.testing.assert_array_equal(traces.traces[5].resistance_ohm, again.traces[5].resistance_ohm)


def test_a_tile_sits_on_one_die():
    """Mean score of ln R0 of a tile: sd sqrt(0.5) between 12 tiles, 0.02 without dies (2,000 devices each)."""
    file = with_dies(r0_ohm=0.5)
    means = {}
    for name, one in (("dies", file), ("none", majumdar2021())):
        tiles = [DeviceArray((2000,), one, seed=seed) for seed in range(12)]
        means[name] = [float(np.mean(scores(one, np.exp(tile.log_r0.numpy().astype(float))))) for tile in tiles]
    assert np.std(means["dies"]) > 0.3
    assert np.std(means["none"]) < 0.1


def test_wrong_blocks_and_requests_are_refused():
    with pytest.raises(ParameterFileError, match=r"dies\.share: no such parameter: m9"):
        with_dies(m9=0.2)
    with pytest.raises(ParameterFileError, match=r"dies\.share\.m1 must be >= 0 and < 1, got 1\.5"):
        with_dies(m1=1.5)
    with pytest.raises(ParameterFileError, match="says nothing of dies"):
        simulate_traces(majumdar2021(), 4, 5, n_dies=2)
    with pytest.raises(UsageError, match="5 dies for 4 devices"):
        simulate_traces(with_dies(m1=0.2), 4, 5, n_dies=5)
    with pytest.raises(UsageError, match="one cycle"):
        simulate_traces(with_dies(m1=0.2), 4, 5, n_cycles=2, n_dies=2)
