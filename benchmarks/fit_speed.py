"""Time of the whole fit beside a plain lmfit loop over the same devices, in one run: `make bench`.

Simulated devices of the published laws. "Whole fit" is noise, knees, telegraph steps, an lmfit result for
every device, and the population; the plain loop is one `lmfit.Model.fit` a device and nothing else.
Prints ratios and peak memory, writes bench-out/fit_speed.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from accuracy import plain_lmfit

from weakreset.fitting import fit_devices
from weakreset.parameter_file import majumdar2021
from weakreset.population import fit_population
from weakreset.traces import TraceSet
from weakreset.twin import simulate_population


def peak_gb() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--pulses", type=int, default=1000)
    parser.add_argument("--plain-devices", type=int, default=200, help="devices of the plain loop, scaled up")
    parser.add_argument("--jobs", type=int, default=None, help="processes of the fit; default: one a core")
    parser.add_argument("--seed", type=int, default=41001)
    a = parser.parse_args()
    truth = simulate_population(majumdar2021(), a.devices, a.pulses, a.seed)
    traces = TraceSet.from_arrays([f"d{i}" for i in range(a.devices)], truth.pulses, truth.resistance_ohm())
    some = simulate_population(majumdar2021(), min(a.plain_devices, a.devices), a.pulses, a.seed)
    plain_lmfit(some.pulses[1:], some.log_ratio[:2, 1:])  # imports and caches outside the clock
    start = time.perf_counter()
    plain_lmfit(some.pulses[1:], some.log_ratio[:, 1:])
    plain = (time.perf_counter() - start) * a.devices / len(some.devices)
    before = peak_gb()
    start = time.perf_counter()
    fits = fit_devices(traces, jobs=a.jobs)
    middle = time.perf_counter()
    fit_population(fits)
    end = time.perf_counter()
    result = {
        "devices": a.devices, "pulses": a.pulses, "plain_lmfit_s": plain, "fit_devices_s": middle - start,
        "fit_population_s": end - middle, "whole_fit_over_plain": (end - start) / plain,
        "peak_gb_before_fit": before, "peak_gb": peak_gb(),
    }
    print(f"plain lmfit loop           {plain:8.2f} s  (timed on {len(some.devices)} devices)")
    print(f"weakreset, devices         {middle - start:8.2f} s")
    print(f"weakreset, population      {end - middle:8.2f} s")
    print(f"whole fit / plain loop     {(end - start) / plain:8.2f}    (bar 0.5, aim 0.125)")
    print(f"peak memory                {peak_gb():8.2f} GB (bar 1.5)")
    out = Path("bench-out")
    out.mkdir(exist_ok=True)
    (out / "fit_speed.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
