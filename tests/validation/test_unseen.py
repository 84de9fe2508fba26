"""Devices that the fit never saw: held out by name, validated with the parameters' own errors in the replicas."""

from __future__ import annotations

import json

import numpy as np
import pytest

from weakreset.cli.app import run
from weakreset.errors import TraceError
from weakreset.model import TruncatedLaw
from weakreset.parameter_file import ParameterFile, draw_laws, draw_parameters, load_parameters, majumdar2021
from weakreset.parameter_file.law_errors import errors_of_sample
from weakreset.traces.write import write_csv_long
from weakreset.twin import simulate_traces
from weakreset.validation import validate


def with_errors(params, relative):
    raw = params.model_dump(by_alias=True)
    for entry in raw["parameters"].values():
        entry["stderr"] = {name: relative * abs(value) for name, value in entry["params"].items() if value}
    return ParameterFile.model_validate(raw)


def test_whole_devices_are_held_out_and_the_seed_decides_which():
    traces = simulate_traces(majumdar2021(), 20, 30, 1)
    rest, held = traces.hold_out(0.3, 5)
    assert len(held) == 6
    assert {t.device for t in rest} | {t.device for t in held} == {t.device for t in traces}
    assert not {t.device for t in rest} & {t.device for t in held}
    assert [t.key for t in traces.hold_out(0.3, 5)[1]] == [t.key for t in held]
    with pytest.raises(TraceError, match="no devices on one side"):
        traces.hold_out(0.01, 5)


def test_drawn_parameters_scatter_as_their_errors_say():
    """400 draws: the sd of ln(scale) within 15 % of 0.1 (99.99 %), and valid laws throughout."""
    drawn = draw_parameters(with_errors(majumdar2021(), 0.1), 400, np.random.default_rng(3))
    scales = np.log([file.parameters["m1"].params.scale for file in drawn])
    assert scales.std() == pytest.approx(0.1, rel=0.15)
    assert {file.noise.pink.alpha for file in drawn} == {majumdar2021().noise.pink.alpha}


def test_errors_of_the_parameters_excuse_what_they_can_explain_and_no_more():
    """Devices whose m1 is five times that of the file (seed 4): caught when it is exact, not when m1 is hardly known.

    A change that no error explains (1/f noise twice as strong) is caught either way.
    """
    raw = majumdar2021().model_dump(by_alias=True)
    raw["parameters"]["m1"]["params"]["scale"] *= 5.0
    faster = simulate_traces(ParameterFile.model_validate(raw), 60, 100, 4)
    exact, vague = with_errors(majumdar2021(), 1e-4), with_errors(majumdar2021(), 1.0)
    assert not validate(exact, faster, n_replicas=719, seed=1, unseen=True).passed
    assert validate(vague, faster, n_replicas=719, seed=1, unseen=True).passed
    raw = majumdar2021().model_dump(by_alias=True)
    raw["noise"]["pink"]["alpha"] *= 2
    noisier = simulate_traces(ParameterFile.model_validate(raw), 60, 100, 5)
    assert not validate(vague, noisier, n_replicas=719, seed=1, unseen=True).passed


def test_fit_validate_store_by_command(tmp_path, capsys):
    traces, params = tmp_path / "traces.csv", tmp_path / "params.json"
    write_csv_long(simulate_traces(majumdar2021(), 40, 120, 6), traces)
    assert run(["fit", str(traces), "-o", str(params), "--holdout", "0.3"]) == 0
    assert "12 devices kept out" in capsys.readouterr().out
    assert len(load_parameters(params).provenance.held_out) == 12
    code = run(["validate", str(params), str(traces), "--held-out", "--store", "--replicas", "719", "--json"])
    verdict = json.loads(capsys.readouterr().out)
    assert code == (0 if verdict["passed"] else 1)
    assert verdict["n_devices"] == 12
    assert load_parameters(params).validation["passed"] == verdict["passed"]
    assert run(["validate", "majumdar2021", str(traces), "--held-out"]) == 2
    assert "--holdout 0.3" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [8e-8, 8e-7, 1.5])
def test_a_shape_at_its_limit_is_drawn_without_exploding(shape):
    """A gamma law that is nearly 1/x, as telegraph amplitudes may give: 300 draws for 52 values (seed 1)."""
    law = TruncatedLaw("gamma", {"shape": shape, "scale": 0.1}, 0.0433)
    medians = [d.median() for d in draw_laws(law, errors_of_sample(law, 52), 300, np.random.default_rng(1))]
    assert 0.7 * law.median() < min(medians) < law.median() < max(medians) < 2.0 * law.median()
