"""A parameter file from a paper's table."""

import math
import tomllib

import pytest

from weakreset.errors import ParameterFileError, UsageError
from weakreset.model import TruncatedLaw
from weakreset.parameter_file import EXAMPLE_TABLE, majumdar2021, missing_in, new_parameters, parse_parameters
from weakreset.parameter_file.quantity_text import law_from, number_in


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("7 kohm", "ohm", 7e3), ("7.5kΩ", "ohm", 7.5e3), (7, "ohm", 7.0), ("0.07 %/pulse", "1/pulse", 7e-4),
        ("0.07 % a pulse", "1/pulse", 7e-4), ("5e-4", "1/pulse", 5e-4), ("540 pulses", "pulse", 540.0),
        ("−0.1", "1", -0.1), ("2 decades", "ln R", 2 * math.log(10)), ("0.7 %", "ln R", 0.007),
    ],
)  # fmt: skip
def test_units_people_write_become_those_of_the_file(text, unit, value):
    assert number_in(text, unit, "x") == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit"), [("7 s", "ohm"), ("7 kohm", "pulse"), ("much", "ohm"), ("", "ohm"), (True, "ohm"), ("1e999", "1")]
)
def test_another_kind_of_unit_or_no_number_is_refused(text, unit):
    with pytest.raises(UsageError, match="here"):
        number_in(text, unit, "here")


@pytest.mark.parametrize(
    ("value", "family", "params"),
    [
        ("7.0 ± 0.4 kohm", "norm", {"mean": 7e3, "sd": 400.0}),
        ("7000 +- 400", "norm", {"mean": 7e3, "sd": 400.0}),
        ({"median": "7 kohm", "sigma_ln": 0.1}, "lognorm", {"scale": 7e3, "s": 0.1}),
        ({"family": "gamma", "shape": 4, "scale": "2 kohm"}, "gamma", {"shape": 4.0, "scale": 2e3}),
        ("exponential(mean=2 kohm)", "expon", {"loc": 0.0, "scale": 2e3}),
        ({"low": 1, "high": 2}, "uniform", {"low": 1.0, "high": 2.0}),
        ("7 kohm", "constant", {"value": 7e3}),
    ],
)
def test_laws_as_papers_print_them(value, family, params):
    law = law_from(value, "ohm", "r0_ohm")
    assert law["family"] == family
    assert law["params"] == pytest.approx(params)


def test_a_lognormal_law_by_its_moments_has_them():
    found = law_from({"family": "lognorm", "mean": 7e3, "sd": 2e3}, "ohm", "r0_ohm")
    law = TruncatedLaw("lognorm", found["params"])
    assert law.mean() == pytest.approx(7e3, rel=1e-6)
    s = found["params"]["s"]
    assert 7e3 * math.sqrt(math.expm1(s * s)) == pytest.approx(2e3, rel=1e-12)


def test_the_example_is_a_table():
    params, notes = new_parameters(tomllib.loads(EXAMPLE_TABLE))
    assert params.provenance.citation.startswith("A. Somebody")
    assert params.noise.rtn.amplitude.params.scale == pytest.approx(0.08)
    assert notes == ("m2: no spread given, so all devices are alike",)
    assert parse_parameters(params.to_json()) == params


def test_what_is_missing_is_refused_by_name_or_taken_and_said():
    with pytest.raises(UsageError, match=r"does not give m1 \(1/pulse\), t_star \(pulse\)"):
        new_parameters({"r0_ohm": 7e3})
    params, notes = new_parameters({"r0_ohm": "7 ± 0.4 kohm", "m1": 5e-4, "t_star": 500})
    said = "\n".join(notes)
    for words in ("c1 not given: taken as 0", "m2 not given: taken as 0", "pink not given: off", "no source cited"):
        assert words in said
        assert any(words in note for note in params.provenance.notes)
    assert {item.place for item in missing_in({})} == {"r0_ohm", "m1", "t_star", "c1", "m2", "pink", "rtn"}


def test_a_resistance_or_slope_below_zero_is_cut_and_said():
    table = {"drift": "single-slope", "r0_ohm": "7 ± 0.4 kohm", "m1": {"mean": 5e-4, "sd": 5e-4}, "c1": "0 ± 5 %"}
    params, notes = new_parameters(table)
    assert params.parameters["m1"].truncation == (0.0, None)
    assert params.parameters["c1"].truncation == (None, None)
    assert any(note.startswith("m1: 15.9 % of the law lies below zero") for note in notes)
    with pytest.raises(UsageError, match='direction = "set"'):
        new_parameters(table | {"m1": -5e-4})


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        ({"m7": 1}, UsageError, "nothing that a table gives"), ({"drift": "three"}, UsageError, "there are two-slope"),
        ({"direction": "up"}, UsageError, "reset or set"), ({"m1": {"mu": 1}}, UsageError, "which law has"),
        ({"m1": {"family": "cauchy", "x": 1}}, UsageError, "no family 'cauchy'"),
        ({"m1": "lognorm(s=0.5)"}, UsageError, "needs s, scale"), ({"pink": 0.1}, UsageError, "by name"),
        ({"rtn": {"p_up": 0.1}}, ParameterFileError, "needs p_down"),
        ({"t_star": {"median": 5, "sigma_ln": -1}}, ParameterFileError, "greater than 0"),
        ({"m1": {"mean": 1, "sd": 1, "truncation": 3}}, UsageError, "truncation is"),
    ],
)  # fmt: skip
def test_slips_are_named(table, error, words):
    good = {"r0_ohm": 7e3, "m1": 5e-4, "t_star": 500}
    with pytest.raises(error, match=words):
        new_parameters(good | table)


def test_the_preset_can_be_written_as_a_table():
    """Every law of the published technology, given by name, is in the file bit for bit."""
    preset = majumdar2021()
    table = {
        name: {"family": law.family, **law.params.model_dump(), "truncation": list(law.truncation)}
        for name, law in preset.parameters.items()
    }
    table |= {"pink": {"alpha": preset.noise.pink.alpha}, "rtn": {"p_up": 8e-4, "p_down": 2e-3, "amplitude": {
        "family": "unit_gamma", "shape": 3, "scale": 1, "upper": 0.5, "truncation": [0, 0.5]}}}
    params, _ = new_parameters(table)
    assert params.parameters == preset.parameters
    assert params.noise == preset.noise


def test_a_number_of_a_law_given_twice_is_refused():
    with pytest.raises(UsageError, match="given twice"):
        law_from("norm(mean=7 kohm, mean=8 kohm, sd=400)", "ohm", "r0_ohm")


def test_a_spread_in_per_cent_is_a_share_of_the_mean():
    assert law_from("25 kohm ± 8 %", "ohm", "r0_ohm")["params"] == pytest.approx({"mean": 25e3, "sd": 2e3})
    assert law_from({"mean": "0.1 %/pulse", "sd": "30 %"}, "1/pulse", "m1")["params"] == pytest.approx(
        {"mean": 1e-3, "sd": 3e-4}
    )
    assert law_from("2 % ± 1 %", "1", "c1")["params"] == pytest.approx({"mean": 0.02, "sd": 0.01})  # of ln R itself


def test_a_refused_table_is_told_what_would_do():
    with pytest.raises(UsageError, match=r't_star \(pulse\).*--set t_star=.*drift = "single-slope" does without'):
        new_parameters({"name": "x", "r0_ohm": 7e3, "m1": 1e-3})
    with pytest.raises(UsageError, match=r"\[pink\], not \[noise\.pink\]"):
        new_parameters({"name": "x", "r0_ohm": 7e3, "m1": 1e-3, "t_star": 300, "noise": {"pink": {"alpha": 0.01}}})


@pytest.mark.parametrize("number", ["t_star", "r0_ohm"])
def test_a_knee_or_a_resistance_below_zero_is_refused(number):
    table = {"name": "x", "r0_ohm": 7e3, "m1": 1e-3, "t_star": 300} | {number: -3}
    with pytest.raises(ParameterFileError, match=f"{number}: the median device has -3"):
        new_parameters(table)
