"""Two runs do not write into the same place; a lock whose holder is gone is taken over."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.processes import here
from weakreset import locks
from weakreset.cli import main
from weakreset.errors import OutputError
from weakreset.locks import held
from weakreset.outputs import check_outputs

HOLDER = """
import sys, time
from weakreset.locks import held
with held(sys.argv[1], folder=sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(locks, "_PATIENCE_S", 0.1)


@pytest.fixture
def holder(tmp_path):
    """Another process, which holds a file and a folder."""
    arguments = [sys.executable, "-c", HOLDER, str(tmp_path / "file.csv"), str(tmp_path / "folder")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=here()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_the_second_is_told_who_holds_it(holder, tmp_path, capsys):
    options = ["--devices", "2", "--pulses", "10"]
    assert main(["simulate", "majumdar2021", "-o", str(tmp_path / "file.csv"), *options]) == 2
    said = capsys.readouterr().err
    assert f"process {holder.pid} on {os.uname().nodename}, since 20" in said
    assert len(said.splitlines()) == 1
    train = ["train", "majumdar2021", "--hidden", "4", "--epochs", "1", "--recipe", "ideal"]
    assert main([*train, "-o", str(tmp_path / "folder")]) == 2
    assert main(["ablate", "majumdar2021", "--epochs", "1", "--seeds", "1", "-o", str(tmp_path / "folder")]) == 2
    assert main(["demo", "-o", str(tmp_path / "folder")]) == 2
    assert capsys.readouterr().err.count(f"process {holder.pid} on") == 3
    assert main(["simulate", "majumdar2021", "-o", str(tmp_path / "other.csv"), *options]) == 0
    assert not (tmp_path / "file.csv").exists()


def test_a_lock_of_a_killed_run_is_taken_over(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "folder" / ".weakreset.lock").exists()
    with held(tmp_path / "file.csv", folder=tmp_path / "folder"):
        assert json.loads((tmp_path / "folder" / ".weakreset.lock").read_text())["process"] == os.getpid()
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_a_stale_lock_of_another_file_is_removed_and_a_living_one_is_not(holder, tmp_path):
    code = "import sys\nfrom weakreset.outputs import check_outputs\ncheck_outputs(sys.argv[1])"
    look = [sys.executable, "-c", code, str(tmp_path / "other")]
    subprocess.run(look, env=here(), check=True)
    assert len(list(tmp_path.glob(".weakreset-*.lock"))) == 1
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    subprocess.run(look, env=here(), check=True)
    assert not list(tmp_path.glob(".weakreset-*.lock"))


def test_a_run_in_this_process_is_refused_too_and_names_are_compared_by_what_they_lead_to(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with held(tmp_path / "file"), pytest.raises(OutputError, match=f"process {os.getpid()} "), held(tmp_path / "link"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@pytest.mark.parametrize("boot", ["same kernel", "another"])
def test_a_lock_of_another_machine_is_believed_and_how_to_remove_it_is_said(boot, tmp_path):
    lock = tmp_path / ".weakreset.lock"
    note = {"process": 1, "host": "elsewhere", "boot": locks._boot() if boot == "same kernel" else "x", "since": "then"}
    lock.write_text(json.dumps(note))
    if boot == "same kernel":  # another container of this machine: the kernel knows that nobody holds it
        with held(folder=tmp_path):
            pass
        return
    with pytest.raises(OutputError, match=f"process 1 on elsewhere, since then.*remove {lock}"), held(folder=tmp_path):
        pass
    check_outputs(tmp_path / "x")
    assert lock.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 5000, '{"host": [], "boot": {}}', "\x00\xff"])
def test_a_lock_with_nonsense_in_it_is_nobodys(content, tmp_path):
    (tmp_path / ".weakreset.lock").write_text(content)
    with held(folder=tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_what_is_no_lock_is_left_alone(tmp_path):
    (tmp_path / "target").write_text("mine")
    (tmp_path / ".weakreset.lock").symlink_to(tmp_path / "target")
    with pytest.raises(OutputError), held(folder=tmp_path):
        pass
    assert (tmp_path / "target").read_text() == "mine"


def _wait(seconds):
    time.sleep(seconds)


@pytest.mark.skipif(sys.platform != "linux", reason="forking")
def test_a_forked_worker_does_not_hold_its_parents_lock(tmp_path):
    context = multiprocessing.get_context("fork")
    with held(folder=tmp_path):
        worker = context.Process(target=_wait, args=(30,))
        worker.start()
    try:
        with held(folder=tmp_path):
            pass
    finally:
        worker.kill()
        worker.join()
