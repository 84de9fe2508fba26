"""Outputs: refused before the work, whole or not at all, never over what is not a file."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import here
from weakreset.cli import main
from weakreset.errors import OutputError
from weakreset.outputs import all_or_none, check_outputs, whole_or_nothing, write_atomically, written_files

TRACES = str(Path(__file__).parents[2] / "data" / "lot_a.csv")
VERBS = {
    "fit -o": ["fit", TRACES, "-o", "OUT"],
    "fit --devices": ["fit", TRACES, "-o", "fine.json", "--devices", "OUT"],
    "fit --report": ["fit", TRACES, "-o", "fine.json", "--report", "OUT"],
    "validate": ["validate", "majumdar2021", TRACES, "--report", "OUT"],
    "simulate": ["simulate", "majumdar2021", "-o", "OUT.csv"],
    "export": ["export", "majumdar2021", "-o", "OUT.csv"],
    "edit": ["edit", "majumdar2021", "--set", "m1.scale=7e-4", "-o", "OUT"],
    "new": ["new", "--set", "r0_ohm=1000", "-o", "OUT"],
    "import": ["import", "devices.csv", "-o", "OUT"],
    "compare": ["compare", "majumdar2021", "majumdar2021", "-o", "OUT"],
    "show": ["show", "majumdar2021", "--report", "OUT"],
    "template": ["template", "csv-long", "-o", "OUT.csv"],
    "train": ["train", "majumdar2021", "-o", "OUT"],
    "ablate": ["ablate", "majumdar2021", "-o", "OUT"],
    "demo": ["demo", "-o", "OUT"],
}
FOLDERS = {"train", "ablate", "demo"}


def _folder(path: Path, verb: str) -> Path:
    if verb in FOLDERS:
        path.write_text("a file where a folder should be")
    else:
        path.mkdir()
    return path


def _read_only(path: Path, verb: str) -> Path:
    if verb in FOLDERS:
        path.mkdir()
    else:
        path.write_text("mine")
    path.chmod(0o444)
    return path


def _under_a_file(path: Path, verb: str) -> Path:
    path.with_name("file").write_text("")
    return path.with_name("file") / path.name


def _too_long(path: Path, verb: str) -> Path:
    return path.with_name("x" * 300 + path.suffix)


def _fifo(path: Path, verb: str) -> Path:
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("spoil", [_folder, _read_only, _under_a_file, _too_long, _fifo])
@pytest.mark.parametrize("verb", VERBS)
def test_an_output_that_cannot_be_written_is_one_paragraph_before_the_work(verb, spoil, tmp_path, monkeypatch, capsys):
    if verb == "template" and spoil is _folder:
        pytest.skip("a folder is what it asks for")
    monkeypatch.chdir(tmp_path)
    ending = ".csv" if "OUT.csv" in VERBS[verb] else ""
    output = spoil(tmp_path / f"OUT{ending}", verb)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert main([str(output) if word.startswith("OUT") else word for word in VERBS[verb]]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("weakreset: ")
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_device_is_written_into_and_stays_one(capsys):
    device = os.stat(os.devnull).st_rdev
    assert main(["show", "majumdar2021", "--report", os.devnull]) == 0
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    assert os.stat(os.devnull).st_rdev == device


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_umask_and_the_rights_of_the_old_file_are_respected(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", "x")
    finally:
        os.umask(before)
    (tmp_path / "old").write_text("secret")
    (tmp_path / "old").chmod(0o600)
    write_atomically(tmp_path / "old", "x")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "old")] == [0o640, 0o600]


def test_files_that_belong_together_appear_together_or_are_kept_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "kept"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="is kept in") as refused:
        all_or_none({tmp_path / "a": "1", tmp_path / "folder": "2"})
    assert not (tmp_path / "a").exists()
    assert "folder" in str(refused.value)
    (kept,) = (tmp_path / "kept").iterdir()
    assert {path.name: path.read_text() for path in kept.iterdir()} == {"a": "1", "folder": "2"}


def test_parts_of_a_killed_process_are_removed_by_the_next_and_those_of_a_living_one_stay(tmp_path):
    code = "import sys, time\nfrom weakreset.outputs import whole_or_nothing\n" \
        "with whole_or_nothing(sys.argv[1]):\n    print('ready', flush=True)\n    time.sleep(60)"
    arguments = [sys.executable, "-c", code, str(tmp_path / "x")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=here()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with whole_or_nothing(tmp_path / "mine"):
            process.send_signal(signal.SIGKILL)
            process.wait()
            code = "import sys\nfrom weakreset.outputs import check_outputs\ncheck_outputs(sys.argv[1])"
            subprocess.run([sys.executable, "-c", code, str(tmp_path / "y")], env=here(), check=True)
            assert len(list(tmp_path.iterdir())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_full_disk_is_one_paragraph_and_the_old_file_stays(tmp_path, capsys):
    target = tmp_path / "page.html"
    target.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        assert main(["show", "majumdar2021", "--report", str(target)]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert "cannot be written" in capsys.readouterr().err
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_two_outputs_are_not_one_file(tmp_path):
    with pytest.raises(OutputError, match="two outputs"):
        check_outputs(tmp_path / "a", None, tmp_path / "." / "a")


def test_what_was_written_is_known(tmp_path):
    with written_files() as written:
        write_atomically(tmp_path / "a", "1")
    assert written == [tmp_path / "a"]


READS = {
    "fit -o": ["fit", "FILE", "-o", "FILE"],
    "fit --devices": ["fit", "FILE", "-o", "fine.json", "--devices", "./FILE"],
    "fit --report": ["fit", ".", "-o", "fine.json", "--report", "link"],
    "fit, the table that goes with it": ["fit", "lot.devices.csv", "-o", "lot.json"],
    "validate": ["validate", "majumdar2021", "*.csv", "--report", "FILE"],
    "simulate": ["simulate", "FILE", "-o", "FILE"],
    "export": ["export", "FILE", "-o", "FILE"],
    "import": ["import", "FILE", "-o", "FILE"],
    "compare": ["compare", "majumdar2021", "FILE", "-o", "FILE"],
    "show": ["show", "FILE", "--report", "FILE"],
}


@pytest.mark.parametrize("verb", READS)
def test_what_is_read_is_not_written_over(verb, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("measured.csv", "lot.devices.csv"):
        (tmp_path / name).write_text("measured for a week")
    (tmp_path / "link").symlink_to("measured.csv")
    assert main([word.replace("FILE", "measured.csv") for word in READS[verb]]) == 2
    assert "is read by this command" in capsys.readouterr().err
    assert {path.read_text() for path in tmp_path.iterdir()} == {"measured for a week"}


@pytest.mark.parametrize("name", ["config.json", "report.html"])
@pytest.mark.parametrize("content", ["{}", "[]", "my own", '{"schema": "weakreset-parameters"}'])
def test_a_training_writes_over_nothing_that_is_not_of_a_run(name, content, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    words = ["train", "majumdar2021", "-o", str(tmp_path), "--hidden", "4", "--epochs", "1", "--recipe", "ideal"]
    assert main(words) == 2
    assert f"{name}: is not of a run" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, content)]


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "report.html", "checkpoint.safetensors"])
def test_a_file_of_a_run_that_cannot_be_written_is_found_before_the_training(name, tmp_path, capsys):
    (tmp_path / name).mkdir()
    words = ["train", "majumdar2021", "-o", str(tmp_path), "--hidden", "4", "--epochs", "9999", "--resume"]
    assert main(words) == 2
    assert f"{name}: cannot be written: it is a folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["ablation.csv", "ablation.json", "ablation.png"])
def test_a_table_of_a_study_that_cannot_be_written_is_found_before_the_trainings(name, tmp_path, capsys):
    (tmp_path / name).mkdir()
    assert main(["ablate", "majumdar2021", "-o", str(tmp_path), "--epochs", "9999"]) == 2
    assert f"{name}: cannot be written: it is a folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [name]
