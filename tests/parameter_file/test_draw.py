"""Devices drawn from a file: with its correlations, or from its measured rows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import special

from weakreset.errors import ParameterFileError
from weakreset.fitting import FitStatus
from weakreset.parameter_file import (
    ParameterFile,
    draw_devices,
    majumdar2021,
    parse_parameters,
)
from weakreset.parameter_file.load_save import dump_parameters
from weakreset.population import export_parameters, fit_population
from weakreset.twin import simulate_traces

COLUMNS = ["r0_ohm", "m1", "t_star", "c1", "m2", "rtn_amplitude"]
ROWS = [[7000.0, 1e-3, 300.0, 0.01, 1e-5, 0.0], [6500.0, 5e-4, 700.0, -0.02, 2e-5, 0.08]]


def score_correlation(params, n=20000):
    devices = draw_devices(params, n, np.random.default_rng(21))
    values = {"r0_ohm": devices.r0_ohm, **devices.drift}
    names = ("r0_ohm", "m1", "t_star", "c1", "m2")
    return np.corrcoef([special.ndtri(params.parameters[name].law().cdf(values[name])) for name in names])


def test_drawn_devices_have_the_correlation_of_the_file():
    """Each correlation within 4 standard errors, (1 - rho^2)/sqrt(n): false alarm 6e-4 over 10 pairs."""
    wanted = np.eye(5)
    wanted[1, 2] = wanted[2, 1] = 0.6
    wanted[0, 3] = wanted[3, 0] = -0.3
    raw = majumdar2021().model_dump(by_alias=True)
    raw["correlation"] = {"names": ["r0_ohm", "m1", "t_star", "c1", "m2"], "matrix": wanted.tolist()}
    found = score_correlation(ParameterFile.model_validate(raw))
    tolerance = 4 * (1 - wanted**2) / np.sqrt(20000) + 1e-12
    assert np.all(np.abs(found - wanted) <= tolerance)
    independent = score_correlation(majumdar2021())
    assert np.any(np.abs(independent - wanted) > tolerance)


def empirical(**changes):
    raw = majumdar2021().model_dump(by_alias=True)
    raw |= {"spread": "empirical", "empirical": {"names": COLUMNS, "devices": ROWS}}
    raw["empirical"] |= changes
    return json.dumps(json.loads(json.dumps(raw)))


def test_rows_stay_together_and_come_equally_often():
    devices = draw_devices(parse_parameters(empirical()), 4000, np.random.default_rng(22))
    first = devices.r0_ohm == 7000.0
    assert np.all(devices.drift["t_star"] == np.where(first, 300.0, 700.0))
    assert np.all(devices.rtn_amplitude == np.where(first, 0.0, 0.08))
    assert first.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4000))


def test_imperfections_switch_off_in_empirical_mode():
    params = parse_parameters(empirical())
    flat = draw_devices(params, 50, np.random.default_rng(23), ("d2d", "rtn"))
    assert np.all(flat.drift["t_star"] == 500.0)
    assert np.all(flat.rtn_amplitude == 0.0)
    full = draw_devices(params, 50, np.random.default_rng(23))
    quiet = draw_devices(params, 50, np.random.default_rng(23), ("rtn",))
    assert np.array_equal(full.r0_ohm, quiet.r0_ohm)


def test_the_block_alone_changes_nothing():
    raw = json.loads(empirical())
    raw["spread"] = "parametric"
    drawn = draw_devices(parse_parameters(json.dumps(raw)), 20, np.random.default_rng(24))
    assert np.array_equal(drawn.r0_ohm, draw_devices(majumdar2021(), 20, np.random.default_rng(24)).r0_ohm)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"devices": [ROWS[0], ROWS[1][:5]]}, "device 1 has 5 numbers, names has 6"),
        ({"devices": []}, "at least 1"),
        ({"names": [*COLUMNS[:5], "m1"]}, "given twice"),
        ({"names": [*COLUMNS[:5], "amplitude"]}, "names must be"),
        ({"devices": [[-1.0, *ROWS[0][1:]]]}, "r0_ohm is -1.0"),
        ({"devices": [[*ROWS[0][:5], "0"]]}, "number"),
    ],
)
def test_inconsistent_blocks_are_refused(changes, words):
    with pytest.raises(ParameterFileError, match=words):
        parse_parameters(empirical(**changes))


def test_empirical_spread_needs_the_block():
    raw = majumdar2021().model_dump(by_alias=True) | {"spread": "empirical"}
    with pytest.raises(ParameterFileError, match="no empirical block"):
        parse_parameters(json.dumps(raw))


def test_measured_devices_are_exported_and_resampled(fitted):
    families = {"m1": "expon", "t_star": "lognorm", "c1": "norm", "m2": "expon"}
    params = export_parameters(fit_population(fitted, families=families), "lot", empirical=True)
    assert parse_parameters(dump_parameters(params)) == params
    block = params.empirical
    assert block.names == COLUMNS
    assert len(block.devices) + block.n_left_out == len(fitted.usable)
    assert len(block.devices) <= sum(fit.status is FitStatus.OK for fit in fitted)
    assert "selects" in block.note
    kept = {tuple(row) for row in block.devices}
    drawn = draw_devices(params, 100, np.random.default_rng(25))
    for i in range(100):
        row = (drawn.r0_ohm[i], *(drawn.drift[name][i] for name in COLUMNS[1:5]), drawn.rtn_amplitude[i])
        assert row in kept
    traces = simulate_traces(params, 6, 60, seed=2)
    assert len(traces) == 6
    assert {float(trace.resistance_ohm[0]) for trace in traces} <= {row[0] for row in kept}
