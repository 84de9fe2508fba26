"""Telegraph steps that grow with the resistance, against sets whose growth is known."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.fitting import FitSet, fit_devices, lmfit_problem
from weakreset.fitting.rtn_rates import HiddenHigh
from weakreset.fitting.step_growth import SEEN_Z, step_growth
from weakreset.model import pink_noise, telegraph_states
from weakreset.parameter_file import dump_parameters, parse_parameters
from weakreset.population import export_parameters, fit_population
from weakreset.traces import TraceSet

N_DEVICES, T = 50, np.arange(1.0, 501.0)


def made(seed: int, growth: float) -> tuple[FitSet, dict[str, np.ndarray]]:
    """A lot with telegraph steps A (1 + growth ln(R/R0)), and its true slopes."""
    rng = np.random.default_rng(seed)
    m1, knee = rng.gamma(6.0, 3e-4, (N_DEVICES, 1)), rng.uniform(150, 350, (N_DEVICES, 1))
    drift = m1 * np.minimum(T, knee) + 2e-5 * np.maximum(T - knee, 0.0)
    steps = rng.uniform(0.05, 0.2, (N_DEVICES, 1)) * telegraph_states(rng, N_DEVICES, len(T), 2e-3, 4e-3)
    w = drift + steps * (1.0 + growth * drift) + 0.007 * pink_noise(rng, N_DEVICES, len(T))
    ohm = 7000.0 * np.exp(np.hstack([np.zeros((N_DEVICES, 1)), w]))
    traces = TraceSet.from_arrays([f"d{i}" for i in range(N_DEVICES)], np.arange(len(T) + 1), ohm)
    return fit_devices(traces, jobs=1), {"m1": m1[:, 0], "drift": drift}


@pytest.fixture(scope="module")
def grown() -> tuple[FitSet, dict[str, np.ndarray]]:
    return made(11, 2.0)


@pytest.mark.statistical
def test_growth_is_seen_and_slopes_keep_their_promise(grown):
    """Growth 2, seed 11. Of n ok devices fewer than 85 % inside 95 % intervals has probability 1e-3 for n = 35."""
    fits, truth = grown
    assert any("telegraph steps change with the resistance" in note for note in fits.notes)
    growth = {fit.rtn.growth for fit in fits}
    assert len(growth) == 1
    assert growth.pop() == pytest.approx(2.0, abs=0.8)
    ok = [i for i, fit in enumerate(fits) if fit.status.value == "ok"]
    z = np.array([
        (fits.fits[i].estimates["m1"].value - truth["m1"][i]) / fits.fits[i].estimates["m1"].stderr for i in ok
    ])
    assert len(ok) >= 20
    assert np.mean(np.abs(z) < 1.96) > 0.85


def test_a_fit_with_growth_shows_the_trace_as_read(grown):
    fits, _ = grown
    fit = next(fit for fit in fits if fit.rtn.status == "ok" and fit.status.value == "ok")
    pulses, log_ratio = next(trace for trace in fits.traces if trace.key == fit.device).log_ratio()
    assert np.allclose(fit.log_ratio, log_ratio)
    assert np.std(fit.residuals) < 0.03
    level = fit.curve() - fit.drift_at(pulses)
    high = level[fit.rtn.high(pulses)]
    assert high.max() > 1.1 * high.min()  # the step is larger where the resistance is
    again = lmfit_problem(fit)[1].params["m1"].value
    assert again == pytest.approx(fit.result.params["m1"].value, rel=0.02)


def test_a_set_with_growth_puts_it_into_the_file(grown):
    file = export_parameters(fit_population(grown[0], seed=1), "grown")
    block = file.noise.growing_rtn
    assert block.enabled
    assert block.growth == pytest.approx(2.0, abs=0.8)
    assert block.growth_stderr > 0
    assert not file.noise.rtn.enabled
    assert parse_parameters(dump_parameters(file)) == file


@pytest.fixture(scope="module")
def constant() -> FitSet:
    return made(12, 0.0)[0]


@pytest.mark.statistical
def test_steps_of_constant_size_show_no_growth(constant):
    """Seed 12: chance of a false alarm 1e-2 for a set; that of seed 11 with growth is the counterexample."""
    fits = constant
    assert {fit.rtn.growth for fit in fits} == {0.0}
    growth = step_growth(list(fits))
    assert abs(growth.z) < SEEN_Z
    assert 0.0 < growth.stderr < 0.5


def test_few_devices_that_switch_tell_nothing(constant):
    growth = step_growth([fit for fit in constant if fit.rtn.steps][:3])
    assert (growth.value, growth.stderr, growth.n_devices) == (0.0, 0.0, 3)
    assert growth.sentences == ()


def test_the_chance_of_a_hidden_high_state():
    """Long traces hide nothing; a share of half the devices halves what is hidden, nearly."""
    rates = HiddenHigh(8e-4, 2e-3, 1.0)
    short, long = rates.chance([1.0]), rates.chance([5000.0])
    assert short == pytest.approx(8e-4 / 2.8e-3, rel=0.01)
    assert long < 1e-2
    assert HiddenHigh(8e-4, 2e-3, 0.5).chance([1.0]) == pytest.approx(0.5 * short, rel=0.01)
    assert HiddenHigh(None, 2e-3, 0.5).chance([1.0]) == 0.0
