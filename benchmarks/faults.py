"""Break every long command off, at random moments and in bad places, and look at what is left.

    python benchmarks/faults.py [--kills 200] [--seed 0] [--only train,fit] [--parts kill,signal,place,twice]

kill     kill -9 at a random moment, up to three times in the same folder, then a run to the end: nothing half-written
         under a final name, no temporary file after the last run, files as of a run that nobody disturbed
signal   Ctrl-C or SIGTERM at a random moment, Ctrl-C again in half of the cases: over within 2 s, no process left, what
         was kept is said, and the next run ends as an undisturbed one
place    a full disk (the kernel's limit on the size of files), a read-only folder: one paragraph, exit 2, earlier
         results as they were
twice    a second run into the same place: refused, and it says by whom
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fault_runs import VERBS, WEIGHTS, damaged, digests, files_in, finish, left_of, small_demo, start, temporary

from weakreset.cli import main as command

_SECONDS = 2.0  # for a signal, with the processor free
_FULL = 700  # bytes that a file may have on the full disk
_KEPT = ("kept", "written", "finished")
_READ_ONLY = 0o555


class Faults:
    """One folder for everything, the results of undisturbed runs, and what went wrong so far."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, random.Random(seed)
        self.traces, self.said = folder / "traces.csv", folder / "said.txt"
        self.wrong: list[str] = []
        self.took: dict[str, float] = {}
        self.right: dict[str, dict[str, str]] = {}
        self.slowest = 0.0
        code = command(["simulate", "majumdar2021", "--devices", "30", "--pulses", "500", "-o", str(self.traces)])
        if code:
            raise SystemExit("no traces to begin with")

    def undisturbed(self, name: str) -> None:
        """What the files of a verb are, and how long it takes; twice, and twice the same."""
        for attempt in range(2):
            out = self._empty()
            begin = time.monotonic()
            code = finish(start(VERBS[name], out, self.traces, self.said))
            self._expect(name, f"undisturbed: {code}: {self.said.read_text()}", code == VERBS[name].code)
            self.took[name] = time.monotonic() - begin
            found = digests(out)
            if attempt:
                differ = [path for path in found if found[path] != self.right[name].get(path)]
                self._expect(name, f"two undisturbed runs differ in {differ}", not differ)
            self.right[name] = found

    def kill(self, name: str) -> int:
        """Up to three kills, and a run to the end; how many."""
        out, kills = self._empty(), self.rng.randint(1, 3)
        for _ in range(kills):
            process = start(VERBS[name], out, self.traces, self.said)
            time.sleep(self.rng.uniform(0, 1.1) * self.took[name])
            _send(process, signal.SIGKILL)
            finish(process)
            self._expect(name, f"killed: {damaged(out)}", not damaged(out))
        self._goes_on(name, out, "killed")
        return kills

    def signal(self, name: str) -> None:
        """One signal, perhaps a second."""
        out, number = self._empty(), self.rng.choice([signal.SIGINT, signal.SIGTERM])
        process = start(VERBS[name], out, self.traces, self.said)
        time.sleep(self.rng.uniform(0.05, 0.9) * self.took[name])
        begin = time.monotonic()
        _send(process, number)
        if self.rng.random() < 0.5:
            time.sleep(0.1)
            _send(process, signal.SIGINT)
        code = _within(process, 30.0)
        took = time.monotonic() - begin
        self.slowest = max(self.slowest, took)
        said = self.said.read_text(errors="replace")
        if code != VERBS[name].code:  # else it was done before
            self._expect(name, f"signal {number}: exit code {code}: {said[-300:]}", code in (130, 143))
            self._expect(name, f"signal {number}: does not say what was kept: {said[-300:]}", _words(said))
            self._expect(name, f"signal {number}: took {took:.1f} s", took <= _SECONDS)
        self._expect(name, f"signal {number}: traceback: {said[-500:]}", "Traceback" not in said)
        left = left_of(process)
        while left and time.monotonic() - begin < _SECONDS:  # as for the command itself
            time.sleep(0.05)
            left = left_of(process)
        self._expect(name, f"signal {number}: left processes {left}", not left)
        for other in left:
            _send(other, signal.SIGKILL)
        self._expect(name, f"signal {number}: {damaged(out)}", not damaged(out))
        self._expect(name, f"signal {number}: left {temporary(out)}", not temporary(out))
        self._goes_on(name, out, f"signal {number}")

    def places(self, name: str) -> None:
        """A full disk with nothing in the folder and with earlier results, and a folder that cannot be written."""
        out = self._empty()
        code = finish(start(VERBS[name], out, self.traces, self.said, _full_disk))
        self._one_paragraph(name, "full disk", code)
        self._expect(name, f"full disk: {damaged(out)}", not damaged(out))
        self._expect(name, f"full disk: left {temporary(out)}", not temporary(out))
        out = self._empty()
        finish(start(VERBS[name], out, self.traces, self.said))
        if name != "demo":  # which says that it replaces an earlier demo's training
            earlier = _bytes(out)
            code = finish(start(VERBS[name], out, self.traces, self.said, _full_disk))
            if code != VERBS[name].code:  # a run that goes on may find nothing left to write
                self._one_paragraph(name, "full disk, again", code)
            self._expect(name, "full disk: earlier results changed", _bytes(out) == earlier)
        earlier = _bytes(out)
        inside = [path for path in (out, *out.rglob("*")) if path.is_dir()]
        for path in inside:
            path.chmod(_READ_ONLY)
        code = finish(start(VERBS[name], out, self.traces, self.said))
        for path in inside:
            path.chmod(0o755)
        self._one_paragraph(name, "read-only folder", code)
        self._expect(name, "read-only folder: earlier results changed", _bytes(out) == earlier)

    def twice(self, name: str) -> None:
        """The second run, while the first is at work, is refused by name."""
        out = self._empty()
        first = start(VERBS[name], out, self.traces, self.said)
        until = time.monotonic() + 60
        while not any(lock.stat().st_size for lock in out.glob(".weakreset*.lock")) and time.monotonic() < until:
            time.sleep(0.005)
        os.kill(first, signal.SIGSTOP)  # so that it is still there
        code = finish(start(VERBS[name], out, self.traces, self.said))
        said = self.said.read_text(errors="replace")
        self._one_paragraph(name, "second run", code)
        self._expect(name, f"second run: does not name the first: {said}", f"process {first} on" in said)
        os.kill(first, signal.SIGCONT)
        self._expect(name, "first of two runs", finish(first) == VERBS[name].code)
        self._expect(name, "first of two runs: other results", digests(out) == self.right[name])

    def _goes_on(self, name: str, out: Path, what: str) -> None:
        code = finish(start(VERBS[name], out, self.traces, self.said))
        words = self.said.read_text(errors="replace")[-300:]
        self._expect(name, f"{what}, then run to the end: exit code {code}: {words}", code == VERBS[name].code)
        self._expect(name, f"{what}, then: left {temporary(out)}", not temporary(out))
        found, right = digests(out), self.right[name]
        differ = sorted({path for path in {*found, *right} if found.get(path) != right.get(path)})
        self._expect(name, f"{what}, then: other than undisturbed: {differ}", not differ)

    def _one_paragraph(self, name: str, what: str, code: int) -> None:
        said = self.said.read_text(errors="replace")
        lines = [line for line in said.splitlines() if "weakreset: " in line]
        fine = code == 2 and "Traceback" not in said and len(lines) == 1
        self._expect(name, f"{what}: exit code {code}: {said[-400:]}", fine)

    def _expect(self, name: str, what: str, holds: bool) -> None:
        if not holds:
            self.wrong.append(f"{name}: {what}")
            print(f"WRONG {self.wrong[-1]}", flush=True)

    def _empty(self) -> Path:
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        return out


def _bytes(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in files_in(folder)}


def _words(said: str) -> bool:
    return "interrupted" in said and any(word in said for word in _KEPT)


def _send(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _within(process: int, seconds: float) -> int:
    """Its exit code, or that of a process that hung."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    _send(process, signal.SIGKILL)
    return finish(process)


def _full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FULL, resource.RLIM_INFINITY))


def _load_all() -> None:
    """Everything that the verbs load and compile, once, and on one thread: a forked child has no other."""
    import torch

    import weakreset.ablation
    import weakreset.demo
    import weakreset.plots
    import weakreset.report
    import weakreset.training
    import weakreset.validation

    torch.set_num_threads(1)
    weakreset.training.train("majumdar2021", hidden=8, epochs=1, batch_size=200)
    weakreset.report.build_file_page(weakreset.load_parameters("majumdar2021"))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--signals", type=int, default=6, help="a verb")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", default=",".join(VERBS))
    options.add_argument("--parts", default="kill,signal,place,twice")
    chosen = options.parse_args()
    names, parts = chosen.only.split(","), chosen.parts.split(",")
    _load_all()
    small_demo()
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        faults = Faults(Path(folder), chosen.seed)
        tempfile.tempdir = str(Path(folder) / "kept")  # what commands keep elsewhere goes there, and goes with it
        Path(tempfile.tempdir).mkdir()
        for name in names:
            faults.undisturbed(name)
            print(f"{name}: {faults.took[name]:.1f} s undisturbed", flush=True)
        checks: dict[str, Callable[[str], None]] = {"place": faults.places, "twice": faults.twice}
        for part, check in checks.items():
            for name in names if part in parts else ():
                check(name)
        for _ in range(chosen.signals if "signal" in parts else 0):
            for name in names:
                faults.signal(name)
        kills, weights = 0, [WEIGHTS.get(name, 1.0) for name in names]
        while "kill" in parts and kills < chosen.kills:
            name = faults.rng.choices(names, weights)[0]
            kills += faults.kill(name)
            print(f"{kills} kills, the last of {name}", flush=True)
        signals = chosen.signals * len(names) if "signal" in parts else 0
        print(f"{kills} kills, {signals} signals, slowest {faults.slowest:.2f} s, seed {chosen.seed}: "
              f"{len(faults.wrong)} wrong")
    return bool(faults.wrong)


if __name__ == "__main__":
    sys.exit(main())
