"""Peak memory of `fit_stream` at 10,000 and 30,000 simulated devices, each in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from weakreset.fitting import fit_stream
from weakreset.traces import TraceSet
from weakreset.twin import simulate_traces

CHUNK = 1000


def chunks(n_devices: int, n_pulses: int) -> Iterator[TraceSet]:
    for i in range(n_devices // CHUNK):
        part = simulate_traces("majumdar2021", CHUNK, n_pulses, seed=i)
        yield TraceSet.from_arrays(
            [f"{i}-{trace.device}" for trace in part], part.traces[0].pulses,
            [trace.resistance_ohm for trace in part],
        )


def main() -> None:
    if len(sys.argv) > 1:
        n_devices, n_pulses = int(sys.argv[1]), int(sys.argv[2])
        start = time.perf_counter()
        fits = fit_stream(chunks(n_devices, n_pulses))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{len(fits.fits):7d} devices x {n_pulses} pulses: peak {peak:.2f} GB, "
              f"{time.perf_counter() - start:.0f} s, simulation included", flush=True)
        return
    for n_devices in (1000, 10_000, 30_000):
        subprocess.run([sys.executable, __file__, str(n_devices), "200"], check=True)


if __name__ == "__main__":
    main()
