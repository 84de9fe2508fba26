"""Memory of what runs for hours: flat within 5 % after the first tenth, or it would end some weekend.

    python benchmarks/soak.py fit [--devices 100000]    fit_stream of simulated devices, made as they are read
    python benchmarks/soak.py train [--seconds 7200]    training on digits, epoch after epoch

Memory is what the process holds (VmRSS) at every hundredth of the way. What a fit has to keep (numbers and names of all
devices, the likelihoods of 20,000) grows with them by right: it is measured first, on a small set, and taken off.
"""

from __future__ import annotations

import argparse
import copy
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from weakreset.fitting import DeviceFit, fit_stream
from weakreset.fitting.fit_rows import DRAWS_KEPT, FitRows
from weakreset.traces import TraceSet
from weakreset.training import Progress, train
from weakreset.twin import simulate_traces

PULSES = 200
CHUNK = 500
MOST = 1.05
PATTERNS = 4  # chunks that are simulated; the others are these under other names, or simulating would take most time
EPOCH = 1_000_000  # more than any number of seconds has time for


class Memory:
    """What the process held, by the share of the way that was done."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []

    def look(self, share: float) -> None:
        if not self.seen or share - self.seen[-1][0] >= 0.01:
            lines = Path("/proc/self/status").read_text().splitlines()
            kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
            self.seen.append((share, kilobytes / 1024))

    def verdict(self, by_right_mb: Callable[[float], float] = lambda share: 0.0) -> bool:
        """Print and judge: the most after the first tenth, beside what was held then; results by share are no leak."""
        early = [(share, size) for share, size in self.seen if share >= 0.1]
        start, first = early[0]
        rest = [size - by_right_mb(share) + by_right_mb(start) for share, size in early]
        results = by_right_mb(1.0) - by_right_mb(start)
        print(f"{first:.0f} MB after a tenth, {early[-1][1]:.0f} MB at the end, of which {results:.0f} MB are results; "
              f"the most without them is {max(rest) / first:.3f} of that after a tenth (bar {MOST})")
        return max(rest) <= MOST * first


class Chunks:
    """Devices, a chunk at a time; can be gone through again."""

    def __init__(self, n_devices: int, memory: Memory | None) -> None:
        self.n, self.memory, self.passes = n_devices, memory, 0
        self.patterns = [simulate_traces("majumdar2021", CHUNK, PULSES, seed=seed) for seed in range(PATTERNS)]

    def __iter__(self) -> Iterator[TraceSet]:
        self.passes += 1
        for i in range(self.n // CHUNK):
            if self.memory is not None and self.passes == 2:  # the first time it is only surveyed
                self.memory.look(i * CHUNK / self.n)
            part = self.patterns[i % PATTERNS]
            names = [f"{i}-{trace.device}" for trace in part]
            yield TraceSet.from_arrays(names, part.traces[0].pulses, [trace.resistance_ohm for trace in part])


def _results_mb(n_devices: int) -> Callable[[float], float]:
    """What the results of a share of so many devices take: from some that are kept without their arrays."""
    some = list(fit_stream(Chunks(3 * CHUNK, None), jobs=1).fits[-CHUNK:])
    numbers = _kept_mb([replace(fit, draws=None) for fit in some])
    draws = _kept_mb(some) - numbers
    return lambda share: numbers * n_devices * share + draws * min(DRAWS_KEPT, n_devices * share)


def _kept_mb(fits: list[DeviceFit]) -> float:
    """What a device takes in columns: numbers, its name and fingerprint, its likelihood."""
    tracemalloc.start()
    rows = FitRows()
    for i, fit in enumerate(fits):
        own: dict[str, Any] = {"device": f"{i}-{fit.device}", "fingerprint": bytes(bytearray(fit.fingerprint))}
        rows.append(replace(fit, **own, parent=own["device"], draws=copy.deepcopy(fit.draws)))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return taken / len(rows) / 2**20


def fit(n_devices: int) -> bool:
    by_right, memory = _results_mb(n_devices), Memory()
    start = time.perf_counter()
    fits = fit_stream(Chunks(n_devices, memory), jobs=1)
    memory.look(1.0)
    print(f"fit_stream: {len(fits.fits)} devices x {PULSES} pulses in {time.perf_counter() - start:.0f} s")
    return memory.verdict(by_right)


class _OverError(Exception):
    """The time is up."""


def training(seconds: float) -> bool:
    memory, start = Memory(), time.perf_counter()

    def look(progress: Progress) -> None:
        share = (time.perf_counter() - start) / seconds
        memory.look(min(share, 1.0))
        if share >= 1:
            raise _OverError(progress.epoch)

    with tempfile.TemporaryDirectory() as folder:
        try:
            train("majumdar2021", epochs=EPOCH, run_dir=folder, progress=look)
        except _OverError as over:
            print(f"train: {over} epochs of digits in {seconds:.0f} s")
    return memory.verdict()


def main() -> int:
    options: Any = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=["fit", "train"])
    options.add_argument("--devices", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=7200)
    chosen = options.parse_args()
    return not (fit(chosen.devices) if chosen.what == "fit" else training(chosen.seconds))


if __name__ == "__main__":
    sys.exit(main())
