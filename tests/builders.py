"""Small sets of traces and fits for tests of figures and reports; all simulated."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np

from weakreset.fitting import DeviceFit, Estimate, FitSet, FitStatus, PooledNoise, fit_devices
from weakreset.model import TWO_SLOPE, pink_noise
from weakreset.parameter_file import ParameterFile
from weakreset.plots import TrainingRun
from weakreset.population import Population, export_parameters, fit_population
from weakreset.traces import Exclusion, PulseTrace, TraceSet
from weakreset.twin import simulate_traces

HOSTILE = "<script>document.title='owned'</script>\"'&"


@lru_cache(maxsize=1)
def small_fits() -> FitSet:
    """30 devices, 500 pulses, seed 12; one has a hostile name, two were excluded."""
    traces = simulate_traces("majumdar2021", 30, 500, seed=12)
    renamed = list(traces.traces)
    renamed[0] = dataclasses.replace(renamed[0], device=HOSTILE)
    renamed[1] = dataclasses.replace(renamed[1], device="cost $5 and a_very_long_device_name_W03_row_0007_col_0131")
    exclusions = (
        Exclusion("stuck<01>", "resistance does not change", n_readings=401),
        Exclusion(renamed[2].device, "not a positive number", pulse=17, value="-3.2", file="x.csv", line=19),
    )
    return fit_devices(dataclasses.replace(traces, traces=tuple(renamed), exclusions=exclusions))


@lru_cache(maxsize=1)
def small_population() -> Population:
    return fit_population(small_fits())


@lru_cache(maxsize=1)
def small_parameters() -> ParameterFile:
    return export_parameters(small_population(), "small <lot>")


def runs() -> tuple[TrainingRun, ...]:
    """Two invented runs, one of them without pulses."""
    ideal = [{"epoch": i, "test_accuracy": 0.9 + 0.01 * i, "pulses_mean": 0} for i in range(1, 6)]
    device = [{"epoch": i, "test_accuracy": 0.88 + 0.01 * i, "pulses_mean": 80.0 * i} for i in range(1, 6)]
    return TrainingRun("ideal", ideal), TrainingRun("<b>all imperfections", device)


def pure_noise_fits(n_devices: int, n_pulses: int, alpha: float, seed: int, white: bool = False) -> FitSet:
    """Fits whose drift is zero and whose residuals are 1/f noise of amplitude `alpha`, or white of that variance."""
    rng = np.random.default_rng(seed)
    noise = alpha * pink_noise(rng, n_devices, n_pulses)
    if white:
        noise = noise.std() * rng.standard_normal(noise.shape)
    pulses = np.arange(1, n_pulses + 1)
    numbers = dict.fromkeys(TWO_SLOPE.parameters, 0.0)
    estimates = {name: Estimate(0.0) for name in numbers}
    fits = tuple(
        DeviceFit(f"n{i}", FitStatus.KNEE_UNRESOLVED, estimates, TWO_SLOPE, pulses, row, numbers)
        for i, row in enumerate(noise)
    )
    traces = TraceSet(tuple(PulseTrace(f"n{i}", pulses, np.exp(row)) for i, row in enumerate(noise)))
    return FitSet(fits, PooledNoise(alpha, 1.0), TWO_SLOPE, traces)
