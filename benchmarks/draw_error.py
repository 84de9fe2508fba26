"""The Monte-Carlo error of the population's laws beside their standard errors: other draws, all else kept.

    python benchmarks/draw_error.py [devices] [repeats]

The draws of a device follow from its readings alone. Here they are made anew from other seeds, and the numbers of the
laws are compared between the repeats. Bar: a tenth.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import weakreset.fitting.device_fit as device_fit
from weakreset.fitting import fit_devices
from weakreset.population import fit_population
from weakreset.twin import simulate_traces

BAR = 0.1
PULSES = 600


def main() -> int:
    n_devices, repeats = (int(word) for word in (sys.argv[1:] + ["100", "6"][len(sys.argv) - 1 :]))
    traces = simulate_traces("majumdar2021", n_devices, PULSES, seed=0)
    original, seen = device_fit.draw_likelihood, dict[str, list[dict[str, Any]]]()
    for salt in range(repeats):
        def salted(basis: Any, moments: Any, cap: float, rng: np.random.Generator, salt: int = salt) -> Any:
            return original(basis, moments, cap, np.random.default_rng([salt, int(rng.integers(1 << 62))]))

        device_fit.draw_likelihood = salted
        for name, law in fit_population(fit_devices(traces, jobs=1)).laws.items():
            seen.setdefault(name, []).append({"family": law.law.family, "numbers": law.law.params, "se": law.stderr})
    device_fit.draw_likelihood = original
    worst = 0.0
    for name, laws in seen.items():
        families = sorted({law["family"] for law in laws})
        for number in laws[0]["se"] if len(families) == 1 else ():
            values = [law["numbers"][number] for law in laws]
            error = np.median([law["se"][number] for law in laws])
            worst = max(worst, float(np.std(values, ddof=1) / error))
            print(f"{name} {families[0]} {number}: sd of draws / standard error {np.std(values, ddof=1) / error:.3f}")
        if len(families) > 1:
            print(f"{name}: families {', '.join(families)}")
            worst = float("inf")
    print(f"{n_devices} devices, {repeats} repeats: worst {worst:.3f} (bar {BAR})")
    return worst > BAR


if __name__ == "__main__":
    sys.exit(main())
