"""Accuracy of the estimator beside plain lmfit, on simulated devices whose truth is known.

    make bench-accuracy            (about 15 minutes; --quick for a tenth of the devices)

Prints one table a study and writes bench-out/accuracy.json. Every number is computed here. The bars are
those the project set itself before the estimator was written; seeds were not used while tuning it.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lmfit
import numpy as np
from scipy import stats

from weakreset.fitting import FitSet, fit_devices
from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.model import SimulatedTraces, two_slope
from weakreset.parameter_file import ParameterFile, majumdar2021
from weakreset.population import fit_population
from weakreset.traces import TraceSet
from weakreset.twin import simulate_population


def noisier_technology() -> ParameterFile:
    """Made-up laws and noise levels that differ from the published ones in every respect, and are harder."""
    raw = majumdar2021().model_dump(by_alias=True)
    raw["name"] = "noisier"
    raw["parameters"]["m1"] |= {"family": "gamma", "params": {"shape": 2.0, "scale": 6e-4}, "truncation": (0.0, None)}
    raw["parameters"]["t_star"] |= {
        "family": "weibull", "params": {"shape": 1.6, "scale": 420.0}, "truncation": (30.0, None),
    }
    raw["parameters"]["c1"] |= {"params": {"mean": -0.02, "sd": 0.03}, "truncation": (None, None)}
    raw["parameters"]["m2"] |= {"params": {"loc": 0.0, "scale": 8e-5}, "truncation": (0.0, None)}
    raw["noise"]["pink"] |= {"alpha": 0.011, "exponent": 1.2}
    raw["noise"]["rtn"] |= {"p_up": 0.002, "p_down": 0.004}
    return ParameterFile.model_validate(raw)


def quieter_technology() -> ParameterFile:
    """Made-up laws and noise levels that differ from the published ones in every respect, and are easier."""
    raw = majumdar2021().model_dump(by_alias=True)
    raw["name"] = "quieter"
    raw["parameters"]["m1"] |= {
        "family": "lognorm", "params": {"s": 0.6, "scale": 8e-4}, "truncation": (0.0, None),
    }
    raw["parameters"]["t_star"] |= {
        "family": "gamma", "params": {"shape": 2.5, "scale": 260.0}, "truncation": (25.0, None),
    }
    raw["parameters"]["c1"] |= {"params": {"mean": 0.01, "sd": 0.02}, "truncation": (None, None)}
    raw["parameters"]["m2"] |= {"params": {"loc": 0.0, "scale": 6e-5}, "truncation": (0.0, None)}
    raw["noise"]["pink"] |= {"alpha": 0.005, "exponent": 0.9}
    raw["noise"]["rtn"] |= {"p_up": 0.0005, "p_down": 0.001}
    return ParameterFile.model_validate(raw)


@dataclass(frozen=True)
class Study:
    """One simulated wafer and its fits."""

    truth: SimulatedTraces
    fits: FitSet
    params: ParameterFile
    seconds: float


def run(params: ParameterFile, n_devices: int, n_pulses: int, seed: int, without: tuple[str, ...] = ()) -> Study:
    truth = simulate_population(params, n_devices, n_pulses, seed, without)
    names = [f"d{i}" for i in range(n_devices)]
    traces = TraceSet.from_arrays(names, truth.pulses, truth.resistance_ohm())
    start = time.perf_counter()
    fits = fit_devices(traces)
    return Study(truth, fits, params, time.perf_counter() - start)


def plain_lmfit(t: np.ndarray, log_ratio: np.ndarray) -> dict[str, np.ndarray]:
    """What one would write first: least squares on ln(R/R0), white errors, bounds, one start."""
    model = lmfit.Model(two_slope, independent_vars=["t"])
    names = ("m1", "t_star", "c1", "m2", "m1_stderr", "t_star_stderr", "c1_stderr")
    columns: dict[str, list[float]] = {name: [] for name in names}
    for y in log_ratio:
        slope = max((y[-1] - y[0]) / len(t), 1e-6)
        start = model.make_params(
            m1={"value": slope, "min": 0}, t_star={"value": len(t) / 2, "min": 1, "max": len(t)}, c1=y[0],
            m2={"value": slope / 10, "min": 0},
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = model.fit(y, start, t=t)
        for name in ("m1", "t_star", "c1", "m2"):
            columns[name].append(result.params[name].value)
            if f"{name}_stderr" in columns:
                error = result.params[name].stderr
                columns[f"{name}_stderr"].append(np.nan if error is None else error)
    return {name: np.array(values) for name, values in columns.items()}


def cramer_rao(study: Study) -> dict[str, np.ndarray]:
    """Bound on each number's standard error: noise and telegraph path known, knee unknown."""
    noise, drift = study.params.device_noise(), study.truth.devices.drift
    t = study.truth.pulses[1:]
    ratio = (noise.read_sd / noise.alpha) ** 2
    whitener = Whitener(t, NoiseColour(noise.exponent, ratio))
    bounds = {name: np.full(len(drift["m1"]), np.nan) for name in ("m1", "t_star", "c1", "m2")}
    for i in range(len(drift["m1"])):
        numbers = [drift[name][i] for name in ("m1", "t_star", "c1", "m2")]
        if numbers[1] > t[-1] - 6:
            continue
        jacobian = whitener.columns(study.fits.drift.jacobian(t, *numbers)) / noise.alpha
        errors = np.sqrt(np.diag(np.linalg.pinv(jacobian.T @ jacobian)))
        for name, error in zip(("m1", "t_star", "c1", "m2"), errors, strict=True):
            bounds[name][i] = error
    return bounds


def knee_figures(t_star: np.ndarray, low: np.ndarray, high: np.ndarray, true: np.ndarray) -> dict[str, float]:
    error = np.abs(t_star - true) / true
    return {
        "t_star median relative error %": 100 * float(np.median(error)),
        "t_star off by > 25 %": 100 * float(np.mean(error > 0.25)),
        "t_star 95 % coverage %": 100 * float(np.mean((low <= true) & (true <= high))),
        "t_star median error its intervals promise %": 100 * promised_median(t_star, high - low),
    }


def promised_median(t_star: np.ndarray, width: np.ndarray) -> float:
    """Median of |error|/t_star if every error were normal and every 95 % interval right."""
    sd = width / 3.92 / t_star
    even = stats.norm.ppf(0.5 + (np.arange(100) + 0.5) / 200)
    return float(np.median(sd[:, None] * even))


def slope_figures(name: str, value: Any, stderr: Any, true: Any, bound: Any) -> dict[str, float]:
    ratio = (value - true) / bound
    return {
        f"{name} error / bound (rms)": float(np.sqrt(np.nanmean(ratio**2))),
        f"{name} 95 % coverage %": 100 * float(np.mean(np.abs(value - true) < 1.96 * stderr)),
    }


def device_figures(study: Study, plain: dict[str, np.ndarray] | None) -> dict[str, dict[str, float]]:
    frame, drift = study.fits.to_frame(), study.truth.devices.drift
    n = int(study.truth.pulses[-1])
    ok = (frame["status"] == "ok").to_numpy()
    bound = cramer_rao(study)
    ours: dict[str, float] = {"resolved %": 100 * float(ok.mean())}
    pick = {name: frame[name].to_numpy(dtype=float)[ok] for name in frame.columns if frame[name].dtype.kind in "fi"}
    ours |= knee_figures(pick["t_star"], pick["t_star_lo"], pick["t_star_hi"], drift["t_star"][ok])
    late = drift["t_star"] > n
    if late.any():
        ours["false knees beyond the trace %"] = 100 * float(ok[late].mean())
    for name in ("m1", "c1", "m2"):
        ours |= slope_figures(name, pick[name], pick[f"{name}_stderr"], drift[name][ok], bound[name][ok])
    ours["alpha error %"] = 100 * (study.fits.noise.alpha / study.params.noise.pink.alpha - 1)
    ours["beta error"] = study.fits.noise.exponent - study.params.noise.pink.exponent
    ours |= telegraph_figures(study)
    ours["ms a device"] = 1e3 * study.seconds / len(ok)
    if plain is None:
        return {"weakreset": ours}
    half = 1.96 * plain["t_star_stderr"][ok]
    theirs = knee_figures(plain["t_star"][ok], plain["t_star"][ok] - half, plain["t_star"][ok] + half,
                          drift["t_star"][ok])
    theirs |= slope_figures("m1", plain["m1"][ok], plain["m1_stderr"][ok], drift["m1"][ok], bound["m1"][ok])
    return {"weakreset": ours, "plain lmfit": theirs}


def telegraph_figures(study: Study) -> dict[str, float]:
    """Steps above 5 sigma found within 3 pulses; steps where there is none within 20 pulses."""
    noise = study.params.device_noise()
    if not np.any(study.truth.devices.rtn_amplitude > 0):
        return {}
    hits = total = false = 0
    last = int(study.truth.pulses[-1])
    for fit, high, amplitude in zip(study.fits, study.truth.high, study.truth.devices.rtn_amplitude, strict=True):
        true = np.flatnonzero(np.diff(high[1:].astype(int))) + 2
        false += sum(not np.any(np.abs(true - step) <= 20) for step in fit.rtn.steps)
        if amplitude > 5 * noise.alpha:
            alone = [t for t in true if np.sum(np.abs(true - t) <= 12) == 1 and 6 < t < last - 6]
            hits += sum(any(abs(t - step) <= 3 for step in fit.rtn.steps) for t in alone)
            total += len(alone)
    pooled = study.fits.noise
    figures = {"RTN steps found %": 100 * hits / max(total, 1), "false RTN steps a device": false / len(study.fits)}
    for name, value, true_value in (("p_up", pooled.p_up, noise.p_up), ("p_down", pooled.p_down, noise.p_down)):
        if value is not None:
            figures[f"{name} error %"] = 100 * (value / true_value - 1)
    return figures


def population_figures(params: ParameterFile, n_devices: int, n_pulses: int, seeds: Sequence[int]) -> dict[str, Any]:
    """Relative rmse of the laws' numbers over seeds, families as published."""
    families = {name: law.family for name, law in params.parameters.items()}
    rows = []
    for seed in seeds:
        laws = fit_population(run(params, n_devices, n_pulses, seed).fits, families=families).laws
        rows.append({name: law.law for name, law in laws.items()})
    figures = {}
    for name, number in (("m1", "scale"), ("t_star", "s"), ("t_star", "scale"), ("m2", "scale"), ("c1", "sd")):
        if number not in params.parameters[name].params.model_dump():
            continue
        true = params.parameters[name].law().params[number]
        relative = np.array([row[name].params[number] for row in rows]) / true - 1
        figures[f"{name} {number} rmse %"] = 100 * float(np.sqrt(np.mean(relative**2)))
        figures[f"{name} {number} bias %"] = 100 * float(np.mean(relative))
    return figures


BARS = {
    "t_star median relative error %": "<= 1.6 (N=1000), 1.3 (N=2000)", "t_star off by > 25 %": "<= 1",
    "t_star 95 % coverage %": "92..98", "resolved %": ">= 42 (N=1000), 60 (N=2000), published laws",
    "m1 error / bound (rms)": "<= 1.35", "m1 95 % coverage %": ">= 89", "false knees beyond the trace %": "<= 3",
    "RTN steps found %": ">= 97", "false RTN steps a device": "<= 0.01", "alpha error %": "within 1",
    "beta error": "within 0.03", "p_up error %": "within 20 (300 devices, N=2000)",
    "p_down error %": "within 20 (300 devices, N=2000)", "m1 scale rmse %": "<= 9", "t_star s rmse %": "<= 11",
    "t_star scale rmse %": "<= 10", "m2 scale rmse %": "<= 18", "c1 sd rmse %": "<= 8 (400 devices)",
}


def show(title: str, table: dict[str, dict[str, float]]) -> None:
    columns = list(table)
    print(f"\n## {title} (simulated data)\n| figure | {' | '.join(columns)} | bar |")
    print(f"|---|{'---|' * (len(columns) + 1)}")
    for figure in table[columns[0]]:
        cells = [f"{table[c][figure]:.4g}" if figure in table[c] else "" for c in columns]
        print(f"| {figure} | {' | '.join(cells)} | {BARS.get(figure, '')} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the devices")
    parser.add_argument("--seed", type=int, default=31001, help="first seed")
    arguments = parser.parse_args()
    part = 10 if arguments.quick else 1
    seed, results = arguments.seed, {}
    published, noisier, quieter = majumdar2021(), noisier_technology(), quieter_technology()
    studies = [
        ("published laws, N=1000", published, 300, 1000, ()), ("published laws, N=2000", published, 300, 2000, ()),
        ("published laws without RTN, N=1000", published, 300, 1000, ("rtn",)),
        ("noisier laws, N=1000", noisier, 300, 1000, ()), ("noisier laws, N=2000", noisier, 300, 2000, ()),
        ("quieter laws, N=1000", quieter, 300, 1000, ()), ("quieter laws, N=2000", quieter, 300, 2000, ()),
    ]
    for i, (title, params, n_devices, n_pulses, without) in enumerate(studies):
        study = run(params, n_devices // part, n_pulses, seed + i, without)
        times = study.truth.pulses[1:].astype(float)
        plain = plain_lmfit(times, study.truth.log_ratio[:, 1:]) if n_pulses == 1000 else None
        results[title] = device_figures(study, plain)
        show(f"{title}, {n_devices // part} devices, seed {seed + i}", results[title])
    n_seeds = max(2, 10 // part)
    for n_devices, title in ((200, "D2D laws, 200 devices"), (400, "D2D laws, 400 devices")):
        seeds = range(seed + 100, seed + 100 + (n_seeds if n_devices == 200 else max(2, n_seeds // 2)))
        results[title] = {"weakreset": population_figures(published, n_devices // part, 1000, seeds)}
        show(f"{title} x {len(seeds)} seeds", results[title])
    out = Path("bench-out")
    out.mkdir(exist_ok=True)
    (out / "accuracy.json").write_text(json.dumps(results, indent=1))
    print(f"\nwritten to {out / 'accuracy.json'}")


if __name__ == "__main__":
    main()
