"""What needs many repetitions: intervals and goodness of fit, added to laws that are already fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from weakreset.population.bootstrap import bootstrap_laws, bootstrap_values
from weakreset.population.choose_families import Laws
from weakreset.population.goodness import goodness_of_law, goodness_of_values, is_testable
from weakreset.population.hierarchy import Hierarchy
from weakreset.population.result import LawFit
from weakreset.progress import Progress, to_no_one

__all__ = ["with_replicas"]


def with_replicas(
    fitted: Mapping[str, LawFit], likelihood: Hierarchy, state: Laws, bootstrap: int, goodness: int,
    seed: int | np.random.Generator, progress: Progress | None,
) -> dict[str, LawFit]:
    """The laws with `interval` (bootstrap > 0) and `goodness_of_fit` (goodness > 0)."""
    device_rng, value_rng, *test_rngs = np.random.default_rng(seed).spawn(2 + len(fitted))
    report = to_no_one if progress is None else progress
    result = dict(fitted)
    r0 = fitted["r0_ohm"]
    if bootstrap:
        intervals = bootstrap_laws(likelihood, state, state.laws, bootstrap, device_rng, report)
        intervals["r0_ohm"] = bootstrap_values(r0.values, r0.law, bootstrap, value_rng)
        result = {name: replace(law, interval=intervals.get(name, {})) for name, law in result.items()}
    if goodness:
        for done, (name, rng) in enumerate(zip(fitted, test_rngs, strict=True)):
            if name == "r0_ohm":
                tests = goodness_of_values(r0.values, r0.law, goodness, rng)
            elif name in state.free and is_testable(likelihood.shape, name):
                tests = goodness_of_law(likelihood, name, state.free[name], state.laws, goodness, rng)
            else:
                continue
            result[name] = replace(result[name], goodness_of_fit=tests)
            report(done + 1, len(fitted), "goodness of fit")
    return result
