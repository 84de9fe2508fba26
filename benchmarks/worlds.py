"""Worlds that are not our model: does the estimator still tell the truth, or say that it cannot?

    python benchmarks/worlds.py [--devices 80] [--pulses 800] [--seeds 2] [--only white,two_traps]

Every world has a known drift and noise (or a drift shape) that the default fit does not assume. Only devices with
status `ok` count: their intervals are promised to be believable. `make bench-accuracy` prints the same rows.
"""

from __future__ import annotations

import argparse
import gzip
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import plain_lmfit
from numpy.typing import NDArray

from weakreset.fitting import fit_devices
from weakreset.model import SHAPES as OFFERED
from weakreset.model import DriftShape, pink_noise, telegraph_states
from weakreset.traces import TraceSet

Array = NDArray[np.float64]
ALPHA = 0.0072


@dataclass(frozen=True)
class World:
    """Traces ln(R/R0) in rows, pulses 1 .. n, with the numbers of their drift (empty where it has another shape)."""

    name: str
    log_ratio: Array
    truth: dict[str, Array]
    drift_holds: bool = True
    shape: str = "two-slope"


def drift_numbers(rng: np.random.Generator, n: int, pulses: int) -> dict[str, Array]:
    """Laws that nobody published: gamma slopes, Weibull knees, some beyond the trace."""
    return {
        "m1": rng.gamma(3.0, 3.2e-4, n),
        "t_star": np.maximum(25.0, 0.55 * pulses * rng.weibull(1.7, n)),
        "c1": rng.normal(0.0, 0.04, n),
        "m2": rng.gamma(1.5, 3e-5, n),
    }


def two_slopes(d: dict[str, Array], t: Array) -> Array:
    m1, k, c1, m2 = (d[name][:, None] for name in ("m1", "t_star", "c1", "m2"))
    return c1 + m1 * np.minimum(t, k) + m2 * np.maximum(t - k, 0.0)


def telegraph(rng: np.random.Generator, n: int, pulses: int, up: float, down: float, mean: float = 0.06) -> Array:
    amplitude = 0.5 * np.exp(-rng.gamma(3.0, 1.0, n)) * mean / 0.0625
    return amplitude[:, None] * telegraph_states(rng, n, pulses, up, down)


def published_noise(rng: np.random.Generator, n: int, pulses: int, alpha: float | Array = ALPHA) -> Array:
    size = np.broadcast_to(np.asarray(alpha, dtype=float), (n,))[:, None]
    return size * pink_noise(rng, n, pulses) + telegraph(rng, n, pulses, 8e-4, 2e-3)


Noise = Callable[[np.random.Generator, int, int, Array], Array]


def _control(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return published_noise(rng, n, pulses)


def _white(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return 0.01 * rng.standard_normal((n, pulses))


def _read(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return published_noise(rng, n, pulses, 0.002) + 0.012 * rng.standard_normal((n, pulses))


def _hetero(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return published_noise(rng, n, pulses) * (1.0 + 4.0 * np.maximum(drift - drift[:, :1], 0.0))


def _hetero_pink(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    size = 1.0 + 3.0 * np.maximum(drift - drift[:, :1], 0.0)
    return ALPHA * size * pink_noise(rng, n, pulses) + telegraph(rng, n, pulses, 8e-4, 2e-3)


def _hetero_time(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    size = np.linspace(0.6, 2.4, pulses)
    return ALPHA * size * pink_noise(rng, n, pulses) + telegraph(rng, n, pulses, 8e-4, 2e-3)


def _hetero_white(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return 0.006 * (1.0 + 4.0 * np.maximum(drift - drift[:, :1], 0.0)) * rng.standard_normal((n, pulses))


def _alpha_spread(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return published_noise(rng, n, pulses, ALPHA * np.exp(rng.normal(0.0, 0.5, n)))


def _exponent_spread(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    noise = np.vstack([pink_noise(rng, 1, pulses, beta) for beta in np.clip(rng.normal(1.0, 0.25, n), 0.2, 1.7)])
    return ALPHA * noise + telegraph(rng, n, pulses, 8e-4, 2e-3)


def _two_traps(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return published_noise(rng, n, pulses) + telegraph(rng, n, pulses, 4e-3, 6e-3)


def _fast_trap(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return published_noise(rng, n, pulses) + telegraph(rng, n, pulses, 3e-2, 5e-2, 0.05)


def _growing(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    steps = telegraph(rng, n, pulses, 8e-4, 2e-3)
    return ALPHA * pink_noise(rng, n, pulses) + steps * (1.0 + 2.0 * np.maximum(drift - drift[:, :1], 0.0))


def _outliers(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    hit = rng.random((n, pulses)) < 0.01
    return published_noise(rng, n, pulses) + hit * rng.normal(0.0, 0.15, (n, pulses))


def _common(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    wave = np.cumsum(rng.standard_normal(pulses)) * 6e-4
    return published_noise(rng, n, pulses) + wave


def _random_walk(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return published_noise(rng, n, pulses) + np.cumsum(rng.standard_normal((n, pulses)), axis=1) * 1.2e-3


def _student(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    return published_noise(rng, n, pulses, 0.004) + 0.006 * rng.standard_t(3, (n, pulses))


def _calming(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    size = np.linspace(2.4, 0.6, pulses)
    return ALPHA * size * pink_noise(rng, n, pulses) + telegraph(rng, n, pulses, 8e-4, 2e-3)


def _louder_half(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    """A contact that goes bad in the middle of the trace."""
    size = np.where(np.arange(pulses) < pulses // 2, 0.7, 2.1)
    return ALPHA * size * pink_noise(rng, n, pulses) + telegraph(rng, n, pulses, 8e-4, 2e-3)


def _baseline(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    """A slow wave of its own in every device."""
    t = np.arange(pulses) / pulses
    wave = 0.02 * np.sin(2.0 * np.pi * (t * rng.uniform(0.5, 2.0, (n, 1)) + rng.random((n, 1))))
    return published_noise(rng, n, pulses) + wave


def _quantised(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    """Readings in steps of a converter, three times the driving noise."""
    step = 3.0 * ALPHA
    return step * np.round((drift + published_noise(rng, n, pulses)) / step) - drift


def _uneven_reads(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    """Every other hundred reads is a mean of nine."""
    means = np.where(np.arange(pulses) // 100 % 2 == 0, 1.0, 1.0 / 3.0)
    return published_noise(rng, n, pulses, 0.004) + 0.015 * means * rng.standard_normal((n, pulses))


def _bursts(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    """Outliers that come five at a time."""
    hit = np.repeat(rng.random((n, pulses // 5 + 1)) < 0.005, 5, axis=1)[:, :pulses]
    return published_noise(rng, n, pulses) + hit * rng.normal(0.0, 0.15, (n, pulses))


def _slow_trap(rng: np.random.Generator, n: int, pulses: int, drift: Array) -> Array:
    """Dwell times as long as the trace."""
    return ALPHA * pink_noise(rng, n, pulses) + telegraph(rng, n, pulses, 1.0 / pulses, 1.0 / pulses)


NOISES: dict[str, Noise] = {
    "control": _control, "white": _white, "read_rules": _read, "hetero": _hetero,
    "hetero_pink": _hetero_pink, "hetero_time": _hetero_time, "hetero_white": _hetero_white,
    "alpha_spread": _alpha_spread,
    "exponent_spread": _exponent_spread, "two_traps": _two_traps, "fast_trap": _fast_trap, "growing_rtn": _growing,
    "outliers": _outliers, "common_mode": _common, "random_walk": _random_walk, "student": _student,
    "calming": _calming, "louder_half": _louder_half, "baseline": _baseline, "quantised": _quantised,
    "uneven_reads": _uneven_reads, "bursts": _bursts, "slow_trap": _slow_trap,
}


def _smooth_knee(d: dict[str, Array], t: Array) -> Array:
    """The slope falls over a decade of pulses around the knee."""
    m1, k, c1, m2 = (d[name][:, None] for name in ("m1", "t_star", "c1", "m2"))
    fine = 1.0 / (1.0 + (t / k) ** (np.log(81) / np.log(10)))  # 0.9 to 0.1 within a decade
    return c1 + np.cumsum(m2 + (m1 - m2) * fine, axis=1)


def _saturating(d: dict[str, Array], t: Array) -> Array:
    m1, k, c1 = (d[name][:, None] for name in ("m1", "t_star", "c1"))
    return c1 + m1 * k * -np.expm1(-t / k)


def _three_slopes(d: dict[str, Array], t: Array) -> Array:
    m1, k, c1, m2 = (d[name][:, None] for name in ("m1", "t_star", "c1", "m2"))
    middle = 0.35 * m1
    return c1 + m1 * np.minimum(t, 0.5 * k) + middle * np.clip(t - 0.5 * k, 0, 0.9 * k) + m2 * np.maximum(
        t - 1.4 * k, 0
    )


def _fast_start(d: dict[str, Array], t: Array) -> Array:
    return two_slopes(d, t) - 0.12 * np.exp(-t / 12.0)


def _convex(d: dict[str, Array], t: Array) -> Array:
    m1, c1 = (d[name][:, None] for name in ("m1", "c1"))
    return c1 + m1 * t * (0.3 + 0.9 * t / t.max())


def _falling(d: dict[str, Array], t: Array) -> Array:
    m1, k, c1, m2 = (d[name][:, None] for name in ("m1", "t_star", "c1", "m2"))
    return c1 - m1 * np.minimum(t, k) - m2 * np.maximum(t - k, 0.0)


def offered_numbers(name: str, rng: np.random.Generator, n: int, pulses: int) -> dict[str, Array]:
    """Numbers of a shape that `--drift` offers; half of the saturating sets have slopes, not rises, of their own."""
    numbers = drift_numbers(rng, n, pulses)
    shared = {"width": rng.uniform(0.25, 0.7), "ratio": rng.uniform(2.0, 4.0), "share": rng.uniform(0.2, 0.5)}
    own_slope = rng.random() < 0.5
    numbers |= {key: np.full(n, value) for key, value in shared.items()} | {
        "tau": numbers["t_star"], "rise": rng.gamma(4.0, 0.08, n),
        "a": 0.02 * rng.gamma(6.0, 1 / 6, n), "b": rng.normal(0.45, 0.08, n).clip(0.2, 1.0),
    }
    if own_slope:
        numbers["rise"] = numbers["m1"] * numbers["tau"]
    if name == "three-slope":
        numbers["t_star"] = 0.5 * numbers["t_star"]
    return {key: numbers[key] for key in OFFERED[name].parameters}


SHAPES: dict[str, Callable[[dict[str, Array], Array], Array]] = {
    "smooth_knee": _smooth_knee, "saturating": _saturating, "three_slopes": _three_slopes,
    "fast_start": _fast_start, "convex": _convex, "falling": _falling,
}


def real_noise(shared: Path, kind: str, n: int, pulses: int, rng: np.random.Generator) -> Array | None:
    """ln R of real cells at rest, each about its own mean, in pieces of `pulses` reads; None without the data."""
    if kind == "techA":
        path = shared / "measured/relaxation-master-model/data/techA/tsdata.min.tsv.gz"
        if not path.exists():
            return None
        with gzip.open(path, "rt") as stream:
            reads = [np.array(line.split("\t")[2:], dtype=float) for line in stream]
    else:
        path = shared / "measured/ni-rram-python/data/ret1.csv"
        if not path.exists():
            return None
        reads = [1.0 / np.loadtxt(path, delimiter=",", usecols=2)]
    pieces = []
    for series in reads:
        good = -np.log(series[series > 0])
        pieces += [good[i : i + pulses] for i in range(0, len(good) - pulses + 1, pulses)]
    chosen = rng.choice(len(pieces), min(n, len(pieces)), replace=False)
    return np.stack([pieces[i] - pieces[i].mean() for i in chosen])


def worlds(n: int, pulses: int, seed: int, shared: Path | None) -> list[Callable[[], World | None]]:
    made: list[tuple[str, Callable[[], World | None]]] = []
    t = np.arange(1, pulses + 1, dtype=float)[None, :]

    def noisy(name: str) -> World:
        rng = np.random.default_rng([seed, *name.encode()])
        truth = drift_numbers(rng, n, pulses)
        drift = two_slopes(truth, t)
        return World(name, drift + NOISES[name](rng, n, pulses, drift), truth)

    def shaped(name: str) -> World:
        rng = np.random.default_rng([seed, *name.encode()])
        truth = drift_numbers(rng, n, pulses)
        kept = truth if name == "falling" else {}
        if kept:
            kept = truth | {"m1": -truth["m1"], "m2": -truth["m2"]}
        return World(name, SHAPES[name](truth, t) + published_noise(rng, n, pulses), kept, drift_holds=False)

    def real(kind: str) -> World | None:
        rng = np.random.default_rng([seed, *kind.encode()])
        noise = None if shared is None else real_noise(shared, kind, n, pulses, rng)
        if noise is None:
            return None
        truth = drift_numbers(rng, len(noise), pulses)
        scale = max(1.0, float(np.std(noise)) / 0.02)
        truth |= {name: truth[name] * scale for name in ("m1", "m2")}
        return World(f"real {kind}", two_slopes(truth, t) + noise, truth)

    made += [(name, lambda name=name: noisy(name)) for name in NOISES]
    made += [(f"real {kind}", lambda kind=kind: real(kind)) for kind in ("techA", "ret1")]
    def offered(name: str, sign: int) -> World:
        rng = np.random.default_rng([seed, *name.encode()])
        shape = OFFERED[name]
        truth = offered_numbers(name, rng, n, pulses)
        truth |= {key: sign * truth[key] for key in shape.slopes}
        drift = shape.value(t, *(truth[key][:, None] for key in shape.parameters))
        called = f"falling {name}" if sign < 0 else name
        return World(called, drift + published_noise(rng, n, pulses), truth, True, name)

    made += [(name, lambda name=name: shaped(name)) for name in SHAPES]
    made += [(name, lambda name=name: offered(name, 1)) for name in OFFERED]
    made += [(f"falling {name}", lambda name=name: offered(name, -1)) for name in OFFERED]
    return made


def figures(world: World, drift: str = "two-slope") -> dict[str, float | str]:
    """Coverage over the devices that the fit calls ok."""
    n, pulses = world.log_ratio.shape
    ohm = 7000.0 * np.exp(np.hstack([np.zeros((n, 1)), world.log_ratio]))
    traces = TraceSet.from_arrays([f"d{i}" for i in range(n)], np.arange(pulses + 1), ohm)
    start = time.process_time()
    fits = fit_devices(traces, drift=drift, jobs=1)
    seconds = time.process_time() - start
    frame = fits.to_frame()
    found: dict[str, float | str] = {"drift": fits.drift.name}
    ok = (frame["status"] == "ok").to_numpy()
    found["ok %"] = 100.0 * float(ok.mean())
    if world.truth and fits.drift.name == world.shape and ok.any():
        found |= coverage(frame[ok], {name: value[ok] for name, value in world.truth.items()}, fits.drift)
    for name, shared in fits.shared.items():
        found[name] = f"{shared.value:.3f}+-{shared.stderr or 0.0:.3f}"
        if fits.drift.name == world.shape and name in world.truth:
            found[name] += f" (true {world.truth[name][0]:.3f})"
    found |= plain_figures(world)
    found["alpha"] = fits.noise.alpha
    found["beta"] = fits.noise.exponent
    found["ms"] = 1e3 * seconds / n
    found["misfit"] = "" if fits.drift_test is None or fits.drift_test.holds else fits.drift_test.reason
    found["statuses"] = " ".join(f"{k}:{v}" for k, v in frame["status"].value_counts().items())
    return found


def plain_figures(world: World) -> dict[str, float | str]:
    """The same of plain lmfit, which says of no device that it is not to be believed."""
    if not world.truth or world.shape != "two-slope" or not world.drift_holds:
        return {}
    plain = plain_lmfit(np.arange(1.0, world.log_ratio.shape[1] + 1), world.log_ratio)
    found: dict[str, float | str] = {}
    for name in ("t_star", "m1", "c1"):
        off = np.abs(plain[name] - world.truth[name])
        with np.errstate(invalid="ignore"):
            found[f"plain {name} cover"] = 100.0 * float(np.mean(off < 1.96 * plain[f"{name}_stderr"]))
    inside = world.truth["t_star"] < world.log_ratio.shape[1]
    wrong = np.abs(plain["t_star"] / world.truth["t_star"] - 1.0) > 0.25
    found["plain gross"] = 100.0 * float(np.mean(wrong[inside]))
    return found


def coverage(frame: Any, truth: dict[str, Array], shape: DriftShape) -> dict[str, float]:
    """Of the `ok` devices in the frame, in percent: the scanned number by its interval, the others by their errors."""
    found: dict[str, float] = {}
    for name in shape.parameters:
        if name in shape.shared or name == shape.nonnegative:
            continue
        value = frame[name].to_numpy(dtype=float)
        if f"{name}_lo" in frame:
            low, high = (frame[f"{name}_{end}"].to_numpy(dtype=float) for end in ("lo", "hi"))
            word = "t*" if shape.knee else name
            found[f"{word} cover"] = 100.0 * float(np.mean((low <= truth[name]) & (truth[name] <= high)))
            found["gross"] = 100.0 * float(np.mean(np.abs(value / truth[name] - 1.0) > 0.25))
            continue
        error = frame[f"{name}_stderr"].to_numpy(dtype=float)
        found[f"{name} cover"] = 100.0 * float(np.mean(np.abs(value - truth[name]) < 1.96 * error))
        found[f"{name} z"] = float(np.sqrt(np.mean(((value - truth[name]) / error) ** 2)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--devices", type=int, default=80)
    parser.add_argument("--pulses", type=int, default=800)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--drift", default="two-slope")
    parser.add_argument("--only", default="")
    parser.add_argument("--shared", default=os.environ.get("WEAKRESET_SHARED", "../shared/data"))
    arguments = parser.parse_args()
    shared = Path(arguments.shared)
    known = shared if shared.exists() else None
    wanted = set(filter(None, arguments.only.split(",")))
    for name in (*NOISES, "real techA", "real ret1", *SHAPES, *OFFERED, *(f"falling {name}" for name in OFFERED)):
        if wanted and name not in wanted:
            continue
        for seed in range(arguments.seed, arguments.seed + arguments.seeds):
            made = dict(worlds(arguments.devices, arguments.pulses, seed, known))[name]()
            if made is None:
                continue
            row = figures(made, arguments.drift)
            print(f"{name:16s}", "  ".join(
                f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()
            ), flush=True)


if __name__ == "__main__":
    main()
