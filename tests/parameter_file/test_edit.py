"""Changes by hand: with `edit_parameters`, and in a text editor."""

import json
import warnings

import pytest

from weakreset.errors import ParameterFileError, UsageError, WeakResetWarning
from weakreset.parameter_file import (
    ParameterFile,
    changes_of,
    edit_parameters,
    load_parameters,
    majumdar2021,
    parse_parameters,
)

VERDICT = {"passed": True, "sentence": "the model reproduces the traces"}
WHEN = "2026-11-28T12:00:00+00:00"


def test_old_values_and_what_went_with_them_are_remembered():
    raw = majumdar2021().model_dump(by_alias=True)
    raw["parameters"]["m1"] |= {"stderr": {"scale": 1e-5}, "n_devices": 90, "n_informative": 80}
    before = ParameterFile.model_validate(raw)
    changes = {"m1.scale": "7e-4", "t_star.upper": None, "pink.alpha": 0.01, "name": "what-if"}
    after = edit_parameters(before, changes, edited=WHEN)
    assert after.parameters["m1"].params.scale == 7e-4
    assert after.parameters["t_star"].truncation == (41.0, None)
    assert after.noise.pink.alpha == 0.01
    assert after.name == "what-if"
    first = after.provenance.edits[0]
    assert (first.what, first.old, first.edited) == (
        "parameters.m1.params.scale", before.parameters["m1"].params.scale, WHEN
    )
    assert first.dropped == ["stderr", "n_devices", "n_informative"]
    assert after.parameters["m1"].stderr is None
    assert parse_parameters(after.to_json()) == after


def test_a_whole_law_in_words():
    after = edit_parameters(majumdar2021(), {"t_star": "gamma(shape=2, scale=300) in [10, ]"})
    law = after.parameters["t_star"]
    assert (law.family, law.params.model_dump(), law.truncation) == ("gamma", {"shape": 2, "scale": 300}, (10, None))
    assert law.unit == "pulse"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"m1.scal": 1.0}, "did you mean 'scale'"), ({"m3.scale": 1.0}, "no 'm3'"),
        ({"m1.scale": -1.0, "pink.alpha": "much"}, "2 mistakes"), ({"rtn.p_sideways": 0.1}, "no 'p_sideways'"),
        ({"t_star.lower": 5000.0}, "truncation is empty"), ({"r0_ohm.unit": "kohm"}, "no 'unit'"),
        ({"defects.fraction.x": 1.0}, "has no parts"),
    ],
)
def test_what_cannot_be_is_refused_and_named(changes, words):
    with pytest.raises(ParameterFileError, match=words):
        edit_parameters(majumdar2021(), changes)


@pytest.mark.parametrize("texts", [["m1.scale"], ["m1.scale="], ["a=1", "a=2"]])
def test_a_change_is_place_and_value(texts):
    with pytest.raises(UsageError, match="--set"):
        changes_of(texts)


def test_the_same_value_is_no_edit():
    params = majumdar2021()
    assert edit_parameters(params, {"pink.alpha": params.noise.pink.alpha}) is params


def test_laws_of_a_file_that_draws_measured_devices_cannot_be_edited_in_vain():
    raw = majumdar2021().model_dump(by_alias=True)
    names = ["r0_ohm", "m1", "t_star", "c1", "m2", "rtn_amplitude"]
    raw |= {"spread": "empirical", "empirical": {"names": names, "devices": [[7e3, 1e-3, 300.0, 0.0, 1e-5, 0.0]]}}
    with pytest.raises(ParameterFileError, match="spread=parametric"):
        edit_parameters(ParameterFile.model_validate(raw), {"m1.scale": 1e-3})


def test_a_verdict_dies_with_an_edit():
    assert edit_parameters(majumdar2021().with_verdict(VERDICT), {"m1.scale": 7e-4}).validation is None


def test_a_verdict_lives_through_saving_and_renaming(tmp_path):
    path = majumdar2021().with_verdict(VERDICT).save(tmp_path / "file.json")
    path.write_text(path.read_text().replace('"name": "majumdar2021"', '"name": "renamed"'))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_parameters(path).validation["sentence"] == VERDICT["sentence"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("6988.0", "6989.0"), ("0.0008", "0.0009"), ("7897.0", "7897.5"), ('"enabled": true', '"enabled": false')],
)
def test_a_verdict_dies_when_a_number_is_changed_in_a_text_editor(tmp_path, old, new):
    path = majumdar2021().with_verdict(VERDICT).save(tmp_path / "file.json")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.warns(WeakResetWarning, match="numbers were changed"):
        found = load_parameters(path)
    assert found.validation is None
    assert "dropped" in found.provenance.notes[-1]


def test_a_verdict_without_its_digest_does_not_count(tmp_path):
    content = json.loads(majumdar2021().to_json()) | {"validation": VERDICT}
    with pytest.warns(WeakResetWarning, match="numbers were changed"):
        assert parse_parameters(json.dumps(content)).validation is None


def test_a_file_of_schema_1_0_is_read_and_says_so():
    content = json.loads(majumdar2021().to_json()) | {"schema_version": "1.0.0", "validation": VERDICT}
    with pytest.warns(WeakResetWarning, match=r"1\.0\.0 read as .*verdict is taken to be"):
        found = parse_parameters(json.dumps(content))
    assert found.schema_version == majumdar2021().schema_version
    with warnings.catch_warnings():  # written again it is of the present schema, and its verdict counts
        warnings.simplefilter("error")
        assert parse_parameters(found.to_json()).validation["passed"]


def test_what_a_newer_schema_holds_is_named_as_such():
    content = json.loads(majumdar2021().to_json()) | {"schema_version": "1.99.0", "moods": {}}
    with pytest.raises(ParameterFileError, match=r"1\.99\.0 is newer than this weakreset"):
        parse_parameters(json.dumps(content))


@pytest.mark.parametrize("version", ["0.9.0", "2.0.0", "one", 1, None])
def test_a_schema_that_is_not_known_is_refused(version):
    content = json.loads(majumdar2021().to_json()) | {"schema_version": version}
    with pytest.raises(ParameterFileError, match="cannot be read by this weakreset"):
        parse_parameters(json.dumps(content))


def test_a_unit_changed_in_a_text_editor_is_refused():
    content = json.loads(majumdar2021().to_json())
    content["parameters"]["r0_ohm"]["unit"] = "kohm"
    with pytest.raises(ParameterFileError, match=r"r0_ohm: unit must be 'ohm', got 'kohm'"):
        parse_parameters(json.dumps(content))


def test_a_hand_made_file_needs_nothing_that_is_switched_off():
    def constant(value: float, unit: str) -> dict:
        return {"unit": unit, "family": "constant", "params": {"value": value}}

    content = {
        "schema": "weakreset-parameters", "name": "by hand", "model": "single-slope",
        "parameters": {"r0_ohm": constant(7e3, "ohm"), "m1": constant(1e-3, "1/pulse"), "c1": constant(0.0, "1")},
        "noise": {"rtn": {"enabled": False}, "pink": {"alpha": 0.01}},
    }
    found = parse_parameters(json.dumps(content))
    assert (found.noise.rtn.enabled, found.noise.read.enabled, found.noise.pink.exponent) == (False, False, 1.0)
    assert "made by hand" in repr(found)
    assert parse_parameters(found.to_json()) == found
    content["noise"]["rtn"] = {"enabled": True, "p_up": 0.1}
    with pytest.raises(ParameterFileError, match="enabled RTN needs p_down"):
        parse_parameters(json.dumps(content))


def test_numbers_of_noise_take_units_and_lists_their_places():
    changed = edit_parameters(majumdar2021(), {"pink.alpha": "0.9 %", "t_star.truncation.1": "3000 pulses"})
    assert changed.noise.pink.alpha == pytest.approx(0.009)
    assert changed.parameters["t_star"].truncation[1] == 3000.0
    raw = json.loads(majumdar2021().to_json())
    raw["correlation"] = {"names": ["m1", "t_star"], "matrix": [[1.0, 0.3], [0.3, 1.0]]}
    params = parse_parameters(json.dumps(raw))
    both = {"correlation.matrix.0.1": "0.5", "correlation.matrix.1.0": "0.5"}
    assert edit_parameters(params, both).correlation.matrix[0][1] == 0.5
    with pytest.raises(ParameterFileError, match="no '5'; the list has 2 entries, 0 to 1"):
        edit_parameters(params, {"correlation.matrix.5.1": "0.5"})
