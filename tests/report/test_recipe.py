"""Commands and notebook that repeat what was done in a window."""

from __future__ import annotations

import ast
import json
import shlex

import nbformat
import pytest
from typer.main import get_command

from weakreset.cli.app import application
from weakreset.report import Recipe, Twin

ODD = "it's $HOME; \"x\" `ls`.csv"
FULL = Recipe(
    ("a.csv", ODD, "-b.csv"), "my lot", column_map="device=0,resistance=2[kohm]", format="delimited",
    read_voltage_v=0.1, limits="open_ohm=1e8", where="v_sl==0.9 and cycle<3", pulses="10:400", skip=2, drift="auto",
    direction="set", rtn=False, mixed_pulses=True, validated=(("my lot.json", False), ("other.json", True)),
    replicas=777, seed=3, assume="t_star=500,m2=0", compared=("my lot.json", "majumdar2021"),
    twin=Twin("my lot.json", 50, 400, 7, ("rtn", "pink"), "t_star=700"),
)  # fmt: skip


@pytest.mark.parametrize("recipe", [FULL, Recipe(("a.csv",)), Recipe(("a.csv",), fitted=False, where="x<1")])
def test_every_command_is_one_that_the_command_line_takes(recipe):
    """Options are checked by the command line itself; files are not opened."""
    for line in recipe.commands():
        name, verb, *words = shlex.split(line)
        assert name == "weakreset"
        command = get_command(application()).commands[verb]
        command.make_context(verb, words)


def test_names_of_files_are_quoted_and_never_options():
    words = shlex.split(FULL.fit_command())
    assert words[2:5] == ["a.csv", ODD, "./-b.csv"]
    assert words[words.index("--where") + 1] == FULL.where


def test_it_survives_the_way_as_json():
    for recipe in (FULL, Recipe(("a.csv",))):
        assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_the_notebook_is_one_and_every_cell_is_python():
    book = nbformat.reads(FULL.notebook(), 4)
    nbformat.validate(book)
    source = "\n".join(cell.source for cell in book.cells if cell.cell_type == "code")
    tree = ast.parse(source)
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert {"wr.load_traces", "wr.fit_devices", "wr.validate", "wr.compare_parameters", "wr.simulate_traces"} <= called
    names = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert ODD in names
    assert "traces.select_pulses(10, 400)" in source
    assert source.count("'t_star': 500.0, 'm2': 0.0") == 2
    assert source.count("assume={'t_star': 700.0}") == 1
    assert "--assume t_star=700" in FULL.commands()[-1]


def test_the_notebook_runs_and_gives_the_laws_of_the_commands(tmp_path, monkeypatch):
    """Executed cell by cell in this process; all but the figures, which have tests of their own."""
    from tests.builders import small_fits, small_parameters
    from weakreset.parameter_file import load_parameters
    from weakreset.traces import write_csv_long

    monkeypatch.chdir(tmp_path)
    write_csv_long(small_fits().traces, "lot.csv")
    book = json.loads(Recipe(("lot.csv",), "again", twin=Twin("again.json", 5, 20)).notebook())
    space: dict[str, object] = {}
    for cell in book["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code" and "wr.plots" not in text:
            exec(compile(text, "cell", "exec"), space)
    made, wanted = load_parameters("again.json"), small_parameters()
    assert {name: law.params for name, law in made.parameters.items()} == {
        name: law.params for name, law in wanted.parameters.items()
    }
