"""Reading 10 million rows of long CSV, beside `pandas.read_csv` with the pyarrow engine in the same process.

    python benchmarks/read_speed.py [million rows]

`load_traces` also recognises the columns, hashes the file, follows the counters, checks every reading and screens.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from weakreset.traces import load_traces

N_PULSES = 1000
ROUNDS = 5


def write_csv(path: Path, n_devices: int) -> None:
    rng = np.random.default_rng(0)
    with open(path, "w") as stream:
        stream.write("device,pulse,resistance_ohm\n")
        for i in range(n_devices):
            ohm = 7000 * np.exp(1e-4 * np.arange(N_PULSES) + rng.normal(0, 0.02, N_PULSES))
            stream.write("".join(f"D{i:05d},{k},{value:.3f}\n" for k, value in enumerate(ohm.tolist())))


def seconds(read, path: Path) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    found = read(path)
    took = time.perf_counter() - wall, time.process_time() - processor
    del found
    return took


def main() -> None:
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        write_csv(path, max(1, int(millions * 1e6) // N_PULSES))
        readers = {"pandas": lambda p: pd.read_csv(p, engine="pyarrow"), "weakreset": load_traces}
        for read in readers.values():
            seconds(read, path)
        rounds = [{name: seconds(read, path) for name, read in readers.items()} for _ in range(ROUNDS)]
        best = {name: [min(r[name][i] for r in rounds) for i in (0, 1)] for name in readers}
        size = path.stat().st_size / 2**20
        print(f"{millions:g} M rows, {size:.0f} MiB; best of {ROUNDS}, wall (processor) seconds: "
              + ", ".join(f"{name} {wall:.2f} ({cpu:.2f})" for name, (wall, cpu) in best.items()))
        ratio = [best["weakreset"][i] / best["pandas"][i] for i in (0, 1)]
        print(f"load_traces / pandas.read_csv(engine='pyarrow'): {ratio[0]:.2f} (bar 1.5; processor {ratio[1]:.2f})")


if __name__ == "__main__":
    main()
