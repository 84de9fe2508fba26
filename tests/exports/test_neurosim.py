"""The handful of numbers for NeuroSim."""

from __future__ import annotations

import re

import numpy as np
import pytest

from weakreset.cli.app import run
from weakreset.exports.neurosim import curve, label_of
from weakreset.parameter_file import ParameterFile, majumdar2021

TABLE = {0.01: 126.268958, 0.1: 12.625807, 0.6: 2.097877, 9.0: 0.022810}  # (label, A) as NeuroSim pairs them


def numbers(path):
    return {name: float(value) for name, value in re.findall(r"^(\w+) = (\S+)", path.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("label", TABLE)
def test_the_label_is_that_of_neurosims_own_table(label):
    assert float(label_of(np.array([1 / TABLE[label]]))[0]) == pytest.approx(label, rel=3e-4)
    assert float(label_of(np.array([-1 / TABLE[label]]))[0]) == pytest.approx(-label, rel=3e-4)


@pytest.mark.parametrize(("direction", "side"), [("reset", "LTD"), ("set", "LTP")])
def test_the_stated_error_is_that_of_the_numbers_written(tmp_path, direction, side):
    raw = majumdar2021().model_dump(by_alias=True) | {"direction": direction}
    ParameterFile.model_validate(raw).save(tmp_path / "p.json")
    target = tmp_path / "n.txt"
    assert run(["export", str(tmp_path / "p.json"), "--to", "neurosim", "-o", str(target), "--devices", "200"]) == 0
    found = numbers(target)
    laws = {name: entry.law().median() for name, entry in majumdar2021().parameters.items()}
    pulses = np.arange(1001)
    rise = laws["m1"] * np.minimum(pulses, laws["t_star"]) + laws["m2"] * np.maximum(pulses - laws["t_star"], 0)
    truth = np.exp(-rise if side == "LTD" else rise) / laws["r0_ohm"]
    ends = (found["maxConductance"], found["minConductance"])
    first, last = ends if side == "LTD" else ends[::-1]
    assert first == pytest.approx(truth[0], rel=1e-5)
    assert last == pytest.approx(truth[-1], rel=1e-5)
    steepness = np.linspace(0.01, 40, 40001)
    own = steepness[np.argmin(abs(label_of(steepness) - found[f"nonlinearity{side}"]))]
    made = first + (last - first) * curve(pulses / 1000, np.array(own))
    stated = float(re.search(r"this curve lies (\S+)", target.read_text()).group(1))
    assert float(np.sqrt(np.mean(np.log(made / truth) ** 2))) == pytest.approx(stated, rel=0.06)
    assert "made by weakreset" in target.read_text().splitlines()[0]
    assert found["d2dVari"] > 0 < found["c2cVari"]


def test_without_spread_and_noise_there_is_none_in_the_numbers(tmp_path):
    raw = majumdar2021().model_dump(by_alias=True)
    for name, entry in raw["parameters"].items():
        law = majumdar2021().parameters[name].law()
        entry |= {"family": "constant", "params": {"value": law.median()}}
    raw["noise"] = {}
    ParameterFile.model_validate(raw).save(tmp_path / "p.json")
    assert run(["export", str(tmp_path / "p.json"), "--to", "neurosim", "-o", str(tmp_path / "n.txt")]) == 0
    found = numbers(tmp_path / "n.txt")
    assert found["d2dVari"] == pytest.approx(0, abs=1e-9)
    assert found["c2cVari"] == 0
