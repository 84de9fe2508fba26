"""Which drift a set has and which way it runs; the truth is drawn here, from laws nobody published."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weakreset.errors import FitError, ParameterFileError
from weakreset.fitting import FitStatus, choose_drift, fit_devices
from weakreset.fitting.bases import basis_of
from weakreset.model import SHAPES, pink_noise, telegraph_states
from weakreset.parameter_file import ParameterFile, load_parameters
from weakreset.population import export_parameters, fit_population
from weakreset.traces import SourceFile, TraceSet
from weakreset.traces.direction import Votes
from weakreset.twin import simulate_traces

N_PULSES = 500
T = np.arange(1.0, N_PULSES + 1.0)
SHARED = {"width": 0.5, "ratio": 2.8, "share": 0.35}


def truth(name: str, n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Numbers of n devices: gamma slopes, Weibull knees."""
    knee = np.maximum(30.0, 250.0 * rng.weibull(2.0, n))
    laws = {
        "m1": rng.gamma(4.0, 3e-4, n), "t_star": knee, "c1": rng.normal(0.0, 0.04, n), "m2": rng.gamma(1.5, 3e-5, n),
        "a": 0.02 * rng.gamma(8.0, 0.125, n), "b": np.clip(rng.normal(0.45, 0.06, n), 0.2, 0.9),
        "rise": 0.3 * rng.gamma(6.0, 1 / 6, n), "tau": knee,
    } | {key: np.full(n, value) for key, value in SHARED.items()}
    if name == "three-slope":
        laws["t_star"] = 0.5 * knee
    return {key: laws[key] for key in SHAPES[name].parameters}


def drifts(name: str, numbers: dict[str, np.ndarray]) -> np.ndarray:
    return SHAPES[name].value(T[None, :], *(numbers[key][:, None] for key in SHAPES[name].parameters))


def noisy(drift: np.ndarray, rng: np.random.Generator, alpha: float = 0.0072) -> TraceSet:
    """1/f noise and telegraph steps in one device of four."""
    n = len(drift)
    steps = telegraph_states(rng, n, N_PULSES, 8e-4, 2e-3) * 0.06 * (rng.random(n) < 0.25)[:, None]
    log_ratio = drift + alpha * pink_noise(rng, n, N_PULSES) + steps
    ohm = 8000.0 * np.exp(np.hstack([np.zeros((n, 1)), log_ratio]))
    source = SourceFile("synthetic", "0" * 64, "simulation", "tests", True)
    return TraceSet.from_arrays([f"d{i:03d}" for i in range(n)], np.arange(N_PULSES + 1), ohm, (source,))


def covered(fits, numbers, name: str) -> tuple[int, int]:
    """How many `ok` devices have the truth in their interval, of how many."""
    inside = [
        found.low <= numbers[name][i] <= found.high
        for i, fit in enumerate(fits)
        if fit.status is FitStatus.OK and (found := fit.estimates[name]).low is not None and found.high is not None
    ]
    return sum(inside), len(inside)


def fewest(n: int, chance: float = 0.88) -> int:
    """What a binomial law of this chance stays above but once in 1,000."""
    from scipy import stats

    return int(stats.binom.ppf(1e-3, n, chance))


@pytest.mark.parametrize("name", ["smooth-knee", "three-slope"])
def test_numbers_of_a_round_knee_and_of_three_slopes_are_recovered(name, monkeypatch):
    """40 devices, seed 3: shared numbers within 4 standard errors (< 20 %); intervals cover as 88 % would (p 1e-3).

    A knee as round as this one is told within 45 % by a quiet device only.
    """
    alpha = 0.0025 if name == "smooth-knee" else 0.0072
    rng = np.random.default_rng(3)
    numbers = truth(name, 40, rng)
    fits = fit_devices(noisy(drifts(name, numbers), rng, alpha), drift=name, jobs=1)
    for key, found in fits.shared.items():
        assert abs(found.value - SHARED[key]) < 4.0 * found.stderr
        assert found.stderr < 0.2 * SHARED[key]
    for key in ("m1", "t_star"):
        hit, n = covered(fits, numbers, key)
        assert n >= 8
        assert hit >= fewest(n), (key, hit, n)
    monkeypatch.setattr(choose_drift, "fittable", lambda: ["two-slope", name])  # for time
    sharp = fit_devices(noisy(drifts(name, numbers), np.random.default_rng(3), alpha), jobs=1)
    assert sharp.counts()["ok"] < fits.counts()["ok"]  # the two slopes do not describe them


@pytest.mark.parametrize("name", ["power-law", "three-slope"])
def test_auto_takes_the_true_shape(name):
    """40 devices x 500 pulses, seed 21. Two slopes and the saturating drift: in test_fit_devices."""
    rng = np.random.default_rng(21)
    fits = fit_devices(noisy(drifts(name, truth(name, 40, rng)), rng), drift="auto", jobs=1)
    assert fits.drift.name == name, fits.notes[0]
    assert fits.notes[0].startswith(f"drift chosen by BIC under one noise over 40 devices: {name}; the others: ")


def test_a_shape_that_does_not_describe_the_set_says_which_one_does(monkeypatch):
    """36 saturating devices, seed 8; of two shapes only, for time."""
    monkeypatch.setattr(choose_drift, "fittable", lambda: ["two-slope", "saturating-exponential"])
    rng = np.random.default_rng(8)
    traces = noisy(drifts("saturating-exponential", truth("saturating-exponential", 36, rng)), rng)
    fits = fit_devices(traces, jobs=1)
    assert fits.counts()["ok"] == 0
    assert "does not describe these devices" in fits.caveat
    assert fits.caveat.endswith("`--drift auto` takes saturating-exponential, which describes them.")
    right = fit_devices(traces, drift="saturating-exponential", jobs=1)
    assert right.caveat == ""


def test_round_knees_beyond_the_trace_are_candidates_as_far_as_they_bend_it():
    pulses = np.arange(1, N_PULSES + 1)
    for width in (0.08, 0.3, 0.5, 2.0):
        grid = basis_of(SHAPES["smooth-knee"], "reset", (("width", width),)).grid(pulses)
        short = N_PULSES - SHAPES["smooth-knee"].value(N_PULSES, 1.0, grid[-1], 0.0, 0.0, width)
        assert grid[-1] > N_PULSES
        assert short > 0.01 * N_PULSES


def falling(name: str, seed: int, n: int = 40) -> tuple[TraceSet, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    shape = SHAPES[name]
    numbers = {key: shape.sign(key, "set") * value for key, value in truth(name, n, rng).items()}
    return noisy(drifts(name, numbers), rng), numbers


@pytest.mark.parametrize("name", ["two-slope", "saturating-exponential"])
def test_falling_traces_are_recognised_and_their_slopes_are_negative(name):
    traces, numbers = falling(name, 5)
    fits = fit_devices(traces, drift=name, jobs=1)
    assert fits.direction == "set"
    assert fits.notes[0].startswith("direction set: R falls with pulses, as ")
    for key in SHAPES[name].parameters:
        hit, n = covered(fits, numbers, key)
        assert hit >= fewest(n), (key, hit, n)
    for fit in fits.usable:
        assert all(fit.numbers[key] < 0 for key in (SHAPES[name].slopes[0],))


def test_a_falling_set_goes_through_file_and_twin_and_is_fitted_again(tmp_path):
    """Medians of m1 and t_star of the second fit within 25 %: over 4 standard errors of 40 devices (seeds 5, 6)."""
    traces, _ = falling("two-slope", 5)
    file = export_parameters(fit_population(fit_devices(traces, jobs=1)), "gradual SET")
    file.save(tmp_path / "set.json")
    read = load_parameters(tmp_path / "set.json")
    assert read.direction == "set"
    assert read.parameters["m1"].law().median() > 0
    again = simulate_traces(read, 40, N_PULSES, seed=6)
    assert sum(bool(trace.resistance_ohm[-1] < trace.resistance_ohm[0]) for trace in again) >= 36
    second = export_parameters(fit_population(fit_devices(again, jobs=1)), "again")
    assert second.direction == "set"
    for key in ("m1", "t_star"):
        law, found = read.parameters[key].law(), second.parameters[key].law()
        assert found.median() == pytest.approx(law.median(), rel=0.25)


def test_rising_files_say_nothing_of_a_direction_and_unknown_ones_are_refused():
    file = load_parameters("majumdar2021")
    assert '"direction"' not in file.to_json()
    with pytest.raises(ValueError, match="direction"):
        ParameterFile.model_validate(file.model_dump(by_alias=True, exclude_none=True) | {"direction": "down"})
    assert issubclass(ParameterFileError, Exception)


def test_a_set_that_runs_both_ways_is_refused_by_name_and_one_stray_device_is_named():
    down, _ = falling("two-slope", 5, 6)
    rng = np.random.default_rng(1)
    up = noisy(drifts("two-slope", truth("two-slope", 14, rng)), rng)
    renamed = [replace(trace, device=f"down{i}") for i, trace in enumerate(down)]
    both = TraceSet((*up.traces, *renamed), (), up.sources, ())
    with pytest.raises(FitError, match=r"devices rise .* and \d fall \(down0, .*--direction set"):
        fit_devices(both, jobs=1)
    stray = fit_devices(TraceSet((*up.traces, renamed[0]), (), up.sources, ()), jobs=1)
    assert stray.direction == "reset"
    assert stray["down0"].status is FitStatus.WRONG_DRIFT
    assert "1 device runs against the set (down0)" in stray.notes[0]
    with pytest.raises(FitError, match="unknown direction 'up'"):
        fit_devices(up, direction="up")


@pytest.mark.parametrize(("late", "knee"), [(-0.05, 27), (-0.002, 40)])
def test_a_knee_where_the_fall_begins_or_ends(late, knee):
    """Three devices of 80 pulses and white noise of 0.05, flat or steep before the knee (seed 2)."""
    rng, t = np.random.default_rng(2), np.arange(1.0, 81.0)
    early = -0.05 if late > -0.01 else 0.0
    drift = early * np.minimum(t, knee) + late * np.maximum(t - knee, 0.0)
    ohm = 3e4 * np.exp(np.hstack([np.zeros((3, 1)), drift + 0.05 * rng.standard_normal((3, 80))]))
    traces = TraceSet.from_arrays(["a", "b", "c"], np.arange(81), ohm, (
        SourceFile("synthetic", "0" * 64, "simulation", "tests", True),))
    for fit in fit_devices(traces, direction="set", jobs=1):
        assert fit.status is FitStatus.OK
        assert fit.estimates["t_star"].value == pytest.approx(knee, abs=3)


@pytest.mark.parametrize("fall", [0.004, 0.015])
def test_a_trace_that_rises_and_falls_again_has_its_knee_there_or_is_not_ok(fall, monkeypatch):
    """Which of the two depends on whether it ends below its start: it counts as falling then."""
    rng, t = np.random.default_rng(4), np.arange(1.0, 121.0)
    drift = 0.025 * np.minimum(t, 40.0) - fall * np.maximum(t - 40.0, 0.0)
    ohm = 3e4 * np.exp(np.hstack([np.zeros((3, 1)), drift + 0.05 * rng.standard_normal((3, 120))]))
    traces = TraceSet.from_arrays(["a", "b", "c"], np.arange(121), ohm, (
        SourceFile("synthetic", "0" * 64, "simulation", "tests", True),))
    monkeypatch.setattr(choose_drift, "fittable", lambda: ["two-slope", "power-law"])  # for time
    fits = fit_devices(traces, jobs=1)
    for fit in fits:
        if fits.direction == "reset":
            assert fit.status is FitStatus.WRONG_DRIFT
        else:
            assert fit.estimates["t_star"].value == pytest.approx(40.0, abs=2.0)


def test_a_device_or_two_that_fall_do_not_make_a_falling_set():
    """Two of forty at rest, by telegraph noise: the set is no gradual SET; nine of ten that fall are one."""
    rng = np.random.default_rng(3)
    still = 0.01 * rng.standard_normal((40, 400))
    falling = still - 0.5 * np.linspace(0.0, 1.0, 400)
    stepped = still - 0.5 * (np.arange(400) > 200)
    few, most = Votes(), Votes()
    few.add([str(i) for i in range(40)], np.where(np.arange(40)[:, None] < 2, stepped, still))
    most.add([str(i) for i in range(40)], np.where(np.arange(40)[:, None] < 36, falling, still))
    assert few.direction == "reset"
    assert most.direction == "set"
