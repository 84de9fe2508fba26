"""Rules of the house that a program can check."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path

import pytest

import weakreset
from weakreset.version import __version__

PACKAGE = Path(weakreset.__file__).parent
ROOT = PACKAGE.parent

GROUND = {
    "cluster", "display", "errors", "locks", "multiple_testing", "options", "outputs", "paths", "progress", "resources",
    "version", "workers",
}
MAY_IMPORT = {
    "cluster": {"errors", "version"},
    "display": set(),
    "errors": set(),
    "locks": {"errors", "paths"},
    "multiple_testing": set(),
    "options": {"errors"},
    "outputs": {"errors", "locks", "paths"},
    "paths": {"display"},
    "progress": set(),
    "resources": {"outputs"},
    "version": set(),
    "workers": set(),
    "model": {"errors"},
    "traces": {"display", "errors", "options", "progress", "resources", "version"},
    "fitting": {
        "cluster", "display", "errors", "locks", "model", "options", "progress", "resources", "traces", "version",
        "workers",
    },
    "population": {
        "display", "errors", "fitting", "model", "multiple_testing", "options", "parameter_file", "progress",
        "resources", "traces", "version",
    },
    "parameter_file": {"display", "errors", "model", "resources", "version"},
    "twin": {"errors", "model", "options", "parameter_file", "traces"},
    "simulation": {"errors", "model", "parameter_file", "resources"},
    "training": {
        "display", "errors", "locks", "model", "options", "parameter_file", "resources", "simulation", "version",
    },
    "exports": {"errors", "model", "parameter_file", "resources", "simulation", "training", "twin", "version"},
    "comparison": {"display", "errors", "model", "multiple_testing", "options", "parameter_file"},
    "ablation": {
        "cluster", "display", "errors", "locks", "multiple_testing", "options", "outputs", "parameter_file", "progress",
        "training", "workers",
    },
    "validation": {
        "display", "errors", "fitting", "model", "options", "parameter_file", "population", "progress", "traces",
        "twin",
    },
}
EVERYTHING = {"plots", "report", "app", "cli", "demo", "environment", "__main__"}  # may import all stages
MEASURED = {"traces", "fitting", "population", "validation"}
SIMULATED = {"simulation", "training", "ablation"}
NO_TORCH = sorted({*GROUND, *MEASURED, "model", "parameter_file", "twin", "comparison"})


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(path: Path, modules: Collection[str] = MODULES) -> set[str]:
    """Modules imported anywhere in a file: at its top, inside functions, for types alone."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner in modules else str(node.module))
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def graph_of(modules: dict[str, Path]) -> dict[str, set[str]]:
    """Imports between modules. The package itself is left out: its table of lazy names has to know every stage."""
    return {name: (imported(path, modules) & set(modules)) - {"weakreset"} for name, path in modules.items()}


@functools.cache
def whole_graph() -> dict[str, set[str]]:
    return graph_of(MODULES)


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    found, left = set(), [*graph[start]]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += graph[name]
    return found


def in_a_circle(graph: dict[str, set[str]]) -> set[str]:
    return {name for name in graph if name in reachable(graph, name)}


def stage_of(name: str) -> str:
    return name.split(".")[1]


def test_every_file_belongs_to_a_stage_that_is_watched():
    assert {stage_of(name) for name in MODULES if name != "weakreset"} == {*MAY_IMPORT, *EVERYTHING}


@pytest.mark.parametrize("stage", MAY_IMPORT)
def test_a_stage_imports_only_the_stages_above_it(stage):
    for name, path in MODULES.items():
        for other in imported(path) if name.startswith(f"weakreset.{stage}") else ():
            assert other != "weakreset", f"{name} imports the package itself"
            if other.startswith("weakreset.") and stage_of(name) == stage != stage_of(other):
                assert stage_of(other) in MAY_IMPORT[stage], f"{name} imports {other}"


@pytest.mark.parametrize(("side", "other"), [(MEASURED, SIMULATED), (SIMULATED, MEASURED)])
def test_the_measured_and_the_simulated_side_meet_only_in_the_file(side, other):
    graph = whole_graph()
    for name in MODULES:
        if name != "weakreset" and stage_of(name) in side:
            strangers = {found for found in reachable(graph, name) if stage_of(found) in other}
            assert not strangers, f"{name} leads to {sorted(strangers)}"


def test_no_import_goes_in_a_circle():
    assert in_a_circle(whole_graph()) == set()


def test_a_circle_is_seen_even_where_it_is_lazy_or_for_types_alone(tmp_path):
    texts = {
        "a": "def late():\n    from b import x\n",
        "b": "if TYPE_CHECKING:\n    from package import c\n",
        "package": "",
        "package.c": "import a\n",
        "outside": "import a\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert in_a_circle(graph_of({name: tmp_path / name for name in texts})) == {"a", "b", "package.c"}


@pytest.mark.parametrize("stage", NO_TORCH)
def test_torch_starts_at_the_simulation(stage):
    for module, path in MODULES.items():
        if module != "weakreset" and stage_of(module) == stage:
            assert not any(name.split(".")[0] == "torch" for name in imported(path)), path


def test_a_parameter_file_is_read_without_the_measured_side():
    code = "import sys, weakreset; weakreset.load_parameters('majumdar2021'); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(out.stdout.split())
    assert "weakreset.parameter_file" in loaded
    stages = {f"weakreset.{stage}" for stage in (*MEASURED, *SIMULATED, "twin", "comparison")}
    assert not loaded & {*stages, "lmfit", "pandas", "torch", "scipy.stats"}


def test_import_loads_nothing_heavy():
    code = "import sys, weakreset, weakreset.cli; print([m for m in %r if m in sys.modules])"
    heavy = ["torch", "lmfit", "matplotlib", "pandas", "scipy.stats", "sklearn", "h5py"]
    out = subprocess.run([sys.executable, "-c", code % heavy], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_public_name_exists():
    for name in weakreset.__all__:
        assert getattr(weakreset, name) is not None


def test_type_checkers_see_the_public_names_and_no_others():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {(str(node.module), alias.name) for node in block.body for alias in node.names}
    table = {(f"weakreset.{home}", name) for home, names in weakreset._HOMES.items() for name in names.split()}
    assert seen == table | {("weakreset", stage) for stage in weakreset._STAGES}
    assert len(set(weakreset.__all__)) == len(weakreset.__all__)


def test_version_is_the_same_in_both_places():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_the_citation_is_of_this_version():
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text()


def code_lines(node: ast.AST) -> int:
    docstring = ast.get_docstring(node, clean=False)
    return node.end_lineno - node.lineno + 1 - (len(docstring.splitlines()) if docstring else 0)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_stay_small_and_safe(path):
    tree = ast.parse(path.read_text())
    assert len(path.read_text().splitlines()) <= 400
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert code_lines(node) <= 50, f"{node.name} has {code_lines(node)} lines"
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: assert in library code"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "eval", "exec"), f"line {node.lineno}"
    assert not imported(path) & {"pickle", "dill", "joblib", "shelve", "marshal"}


@functools.cache
def words_of(path: Path) -> frozenset[str]:
    """Words that a file writes out, and classes that it makes."""
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(words | {node.name for node in nodes if isinstance(node, ast.ClassDef)})


def one_of_its_folder() -> dict[str, tuple[str, str]]:
    """Word that names a shape, an export, a kind of noise, a reader -> its folder, and the registry that names it."""
    from weakreset.exports.registry import TARGETS
    from weakreset.model.drift import BUILT_IN
    from weakreset.traces import recognise

    # two slopes are what is fitted unless something else is asked for, and of noise our own fit knows three kinds
    found = {shape.name: ("model.drift", "model.drift") for shape in BUILT_IN if shape.name != "two-slope"}
    found |= dict.fromkeys(TARGETS, ("exports", "exports.registry"))
    found |= {"wander": ("model.noise", "model.noise.registry")}
    ours = recognise._BINARY_FIRST | recognise._TEXT | recognise._BINARY
    return found | dict.fromkeys(ours.values(), ("traces.readers", "traces.recognise"))


@pytest.mark.parametrize(("word", "place"), one_of_its_folder().items())
def test_what_is_one_of_many_is_one_file_that_nothing_else_names(word, place):
    """The numbers of "where do I change what": a file of its own, and a line in the registry of its folder."""
    folder, registry = (f"weakreset.{name}" for name in place)
    (home,) = {name for name, path in MODULES.items() if word in words_of(path)} - {registry}
    assert home.rpartition(".")[0] == folder
    strangers = {name for name, others in whole_graph().items() if home in others and not name.startswith(folder)}
    assert strangers <= {registry}


def test_a_tab_is_named_by_the_page_alone():
    tabs = {name for name in MODULES if name.startswith("weakreset.app.tabs.")}
    assert tabs
    assert {name for name, others in whole_graph().items() if tabs & others} == {"weakreset.app.page"}
