"""Time of the population fit of many devices: `make bench`.

Simulated devices of the published laws. Fitting 20,000 of them would take minutes that say nothing of the population,
so some are fitted and each stands for several, under names and fingerprints of its own: it costs what any other costs.
Prints seconds with the default, a sample beyond `MOST_DEVICES`, and with all devices (`most_devices=0`) where there are
no more than `--all-up-to`; writes bench-out/population_speed.json.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from weakreset.fitting import FitSet, fit_devices
from weakreset.parameter_file import majumdar2021
from weakreset.population import fit_population
from weakreset.traces import TraceSet
from weakreset.twin import simulate_population

BARS = {5000: 6.0, 20000: 25.0}


def repeated(fits: FitSet, n: int, seed: int) -> FitSet:
    """`n` devices, each of the fits as often as any other."""
    rng = np.random.default_rng(seed)
    copies = (fits.fits[i % len(fits.fits)] for i in range(n))
    return replace(fits, fits=tuple(
        replace(fit, device=name, parent=name, fingerprint=rng.bytes(16))  # no cycles of one device
        for fit, name in ((fit, f"{fit.device}-{i}") for i, fit in enumerate(copies))
    ))


def timed(fits: FitSet, most: int | None = None) -> dict[str, float]:
    """Wall and processor seconds of one population fit."""
    wall, processor = time.perf_counter(), time.process_time()
    fit_population(fits) if most is None else fit_population(fits, most_devices=most)
    return {"wall_s": time.perf_counter() - wall, "processor_s": time.process_time() - processor}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fitted", type=int, default=500, help="devices that are fitted")
    parser.add_argument("--pulses", type=int, default=1000)
    parser.add_argument("--devices", type=int, nargs="+", default=sorted(BARS))
    parser.add_argument("--all-up-to", type=int, default=5000, help="most devices that all are used of too")
    parser.add_argument("--seed", type=int, default=41001)
    a = parser.parse_args()
    truth = simulate_population(majumdar2021(), a.fitted, a.pulses, a.seed)
    names = [f"d{i}" for i in range(a.fitted)]
    fits = fit_devices(TraceSet.from_arrays(names, truth.pulses, truth.resistance_ohm()))
    fit_population(fits)  # imports outside the clock
    found: dict[str, dict[str, float]] = {}
    for n in a.devices:
        many = repeated(fits, n, a.seed)
        for label, most in (("default", None), *([("all", 0)] if n <= a.all_up_to else [])):
            found[f"{n}_{label}"] = seen = timed(many, most)
            bar = f"(bar {BARS[n]:g})" if most is None and n in BARS else ""
            took = f"{seen['wall_s']:7.2f} s, processor {seen['processor_s']:7.2f} s"
            print(f"{n:6} devices, {label:8}{took}  {bar}", flush=True)
    out = Path("bench-out")
    out.mkdir(exist_ok=True)
    (out / "population_speed.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
