"""Two parameter files side by side."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from weakreset.cli.app import run
from weakreset.comparison import Difference, Quantity, compare_parameters
from weakreset.comparison.quantities import law_quantities
from weakreset.comparison.shares import fisher
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
    bare = compare_parameters(majumdar2021(), majumdar2021())
    assert all(d.p_value is None for d in bare.differences)
    assert bare.differences[0].outcome == "not tested: no standard errors"
    assert "Nothing could be tested" in bare.sentence


def test_a_file_without_errors_is_tested_as_fixed_and_it_is_said():
    found = compare_parameters(majumdar2021(), file("B", t_star={"scale": 1.3 * 542.5385}))
    tested = [d for d in found.differences if d.p_value is not None]
    assert len(tested) > 14
    assert {d.fixed for d in tested} == {"A"}
    assert {"median of t_star", "spread of t_star"} <= {d.what for d in found.differences if d.outcome == "differ"}
    assert any("one-sample" in note for note in found.notes)
    one = Difference.between("x", "1", Quantity(1.0, None, False), Quantity(1.3, 0.1, False))
    assert one.p_value == pytest.approx(2 * stats.norm.sf(3.0))


def test_one_sample_tests_of_a_true_file_fail_as_often_as_they_should():
    """Medians of 60 lognormal values (seeds 0 to 299) against the true one: 5 % of p below 0.05, 15 +- 3.8 of 300.

    30 or more has a chance of 3 in 10,000; with errors a third too small it would be about 57.
    """
    truth = Quantity(500.0, None)
    low = 0
    for seed in range(300):
        sample = np.random.default_rng(seed).lognormal(np.log(500.0), 0.5, 60)
        mean, sd = np.log(sample).mean(), np.log(sample).std(ddof=1)
        low += Difference.between("x", "1", truth, Quantity(float(np.exp(mean)), sd / 60**0.5)).p_value < 0.05
    assert 4 <= low < 30


def test_telegraph_amplitudes_are_compared_where_both_files_know_them():
    raw = majumdar2021().model_dump(by_alias=True)
    raw["noise"]["rtn"] |= {"n_devices": 200, "n_informative": 80}
    raw["noise"]["rtn"]["amplitude"]["truncation"] = (0.05, 0.5)
    law = majumdar2021().noise.rtn.amplitude.law()
    raw["noise"]["rtn"]["fraction_of_devices"] = 1.0 - float(law.cdf(0.05))  # the same devices, small steps not seen
    found = compare_parameters(majumdar2021(), ParameterFile.model_validate(raw))
    rtn = {d.what: d for d in found.differences if "RTN" in d.what}
    assert rtn["median of RTN amplitude"].change == pytest.approx(1.0)
    assert rtn["share of devices with RTN"].change == pytest.approx(0.0, abs=1e-12)
    assert not [d for d in rtn.values() if d.outcome == "differ"]
    assert any("compared above 0.05" in note for note in found.notes)


def test_yield_is_tested_by_the_counts_and_devices_are_said():
    files = []
    for share in (0.0, 0.1):
        raw = file().model_dump(by_alias=True)
        for entry in raw["parameters"].values():
            entry["n_devices"] = 180 if share else 200
        raw["defects"] = {"fraction": share}
        files.append(ParameterFile.model_validate(raw))
    found = compare_parameters(*files)
    row = next(d for d in found.differences if d.what == "yield")
    assert row.p_value == pytest.approx(stats.fisher_exact([[0, 200], [20, 180]]).pvalue, rel=1e-6)
    assert row.outcome == "differ"
    assert "A: 200 devices fitted, 0 defective" in found.notes
    assert "B: 180 devices fitted, 20 defective" in found.notes


@pytest.mark.parametrize(("k", "n", "other", "m"), [(0, 10, 0, 20), (3, 50, 9, 40), (7, 7, 1, 9), (5, 30, 5, 30)])
def test_the_exact_test_is_that_of_scipy(k, n, other, m):
    expected = stats.fisher_exact([[k, n - k], [other, m - other]]).pvalue
    assert fisher((k, n), (other, m)) == pytest.approx(expected, rel=1e-9)


def test_the_median_device_is_compared_over_pulses():
    found = compare_parameters(file(), file("B", m1={"scale": 1.5 * 6.56e-4}))
    rows = [d for d in found.differences if d.what.startswith("R after")]
    assert [row.what for row in rows][:2] == ["R after 10 pulses", "R after 100 pulses"]
    assert rows[-1].outcome == "differ"
    assert rows[-1].change > rows[0].change > 1


def test_the_short_table_fits_80_columns(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    path = file("B").save(tmp_path / "b.json")
    assert run(["compare", "majumdar2021", str(path)]) == 0
    table = capsys.readouterr().out.split("A: no devices")[0]
    assert max(map(len, table.splitlines())) <= 80
    assert "…" not in table


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


def test_errors_of_logarithms_and_of_numbers_are_not_mixed():
    """One law begins at zero, the other below: their difference is one of numbers, and so are both errors."""
    a, b = Quantity(0.05, 0.1, positive=True), Quantity(-0.02, 0.004, positive=False)
    found = Difference.between("median of c1", "1", a, b)
    assert found.interval[1] - found.change == pytest.approx(1.959964 * np.hypot(0.05 * 0.1, 0.004))
    none = Difference.between("p_up", "1/pulse", Quantity(0.0, None), Quantity(0.002, 0.1))
    assert none.interval[1] - none.change == pytest.approx(1.959964 * 0.1 * 0.002)


def test_a_number_that_is_hardly_known_is_compared_and_written(tmp_path, capsys):
    raw = file("B").model_dump(by_alias=True)
    raw["noise"]["rtn"] |= {"p_up": 1e-9, "p_up_stderr": 1e-3}
    (tmp_path / "b.json").write_text(ParameterFile.model_validate(raw).to_json())
    assert run(["compare", "majumdar2021", str(tmp_path / "b.json"), "--json"]) == 0
    rows = {row["what"]: row for row in json.loads(capsys.readouterr().out)["differences"]}
    assert rows["p_up of RTN"]["interval"][1] is None
