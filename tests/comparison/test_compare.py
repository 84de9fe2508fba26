"""Two parameter files side by side."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from weakreset.cli.app import run
from weakreset.comparison import Difference, Quantity, compare_parameters
from weakreset.comparison.quantities import law_quantities
from weakreset.errors import ParameterFileError
from weakreset.parameter_file import ParameterFile, load_parameters, majumdar2021
from weakreset.population import fit_values


def file(name="A", **changes):
    """The preset with standard errors of 2 % on every number, some numbers changed."""
    raw = majumdar2021().model_dump(by_alias=True) | {"name": name}
    for key, entry in raw["parameters"].items():
        entry["params"] |= changes.get(key, {})
        entry["stderr"] = {number: 0.02 * abs(value) for number, value in entry["params"].items() if value}
    raw["noise"]["pink"] |= {"alpha_stderr": 1e-5, "exponent_stderr": 0.01}
    return ParameterFile.model_validate(raw)


def test_a_changed_scale_is_found_and_nothing_else():
    found = compare_parameters(file(), file("B", t_star={"scale": 1.3 * 542.5385}))
    differing = {d.what for d in found.differences if d.outcome == "differ"}
    assert differing == {"median of t_star", "spread of t_star"}
    knee = next(d for d in found.differences if d.what == "median of t_star")
    assert knee.interval[0] < knee.change < knee.interval[1]
    assert 1.1 < knee.change < 1.3  # the law is truncated at 2,000
    assert "differ in median of t_star" in found.sentence


def test_equal_files_do_not_differ_and_missing_errors_are_said():
    same = compare_parameters(file(), file("B"))
    assert not [d for d in same.differences if d.outcome == "differ"]
    bare = compare_parameters(majumdar2021(), file("B"))
    assert all(d.p_value is None for d in bare.differences)
    assert "no standard error in A" in bare.differences[0].outcome
    assert "Nothing could be tested" in bare.sentence


@pytest.mark.parametrize(("family", "sample"), [
    ("gamma", stats.gamma(300.0, scale=23.0)), ("lognorm", stats.lognorm(0.3, scale=500.0)),
    ("norm", stats.norm(5.0, 2.0)),
])
def test_the_error_of_the_median_is_that_of_repeated_samples(family, sample):
    """200 samples of 80 values (seed 8): the sd of the fitted medians within a quarter of the stated error (99.9 %)."""
    medians, stated = [], []
    for seed in range(200):
        fit = fit_values(sample.rvs(80, random_state=seed), (family,), *((0.0, np.inf) if family != "norm" else ()))
        medians.append(np.log(fit.law.median()) if family != "norm" else fit.law.median())
        if seed < 10:
            raw = majumdar2021().model_dump(by_alias=True)["parameters"]["c1"]
            entry = raw | {"family": family, "params": dict(fit.law.params), "stderr": fit.stderr, "truncation": (
                0.0 if family != "norm" else None, None)}
            whole = majumdar2021().model_dump(by_alias=True)
            whole["parameters"]["c1"] = entry
            parameter = ParameterFile.model_validate(whole).parameters["c1"]
            stated.append(law_quantities(parameter, np.random.default_rng(seed))["median"].error)
    assert np.mean(stated) == pytest.approx(np.std(medians), rel=0.25)


def test_quantities_of_any_sign_are_subtracted():
    difference = Difference.between("c1", "1", Quantity(-0.1, 0.01, False), Quantity(0.1, 0.01, False))
    assert difference.change == pytest.approx(0.2)
    assert difference.p_value < 1e-10


def test_different_drifts_are_refused():
    other = load_parameters("majumdar2021").model_copy(update={"model": "single-slope"})
    with pytest.raises(ParameterFileError, match="different things"):
        compare_parameters(file(), other)


def test_the_command_prints_and_writes_an_escaped_page(tmp_path, capsys):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    file("<b>A</b>").save(paths[0])
    file("B", m1={"scale": 1e-3}).save(paths[1])
    page = tmp_path / "page.html"
    assert run(["compare", *map(str, paths), "-o", str(page), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert any(row["what"] == "median of m1" and row["outcome"] == "differ" for row in printed["differences"])
    text = page.read_text()
    assert "&lt;b&gt;A&lt;/b&gt;" in text
    assert "<b>A</b>" not in text
