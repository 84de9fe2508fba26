"""Validation: how often a true model fails, and how often a wrong one is caught. All data is simulated.

    make bench-validation          (about half an hour on one core; --quick for a fifth of the data sets)

Every data set has 200 devices read at 1,000 pulses. A true model may fail in 5 % of data sets. Prints a table with
exact (Clopper-Pearson) 95 % intervals and writes bench-out/validation_power.json. Measured traces come from the filter
(`pink_noise`), the replicas inside `validate` from the covariance (`embedded_pink_noise`).

A line below the table says how many standard errors of evidence the curves of one data set hold against t_star x1.3: no
correction for the number of checks lets a test of that size catch it every time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from worlds import worlds

from weakreset.fitting import fit_devices
from weakreset.model import autocovariance
from weakreset.parameter_file import ParameterFile, majumdar2021
from weakreset.population import export_parameters, fit_population
from weakreset.traces import TraceSet
from weakreset.twin import simulate_traces
from weakreset.validation import Verdict, laws, validate
from weakreset.validation.plan import make_plan, stratify
from weakreset.validation.regression import learn, score_targets

Judge = Callable[[int], Verdict]
HARDEST = "t_star scale x1.3"


@dataclass(frozen=True)
class Setting:
    n_devices: int
    n_pulses: int


_SHAPES = ("saturating", "three_slopes")
OTHER_SHAPES = Setting(100, 800)


def changed(change: Callable[[dict[str, Any]], None]) -> ParameterFile:
    raw = majumdar2021().model_dump(by_alias=True)
    change(raw)
    return ParameterFile.model_validate(raw)


def white_noise(raw: dict[str, Any]) -> None:
    """White noise with the pulse-to-pulse steps of the 1/f noise, so that only the colour is wrong."""
    level, next_level = autocovariance(raw["noise"]["pink"]["exponent"], 2)
    raw["noise"]["pink"] |= {"exponent": 0.0, "alpha": raw["noise"]["pink"]["alpha"] * np.sqrt(level - next_level)}


def no_telegraph_noise(raw: dict[str, Any]) -> None:
    raw["noise"]["rtn"]["enabled"] = False


def later_knees(raw: dict[str, Any]) -> None:
    raw["parameters"]["t_star"]["params"]["scale"] *= 1.3


def all_alike(raw: dict[str, Any]) -> None:
    """Every device at the medians of the laws."""
    params = ParameterFile.model_validate(raw)
    for name, entry in params.parameters.items():
        raw["parameters"][name] |= {
            "family": "constant", "params": {"value": entry.law().median()}, "truncation": (None, None), "stderr": None,
        }


def correlated(raw: dict[str, Any]) -> None:
    raw["correlation"] = {"names": ["m1", "t_star"], "copula": "gaussian", "matrix": [[1.0, 0.6], [0.6, 1.0]]}


def noise_of_each(raw: dict[str, Any]) -> None:
    """An alpha of each device's own, by a lognormal law."""
    pink = raw["noise"]["pink"]
    exponent = {"family": "constant", "params": {"value": pink["exponent"]}}
    alpha = {"family": "lognorm", "params": {"s": 0.5, "scale": pink["alpha"]}}
    raw["noise"] |= {"pink": pink | {"enabled": False}, "own_pink": {"alpha": alpha, "exponent": exponent}}


def one_noise(raw: dict[str, Any]) -> None:
    """The pooled alpha that a fit found, in the place of the law."""
    raw["noise"]["own_pink"] = None
    raw["noise"]["pink"]["enabled"] = True


def exact(truth: ParameterFile, model: ParameterFile, setting: Setting) -> Judge:
    """The model's numbers are given, not fitted."""

    def judge(seed: int) -> Verdict:
        return validate(model, simulate_traces(truth, setting.n_devices, setting.n_pulses, seed), seed=seed)

    return judge


def fitted(
    unseen: bool, setting: Setting, truth: ParameterFile | None = None, change: Callable[[Any], None] | None = None
) -> Judge:
    """The model is fitted: to the traces it is judged by, or to as many other devices; and may then be changed."""
    truth = truth or majumdar2021()

    def judge(seed: int) -> Verdict:
        traces = simulate_traces(truth, setting.n_devices, setting.n_pulses, seed)
        params = export_parameters(fit_population(fit_devices(traces)), name="fitted")
        if change is not None:
            raw = params.model_dump(by_alias=True)
            change(raw)
            params = ParameterFile.model_validate(raw)
        if unseen:
            traces = simulate_traces(truth, setting.n_devices, setting.n_pulses, seed + 500_000)
        return validate(params, traces, seed=seed, unseen=unseen)

    return judge


def other_shape(shape: str) -> Judge:
    """Traces of another shape, 100 devices x 800 pulses, judged by a two-slope file that was fitted to them."""
    n, pulses = OTHER_SHAPES.n_devices, OTHER_SHAPES.n_pulses

    def judge(seed: int) -> Verdict:
        world = dict(worlds(n, pulses, seed, None))[shape]()
        ohm = 7000.0 * np.exp(np.hstack([np.zeros((n, 1)), world.log_ratio]))
        traces = TraceSet.from_arrays([f"d{i}" for i in range(n)], np.arange(pulses + 1), ohm)
        params = export_parameters(fit_population(fit_devices(traces, drift="two-slope", jobs=1)), name="two slopes")
        return validate(params, traces, seed=seed)

    return judge


def studies(setting: Setting) -> dict[str, tuple[Judge, bool]]:
    """By name: how a data set is judged, and whether its model is true."""
    published = majumdar2021()
    wrong = {
        "1/f replaced by white noise": exact(published, changed(white_noise), setting),
        "RTN off": exact(published, changed(no_telegraph_noise), setting),
        HARDEST: exact(published, changed(later_knees), setting),
        "D2D off": exact(published, changed(all_alike), setting),
        "m1 and t_star correlated 0.6, modelled independent": exact(changed(correlated), published, setting),
    }
    each = changed(noise_of_each)
    wrong["alpha of each device, fitted as one"] = fitted(False, setting, each, one_noise)
    wrong |= {f"two slopes fitted to {shape}, 100 x 800": other_shape(shape) for shape in _SHAPES}
    true = {
        "true, exact numbers": exact(published, published, setting),
        "true, fitted to the same devices": fitted(False, setting),
        "true, fitted to other devices (unseen)": fitted(True, setting),
        "true, alpha of each device, fitted": fitted(False, setting, each),
    }
    return {name: (judge, True) for name, judge in true.items()} | {n: (judge, False) for n, judge in wrong.items()}


def evidence(model: ParameterFile, setting: Setting, seed: int) -> float:
    """Mean shift of what the curves say of t_star when `model` is simulated, not the truth, in standard errors."""
    plan = make_plan(stratify(simulate_traces(model, 2, setting.n_pulses, seed)))
    pulses = np.arange(setting.n_pulses + 1)
    learned, from_model, from_truth = (
        laws._simulated(params, pulses, plan, np.random.default_rng(seed + i))
        for i, params in enumerate((model, model, majumdar2021()))
    )
    targets, meanings = score_targets(learned[1])
    regression = learn(plan.block_centres, learned[0], targets, np.random.default_rng(seed))
    column = meanings.index(("t_star",))
    ours, theirs = (regression(blocks)[:, column] for blocks, _ in (from_model, from_truth))
    return float((ours.mean() - theirs.mean()) / ours.std() * np.sqrt(setting.n_devices))


def measure(judge: Judge, n_sets: int, seed: int) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    n_failed = 0
    started = time.perf_counter()
    for i in range(n_sets):
        verdict = judge(seed + i)
        n_failed += not verdict.passed
        reasons.update(check.name for check in verdict.failed)
    interval = stats.binomtest(n_failed, n_sets).proportion_ci(0.95)
    return {
        "data_sets": n_sets, "failed": n_failed, "low": interval.low, "high": interval.high,
        "seconds_each": (time.perf_counter() - started) / n_sets, "checks": dict(reasons.most_common()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the data sets")
    parser.add_argument("--only", default="", help="studies whose name holds this")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--pulses", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=52_000, help="first seed")
    parser.add_argument("--sets", type=int, default=0, help="data sets a study")
    arguments = parser.parse_args()
    part, results = 5 if arguments.quick else 1, {}
    setting = Setting(arguments.devices, arguments.pulses)
    print(f"{setting.n_devices} simulated devices a data set, {setting.n_pulses} pulses; 95 % intervals in brackets")
    print("| model | failed | share of data sets | bar | which checks |\n|---|---|---|---|---|", flush=True)
    for name, (judge, true) in studies(setting).items():
        if arguments.only not in name:
            continue
        n_sets = arguments.sets or (40 if "fitted" in name else 200 if true else 50) // part
        results[name] = found = measure(judge, n_sets, arguments.seed)
        share = f"{100 * found['failed'] / n_sets:.1f} % [{100 * found['low']:.1f}, {100 * found['high']:.1f}]"
        checks = ", ".join(f"{check} {count}" for check, count in list(found["checks"].items())[:4])
        bar = "<= 5 %" if true else ">= 90 %"
        print(f"| {name} | {found['failed']} of {n_sets} | {share} | {bar} | {checks} |", flush=True)
    if HARDEST in results:
        results[HARDEST]["evidence"] = z = evidence(changed(later_knees), setting, arguments.seed)
        print(f"\nEvidence against {HARDEST} in the curves of {setting.n_devices} devices: {z:.1f} standard errors")
    out = Path("bench-out")
    out.mkdir(exist_ok=True)
    (out / "validation_power.json").write_text(json.dumps(results, indent=1))
    print(f"\nwritten to {out / 'validation_power.json'}")


if __name__ == "__main__":
    main()
