"""The folder of a window: its limits, its secrecy, its end."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import pytest

from weakreset.app import Limits, Workshop
from weakreset.app.exports import EXPORTS
from weakreset.errors import UsageError


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Workshop(Limits(file_bytes=1000, all_bytes=1500, n_files=2))
    yield made
    made.close()


def drop(workshop: Workshop, name: str, size: int) -> None:
    workshop.place_for(name, size).write_bytes(b"x" * size)


def test_only_its_owner_can_look_into_it(workshop):
    assert stat.S_IMODE(workshop.path.stat().st_mode) == 0o700


def test_too_large_a_file_too_much_in_all_and_too_many_are_refused(workshop):
    with pytest.raises(UsageError, match="this window takes files up to"):
        workshop.place_for("big.csv", 1001)
    drop(workshop, "a.csv", 900)
    with pytest.raises(UsageError, match="in all"):
        workshop.place_for("b.csv", 601)
    drop(workshop, "a.csv", 1000)  # takes the place of the first
    drop(workshop, "b.csv", 100)
    with pytest.raises(UsageError, match="there would be 3 files"):
        workshop.place_for("c.csv", 1)
    assert workshop.names() == ["a.csv", "b.csv"]


@pytest.mark.parametrize("name", ["../x.csv", "..\\x.csv", "/etc/passwd", "a/b.csv"])
def test_a_path_is_only_a_name(workshop, name):
    assert workshop.place_for(name, 1).parent == workshop.files


@pytest.mark.parametrize("name", ["", ".", "..", "a/..", ".hidden", "x\ny.csv", "\u202egnp.csv", "x" * 121])
def test_what_no_file_should_be_called_is_refused(workshop, name):
    with pytest.raises(UsageError, match="rename"):
        workshop.place_for(name, 1)


def test_it_goes_with_everything_in_it(workshop):
    drop(workshop, "a.csv", 10)
    workshop.close()
    assert not workshop.path.exists()


def test_what_a_killed_window_left_is_swept_and_nothing_else(workshop, tmp_path):
    code = "import os; print(os.getpid())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    left = tmp_path / f"weakreset-app-{done.stdout.strip()}-abc"
    left.mkdir()
    (left / "secret.csv").write_text("1")
    others = [tmp_path / "weakreset-app-x-abc", tmp_path / f"weakreset-app-{os.getpid()}-abc"]
    for other in others:
        other.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"weakreset-app-{done.stdout.strip()}-link").symlink_to(elsewhere)
    assert Workshop.sweep() == [left]
    assert all(path.exists() for path in [*others, elsewhere, workshop.path])


def test_the_exported_commands_go_on_after_a_negative_verdict(tmp_path):
    lines = ("weakreset fit a.csv -o a.json", "weakreset validate a.json a.csv", "weakreset compare a.json b.json")
    recipe = SimpleNamespace(name="lot", commands=lambda: lines)
    path = EXPORTS["commands"].write(SimpleNamespace(made=tmp_path), recipe)
    script = "weakreset() { echo $1; [ $1 != validate ]; }\n" + path.read_text()
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["fit", "validate", "compare"])
