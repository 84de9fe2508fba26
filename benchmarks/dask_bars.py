"""What a cluster of two workers on this machine costs and keeps beside one process.

    python benchmarks/dask_bars.py bits [devices]       # the same bits as one process (5,000)
    python benchmarks/dask_bars.py kill [devices]       # a worker, then the client killed with -9, again (2000)
    python benchmarks/dask_bars.py overhead [devices]   # against local processes, in turns (10,000; bar 15 %)
    python benchmarks/dask_bars.py survey [devices]     # memory of the driver (200,000 made-up sketches; 2 GB)

Simulated devices of the published laws; a few hundred are simulated and repeated, each with its own scale of resistance
and its own slope, so that no two are equal.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from weakreset.fitting import FitOptions, FitSet, fit_distributed, fit_stream
from weakreset.fitting.fit_rows import FitRows
from weakreset.fitting.fit_text import digest_of, fit_of, text_of
from weakreset.fitting.stream import sketch
from weakreset.population import fit_population
from weakreset.traces import TraceSet
from weakreset.twin import simulate_traces

N_PULSES, PATTERN, CHUNK, JOBS = 300, 250, 500, 2
SIZES = {"bits": 5000, "kill": 2000, "overhead": 10_000, "survey": 200_000}
OVERHEAD_BAR, MEMORY_BAR = 0.15, 2 << 30


@dataclass(frozen=True)
class Devices:
    """Chunks of traces, made when asked for: as often as anyone likes, the same each time."""

    n: int

    def __iter__(self) -> Iterator[TraceSet]:
        pattern = simulate_traces("majumdar2021", PATTERN, N_PULSES, seed=3).traces
        for start in range(0, self.n, CHUNK):
            names = range(start, min(start + CHUNK, self.n))
            factors = np.exp(np.random.default_rng([5, start]).normal(0.0, [[0.1], [1e-4]], (2, len(names))))
            values = np.stack([pattern[i % PATTERN].resistance_ohm for i in names])
            ramp = np.log(factors[1])[:, None] * np.arange(values.shape[1])
            yield TraceSet.from_arrays(
                [f"d{i:07d}" for i in names], pattern[0].pulses, values * factors[0][:, None] * np.exp(ramp)
            )


def bits(fits: FitSet) -> str:
    """All numbers of all devices and of the set, in one digest; not the arrays that a sketch lacks."""
    return digest_of([[sketch(fit) for fit in fits], fits.noise, fits.caveat])


def spent() -> float:
    """Processor seconds of this process and all that it has started and that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def same_bits(n: int, place: Path) -> bool:
    devices = Devices(n)
    alone = bits(fit_stream(devices, FitOptions(), jobs=1))
    print(f"{n} devices in one process done", flush=True)
    cluster = bits(fit_distributed(devices, place / "parts", FitOptions(), jobs=JOBS))
    print(f"{n} devices on {JOBS} workers: {'the same bits' if alone == cluster else 'OTHER BITS'} ({alone[:16]})")
    return alone == cluster


def _client(n: int, folder: Path) -> None:
    fit_distributed(Devices(n), folder, FitOptions(), jobs=JOBS)


def _descendants(pid: int) -> list[Any]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kills(n: int, place: Path) -> bool:
    """Kill -9 of one worker when the first part is done, of the client when the second is; then once more, in peace."""
    devices, folder = Devices(n), place / "parts"
    alone = bits(fit_stream(devices, FitOptions(), jobs=1))
    client = multiprocessing.get_context("spawn").Process(target=_client, args=(n, folder))
    client.start()

    def wait_for(parts: int) -> None:
        while len([*folder.glob("part-*.parquet")]) < parts and client.is_alive():
            time.sleep(0.05)

    wait_for(1)
    workers = [child for child in _descendants(client.pid or 0) if child.cpu_times().user > 1.0]
    workers[-1].send_signal(signal.SIGKILL)
    print(f"killed worker {workers[-1].pid} after {len([*folder.glob('part-*')])} parts", flush=True)
    wait_for(2)
    left = _descendants(client.pid or 0)
    os.kill(client.pid or 0, signal.SIGKILL)
    client.join()
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("part-*.parquet")}
    print(f"killed the client (and with it the scheduler) after {len(before)} parts", flush=True)
    gone = psutil.wait_procs(left, timeout=60)[1]
    again = bits(fit_distributed(devices, folder, FitOptions(), jobs=JOBS))
    kept = all((folder / name).stat().st_mtime_ns == at for name, at in before.items())
    print(f"started again: {'the same bits' if again == alone else 'OTHER BITS'}; finished parts "
          f"{'kept' if kept else 'MADE AGAIN'}; {len(gone)} processes of the killed client still there after a minute")
    return again == alone and kept and not gone


def overhead(n: int, place: Path) -> bool:
    """In turns: a stream on two local processes, then the cluster; wall and processor time of all processes."""
    devices, took = Devices(n), dict[str, list[tuple[float, float]]]()
    for turn in range(2):
        for name in ("local", "dask"):
            wall, cpu = time.perf_counter(), spent()
            if name == "local":
                fit_stream(devices, FitOptions(), jobs=JOBS)
            else:
                fit_distributed(devices, place / f"parts{turn}", FitOptions(), jobs=JOBS)
            took.setdefault(name, []).append((time.perf_counter() - wall, spent() - cpu))
            print(f"{name}: {took[name][-1][0]:.1f} s, processor {took[name][-1][1]:.1f} s", flush=True)
    best = {name: np.min(times, axis=0) for name, times in took.items()}
    wall, cpu = best["dask"] / best["local"] - 1.0
    print(f"{n} devices: overhead {wall:.1%} of wall, {cpu:.1%} of processor time (bar {OVERHEAD_BAR:.0%})")
    return bool(min(wall, cpu) <= OVERHEAD_BAR)


def survey(n: int, place: Path) -> bool:
    """The driver's peak with the sketches of `n` devices, each read from its text as from a part, and their laws."""
    fits = fit_stream(Devices(PATTERN), FitOptions(), jobs=1)
    texts = [text_of(sketch(fit)) for fit in fits]
    rng = np.random.default_rng(2)
    many = FitRows(
        replace(fit_of(texts[i % len(texts)]), device=f"d{i:07d}", parent=f"d{i:07d}", fingerprint=rng.bytes(16))
        for i in range(n)
    )
    held = psutil.Process().memory_info().rss
    print(f"{n} sketches: {held / 2**30:.2f} GB, {held / n / 1000:.1f} kB a device", flush=True)
    fit_population(replace(fits, fits=many))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"with the laws: peak {peak / 2**30:.2f} GB (bar {MEMORY_BAR / 2**30:.0f})")
    return peak <= MEMORY_BAR


def main() -> int:
    what = sys.argv[1]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else SIZES[what]
    run = {"bits": same_bits, "kill": kills, "overhead": overhead, "survey": survey}[what]
    with tempfile.TemporaryDirectory() as place:
        return not run(n, Path(place))


if __name__ == "__main__":
    sys.exit(main())
