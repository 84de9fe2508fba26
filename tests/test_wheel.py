"""What a user installs: built here, looked into, nothing fetched."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import weakreset

ROOT = Path(weakreset.__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_says_that_it_is_typed(names):
    assert "weakreset/py.typed" in names


def test_the_wheel_carries_samples_and_presets_but_not_what_made_them(names):
    assert {"weakreset/_bundled/data/lot_a.csv", "weakreset/_bundled/fitted_params/majumdar2021.json"} <= set(names)
    assert (ROOT / "data" / "generate.py").exists()
    assert not [name for name in names if "generate" in name]
    assert not [name for name in names if name.startswith(("tests/", "data/", "benchmarks/", "docs/"))]
    assert {name.split("/")[0] for name in names} == {"weakreset", f"weakreset-{weakreset.__version__}.dist-info"}


def test_every_file_of_the_package_is_in_the_wheel(names):
    files = (path for path in (ROOT / "weakreset").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert {str(path.relative_to(ROOT)) for path in files} <= set(names)


def test_the_installed_package_finds_its_presets_and_samples(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import weakreset as wr; from weakreset.resources import bundled; from pathlib import Path\n"
        "assert Path(wr.__file__).is_relative_to(Path.cwd()), wr.__file__\n"
        "print(wr.preset_names(), wr.load_parameters('majumdar2021').name, (bundled('data') / 'lot_a.csv').is_file())"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["['majumdar2021']", "majumdar2021", "True"]


def test_it_says_where_the_model_comes_from(wheel):
    (metadata,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("METADATA")]
    assert "Project-URL: " in zipfile.ZipFile(wheel).read(metadata).decode()
