"""Give damaged files to every reader: each must end as traces or as an error of ours that names the file.

    python benchmarks/fuzz_readers.py --files 20000 --seed 1      # `make fuzz`

A file that takes more than 10 s of processor time (so that a busy machine changes nothing), 60 s or 1 GB, ends a
worker process, or raises anything else is kept in --keep and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import os
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

SECONDS, HANGS_AFTER, MEMORY_BYTES = 10, 60, 1 << 30


def outcome(path: Path, column_map: str) -> str:
    from weakreset.errors import TraceError
    from weakreset.traces import load_traces

    try:
        load_traces(path, column_map=column_map or None, limits=None)
    except TraceError as error:
        return "refused" if path.name in str(error) else f"message without the file: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "traces"


def processor_seconds() -> float:
    """Of this process, the helper process of the readers, and the forks of it that ended."""
    from weakreset.traces.readers import other_process

    own = time.process_time()
    helper = other_process._HELPER.process
    if helper is None:
        return own
    fields = Path(f"/proc/{helper.pid}/stat").read_text().rpartition(")")[2].split()
    return own + sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def work(name: str, seed: int, first: int, last: int, keep: Path) -> None:
    """Mutants first..last-1 of one sample; a line before and after each."""
    from tests.traces.fuzz_samples import MAPS, mutate, samples

    warnings.simplefilter("error")
    content = samples()[name]
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + 2 * MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        for i in range(first, last):
            mutant = mutate(name, content, np.random.default_rng([seed, zlib.crc32(name.encode()), i]))
            path.write_bytes(mutant)
            (keep / f"{i}-{name}").write_bytes(mutant)
            print("begin", i, flush=True)
            began = processor_seconds()
            result = outcome(path, MAPS.get(name, ""))
            seconds = processor_seconds() - began
            peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if peak > MEMORY_BYTES:
                result = f"{peak >> 20} MB of memory ({result})"
            if result in ("traces", "refused"):
                (keep / f"{i}-{name}").unlink()
            print("end", i, f"{seconds:.2f}", result.replace("\n", " ")[:300], flush=True)


class Run:
    """All mutants of one sample, the worker started again behind a file that ended it."""

    def __init__(self, name: str, seed: int, n_files: int, keep: Path) -> None:
        self.name, self.seed, self.n_files, self.keep = name, seed, n_files, keep
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.slowest = 0.0

    def go(self) -> Run:
        position = 0
        while position < self.n_files:
            position = self._worker(position)
        return self

    def _worker(self, first: int) -> int:
        command = [sys.executable, __file__, "--worker", self.name, "--seed", str(self.seed), "--first", str(first)]
        command += ["--files", str(self.n_files), "--keep", str(self.keep)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines: queue.Queue[str | None] = queue.Queue()

        def listen() -> None:
            for line in process.stdout:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=listen, daemon=True).start()
        position = first
        began = heard = False
        while True:
            try:
                line = lines.get(timeout=HANGS_AFTER if began else 300)
            except queue.Empty:
                process.kill()
                return self._problem(position, f"not done after {HANGS_AFTER} s")
            if line is None and not heard:
                raise RuntimeError(f"the worker for {self.name} ended before its first file")
            if line is None:
                code = process.wait()
                return (
                    self.n_files if position >= self.n_files else self._problem(position, f"worker ended, code {code}")
                )
            word, _, rest = line.strip().partition(" ")
            began = word == "begin"
            heard = True
            if word == "end":
                number, seconds, result = rest.split(" ", 2)
                self.slowest = max(self.slowest, float(seconds))
                if result in ("traces", "refused"):
                    self.counts[result] += 1
                else:
                    self._problem(int(number), result)
                if float(seconds) > SECONDS:
                    self._problem(int(number), f"{seconds} s")
                position = int(number) + 1

    def _problem(self, number: int, words: str) -> int:
        self.counts["neither"] += 1
        self.problems.append(f"{number}-{self.name}: {words}")
        return number + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000, help="damaged files in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="samples whose name contains this")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-run"), help="folder for files that end badly")
    parser.add_argument("--worker", default="", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    if options.worker:
        work(options.worker, options.seed, options.first, options.files, options.keep)
        return
    from concurrent.futures import ThreadPoolExecutor

    from tests.traces.fuzz_samples import samples

    names = [name for name in samples() if options.only in name]
    share = -(-options.files // len(names))
    began = time.monotonic()
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = []
        for run in pool.map(lambda name: Run(name, options.seed, share, options.keep).go(), names):
            runs.append(run)
            print(f"{run.name:22s} {dict(sorted(run.counts.items()))} slowest {run.slowest:.1f} s", flush=True)
            for problem in run.problems[:20]:
                print(f"    {problem}", flush=True)
    total = sum((run.counts for run in runs), Counter())
    minutes = (time.monotonic() - began) / 60
    found = f"{total['traces']} read, {total['refused']} refused, {total['neither']} neither"
    print(f"seed {options.seed}: {found}; {minutes:.1f} min")
    raise SystemExit(1 if total["neither"] else 0)


if __name__ == "__main__":
    main()
