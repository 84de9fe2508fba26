"""Peak memory of `fit` on an HDF5 file of 2 GB, read in parts, in a process of its own.

The whole file is read; of every trace of 50,000 reads the first 300 are fitted, so that it ends within minutes.

    python benchmarks/stream_memory.py [size in MB]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from weakreset.twin import simulate_traces

N_PULSES = 50_000
PATTERN = 50
FITTED = 300
FIT = "import resource, runpy, sys, weakreset.cli as c\ncode = c.main(sys.argv[1:])\n" \
      "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\nsys.exit(code)"


def write_file(path: Path, megabytes: int) -> int:
    """Simulated devices, labelled so: 50 of them, repeated under new names with their own scale of resistance."""
    traces = simulate_traces("majumdar2021", PATTERN, N_PULSES, seed=0)
    matrix = np.stack([trace.resistance_ohm for trace in traces])
    n_devices = max(2 * PATTERN, (megabytes << 20) // (8 * matrix.shape[1]))
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as root:
        root.attrs.update(schema="weakreset-traces", schema_version="1.0.0", simulated=True)
        root["device"] = [f"d{i:05d}".encode() for i in range(n_devices)]
        root["pulse"] = traces.traces[0].pulses
        stored = root.create_dataset("resistance", (n_devices, matrix.shape[1]), float)
        stored.attrs["unit"] = "ohm"
        for start in range(0, n_devices, PATTERN):
            part = matrix[: n_devices - start]
            stored[start : start + PATTERN] = part * rng.normal(1.0, 0.05, (len(part), 1))
    return n_devices


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 2048
    with tempfile.TemporaryDirectory() as folder:
        path, params = Path(folder) / "lot.h5", Path(folder) / "lot.json"
        n_devices = write_file(path, megabytes)
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", FIT, "fit", str(path), "-o", str(params), "--jobs", "1", "--stream", "--json",
             "--pulses", f"0:{FITTED}"],
            check=True, capture_output=True, text=True,
        )
        seconds = time.perf_counter() - start
        peak = int(done.stderr.rsplit("peak", 1)[1]) / 1024
        size = path.stat().st_size / 2**20
        print(f"{size:.0f} MiB of HDF5, {n_devices} devices x {N_PULSES} pulses: fitted with a peak of {peak:.0f} MiB "
              f"({peak / size:.2f} x the file) in {seconds:.0f} s; {json.loads(done.stdout)['devices']}")


if __name__ == "__main__":
    main()
