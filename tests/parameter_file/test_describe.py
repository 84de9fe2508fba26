"""The page of a parameter file: laws in units people use, what devices do, what stands behind it."""

import math

import numpy as np
import pytest

from weakreset.display import Summary
from weakreset.model import SHAPES
from weakreset.parameter_file import ParameterFile, describe, drift_band, majumdar2021, parse_parameters
from weakreset.parameter_file.people import in_words


def words(params: ParameterFile) -> str:
    return "\n".join(line for section in describe(params) for line in (section.title, *section.lines, *section.notes))


def section(params: ParameterFile, title: str) -> Summary:
    return next(part for part in describe(params) if part.title == title)


def test_medians_and_90_percent_are_those_of_the_truncated_laws():
    params = majumdar2021()
    rows = {row[0]: row for row in section(params, "How devices differ").rows}
    low, middle, high = params.parameters["t_star"].law().ppf((0.05, 0.5, 0.95))
    assert rows["t_star"][1:3] == (f"{middle:.0f} pulses", f"{low:.0f} to {high:.0f} pulses")
    slope = params.parameters["m1"].law().median()
    assert rows["m1"][1] == f"{100 * math.expm1(slope):.4f} % a pulse"
    assert rows["r0_ohm"][5] == "no devices"


def test_what_a_device_does_is_the_drift_of_the_drawn_devices():
    params = majumdar2021()
    band = drift_band(params)
    rows = section(params, "What a device does over pulses").rows
    assert rows[0][0] == "0"
    assert rows[-1][0] == str(band.pulses[-1])
    assert [row[0] for row in rows[1:4]] == ["1", "3", "10"]
    assert (np.diff(band.ohm, axis=0) >= 0).all()
    assert band.change[:, 0].tolist() == [0.0, 0.0, 0.0]


def test_a_file_of_another_shape_is_described_without_its_name_being_known():
    raw = majumdar2021().model_dump(by_alias=True)
    constant = {"family": "constant", "unit": "1"}
    numbers = {"rise": -1.2, "tau": 60.0, "c1": 0.01}
    raw["model"] = "saturating-exponential"
    raw["parameters"] = {"r0_ohm": raw["parameters"]["r0_ohm"]} | {
        name: constant | {"params": {"value": value}, "unit": SHAPES[raw["model"]].units[name]}
        for name, value in numbers.items()
    }
    text = words(ParameterFile.model_validate(raw))
    assert "the resistance falls" in text
    assert in_words(raw["model"], "rise", "1")(-1.2) == "×0.301"
    assert in_words("power-law", "b", "1")(0.5) == "0.500"  # an exponent is no change of resistance


def test_a_knee_that_is_not_identifiable_is_said_and_nothing_is_drawn_beyond_it():
    raw = majumdar2021().model_dump(by_alias=True)
    for name in ("t_star", "m2"):
        raw["parameters"].pop(name)
        unit = SHAPES["two-slope"].units[name]
        raw["not_identifiable"][name] = {"unit": unit, "note": "no device shows a knee", "n_devices": 9}
    params = ParameterFile.model_validate(raw)
    text = words(params)
    assert "t_star is not identifiable: no device shows a knee" in text
    assert not section(params, "What a device does over pulses").rows
    assert "not identifiable" in section(params, "What a device does over pulses").lines[0]


def test_origin_and_left_out_devices_are_named():
    raw = majumdar2021().model_dump(by_alias=True)
    raw["provenance"] |= {
        "simulated": True,
        "exclusions": [{"device": "W7", "reason": "stuck: all reads are 7 ohm", "n_readings": 40}],
    }
    text = words(ParameterFile.model_validate(raw))
    assert "SIMULATED" in text
    assert "Excluded, stuck: W7 (40 reads)." in text


@pytest.mark.parametrize("m1", [1e-9, 5.0])
def test_numbers_beyond_all_bounds_are_words_and_no_traceback(m1):
    raw = majumdar2021().model_dump(by_alias=True)
    raw["parameters"]["m1"] = {"family": "constant", "params": {"value": m1}, "unit": "1/pulse"}
    text = words(parse_parameters(ParameterFile.model_validate(raw).to_json()))
    assert ("leave all bounds" in text) == (m1 > 1)


def test_slopes_of_devices_that_fall_are_shown_with_their_sign():
    raw = majumdar2021().model_dump(by_alias=True) | {"direction": "set"}
    params = ParameterFile.model_validate(raw)
    row = {row[0]: row for row in section(params, "How devices differ").rows}["m1"]
    low, high = (100 * math.expm1(-end) for end in params.parameters["m1"].law().ppf((0.95, 0.05)))
    assert row[2] == f"−{-low:.3f} to −{-high:.5f} % a pulse"
    assert "pulses lower R" in words(params)
    assert "the resistance falls" in words(params)
