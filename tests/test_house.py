"""Rules of the house that a program can check."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import weakreset
from weakreset.version import __version__

PACKAGE = Path(weakreset.__file__).parent
ROOT = PACKAGE.parent

MAY_IMPORT = {
    "errors": set(),
    "version": set(),
    "resources": set(),
    "workers": set(),
    "model": {"errors"},
    "traces": {"errors", "resources", "version"},
    "fitting": {"errors", "model", "traces", "workers"},
    "population": {"errors", "model", "fitting", "parameter_file", "traces", "version"},
    "parameter_file": {"errors", "model", "resources", "version"},
    "twin": {"errors", "model", "parameter_file", "traces"},
    "simulation": {"errors", "model", "parameter_file", "resources"},
    "training": {"errors", "model", "parameter_file", "resources", "simulation", "version"},
    "comparison": {"errors", "model", "parameter_file", "population"},
    "ablation": {"errors", "parameter_file", "population", "resources", "training", "workers"},
    "validation": {"errors", "model", "traces", "parameter_file", "twin", "fitting", "population"},
}
NO_TORCH = ("errors", "resources", "model", "traces", "fitting", "population", "parameter_file", "twin", "validation")


def files(stage: str) -> list[Path]:
    single = PACKAGE / f"{stage}.py"
    return [single] if single.exists() else sorted((PACKAGE / stage).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("stage", MAY_IMPORT)
def test_a_stage_imports_only_the_stages_above_it(stage):
    for path in files(stage):
        for name in imported(path):
            if name.startswith("weakreset.") and name.split(".")[1] != stage:
                assert name.split(".")[1] in MAY_IMPORT[stage], f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("stage", NO_TORCH)
def test_torch_starts_at_the_simulation(stage):
    for path in files(stage):
        assert not any(name.split(".")[0] == "torch" for name in imported(path)), path


def test_import_loads_nothing_heavy():
    code = "import sys, weakreset, weakreset.cli; print([m for m in %r if m in sys.modules])"
    heavy = ["torch", "lmfit", "matplotlib", "pandas", "scipy.stats", "sklearn", "h5py"]
    out = subprocess.run([sys.executable, "-c", code % heavy], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_public_name_exists():
    for name in weakreset.__all__:
        assert getattr(weakreset, name) is not None


def test_version_is_the_same_in_both_places():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


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
