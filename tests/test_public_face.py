"""What a user meets in `import weakreset as wr`: named options, one kind of sentence, paths of what was written."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import typing
from pathlib import Path

import pandas as pd
import pytest

import weakreset as wr
from tests.builders import small_fits
from weakreset.errors import UsageError
from weakreset.options import named_options
from weakreset.traces import TraceSet

PACKAGE = Path(wr.__file__).parent
ENTRANCES = [
    name for name in wr.__all__
    if inspect.isfunction(getattr(wr, name)) and len(inspect.signature(getattr(wr, name)).parameters) > 2
]
SETTINGS = ["FitOptions", "ScreeningLimits", "StudySettings"]


def public_definitions():
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield path.relative_to(PACKAGE), node


def test_the_entrances_are_those_of_the_recipes():
    wanted = {"load_traces", "fit_devices", "fit_population", "validate", "simulate_traces", "train", "ablate"}
    assert wanted <= set(ENTRANCES)
    assert {"make_report", "compare_parameters", "export_parameters", "fit_stream", "inspect_traces"} <= set(ENTRANCES)


@pytest.mark.parametrize("name", [*ENTRANCES, *SETTINGS])
def test_a_misspelt_option_is_named_with_the_nearest_one(name):
    function = getattr(wr, name)
    option = list(inspect.signature(function).parameters)[-1]
    misspelt = option[:-1] + option[-1] * 2
    with pytest.raises(wr.WeakResetError, match=f"{name} has no option '{misspelt}'; did you mean '{option}'"):
        function(**{misspelt: 1})
    with pytest.raises(wr.WeakResetError, match="has no option 'qqqqqq'; It takes"):
        function(**{"qqqqqq": 1})


@pytest.mark.parametrize("name", [*ENTRANCES, *SETTINGS])
def test_no_public_function_takes_options_it_does_not_name(name):
    kinds = {parameter.kind for parameter in inspect.signature(getattr(wr, name)).parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds


def test_a_missing_argument_is_still_the_error_of_python():
    with pytest.raises(TypeError, match="traces"):
        wr.fit_devices()


def test_options_of_a_fit_come_as_an_object_as_keywords_or_as_both():
    traces = wr.TraceSet(small_fits().traces.traces[:3])
    whole = wr.fit_devices(traces, wr.FitOptions(drift="single-slope", exponent=1.0, alpha=0.01))
    assert (whole.drift.name, whole.noise.alpha, whole.noise.exponent) == ("single-slope", 0.01, 1.0)
    given = wr.fit_devices(traces, wr.FitOptions(alpha=0.01, exponent=0.5, drift="single-slope"), exponent=1.0)
    assert given.to_frame().equals(whole.to_frame())
    back = wr.fit_devices(traces, wr.FitOptions(drift="single-slope"), drift="two-slope", alpha=0.01, exponent=1.0)
    assert back.drift.name == "two-slope"  # a usual value is a value too


def test_keywords_of_a_fit_are_the_fields_of_its_options():
    parameters = inspect.signature(wr.fit_devices).parameters
    fields = [field.name for field in dataclasses.fields(wr.FitOptions)]
    assert [name for name, parameter in parameters.items() if parameter.default is ...] == fields


def test_a_report_takes_every_part():
    from weakreset.report import ReportInput

    assert list(inspect.signature(wr.make_report).parameters) == [f.name for f in dataclasses.fields(ReportInput)]


def test_a_named_option_that_is_right_arrives():
    @named_options
    def add(a: int, *, b: int = 2) -> int:
        return a + b

    assert (add(1), add(1, b=3), add(a=5)) == (3, 4, 7)
    assert str(inspect.signature(add)) == "(a: 'int', *, b: 'int' = 2) -> 'int'"


def test_a_sentence_is_a_property_everywhere():
    found = [(path, node) for path, node in public_definitions() if node.name == "sentence"]
    assert len(found) >= 6
    for path, node in found:
        assert [ast.unparse(item) for item in node.decorator_list] == ["property"], path


def test_whatever_saves_or_writes_returns_the_path():
    found = [(path, node) for path, node in public_definitions() if node.name.startswith(("save", "write_"))]
    assert len(found) >= 9
    for path, node in found:
        assert node.returns is not None, path
        assert ast.unparse(node.returns) == "Path", f"{path}: {node.name}"


def test_a_parameter_file_says_where_it_went(tmp_path):
    target = tmp_path / "new" / "a.json"
    params = wr.load_parameters("majumdar2021")
    assert params.save(str(target)) == target == wr.save_parameters(params, target)
    assert typing.get_type_hints(wr.ParameterFile.save)["return"] is Path


def test_stages_are_there_without_an_import_of_their_own():
    assert wr.training.train is wr.train
    assert wr.simulation.DeviceArray.__name__ == "DeviceArray"
    assert callable(wr.plots.traces_with_fits)
    with pytest.raises(AttributeError, match="'plotz'"):
        wr.plotz  # noqa: B018


def test_presets_are_technologies_and_the_fit_of_simulated_traces_is_a_file():
    assert "demo_lot" not in wr.preset_names()
    assert "majumdar2021" in wr.preset_names()
    with pytest.raises(wr.WeakResetError, match="preset"):
        wr.load_parameters("demo_lot")
    demo = wr.load_parameters(PACKAGE.parent / "fitted_params" / "demo_lot.json")
    assert demo.provenance.simulated


@pytest.mark.parametrize(
    ("call", "way"),
    [
        (lambda: wr.fit_devices("lot.csv"), "load_traces"),
        (lambda: wr.fit_population("lot.csv"), "fit_devices"),
        (lambda: wr.export_parameters("lot.csv", "lot"), "fit_population"),
        (lambda: wr.save_parameters("majumdar2021", "lot.json"), "export_parameters"),
        (lambda: wr.validate("majumdar2021", "lot.csv"), "load_traces"),
        (lambda: wr.validate(TraceSet(()), "majumdar2021"), "majumdar2021"),
        (lambda: wr.load_traces(pd.DataFrame({"pulse": [0, 1], "resistance_ohm": [1.0, 2.0]})), "to_csv"),
        (lambda: wr.load_traces(5), "paths"),
        (lambda: wr.load_parameters(None), "majumdar2021"),
        (lambda: wr.ablate(5, "study"), "majumdar2021"),
        (lambda: wr.simulation.convert("network", "majumdar2021"), "convert(network, params)"),
    ],
)
def test_what_belongs_to_another_step_is_refused_with_the_line_that_makes_the_right_thing(call, way):
    with pytest.raises(UsageError, match=re.escape(way)):
        call()


def test_files_are_compared_by_name_as_everything_else_takes_them():
    assert wr.compare_parameters("majumdar2021", "majumdar2021").a.name == wr.load_parameters("majumdar2021").name
