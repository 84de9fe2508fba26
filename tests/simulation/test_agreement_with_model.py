"""The torch devices against the numpy model, in law.

KS tests of ln R at several pulse counts and burst patterns. Family-wise false-alarm rate 1e-3 (Bonferroni).
Seeds are fixed. Wrong generators (RTN off, alpha x 1.5, a burst counted one too long in the drift) must fail.
"""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from weakreset.model import high_probability_after, two_slope
from weakreset.parameter_file import ParameterFile
from weakreset.simulation import DeviceArray, fit_pink_poles
from weakreset.twin import simulate_population

FALSE_ALARM = 1e-3
CHECKED = (1, 2, 17, 126, 400)
PATTERNS = ("ones", "bursts of 14", "one burst", "random bursts")
N_TORCH = 20_000

Measured = dict[int, NDArray[np.float64]]


def _numpy_devices(params: ParameterFile, without: tuple[str, ...]) -> Measured:
    measured = simulate_population(params, 1200, max(CHECKED), seed=2024, without=without)
    return {t: measured.log_ratio[:, t] for t in CHECKED}


@pytest.fixture(scope="module")
def reference(params: ParameterFile) -> dict[str, Measured]:
    return {"all on": _numpy_devices(params, ()), "no D2D": _numpy_devices(params, ("d2d",))}


def _torch_devices(params: ParameterFile, without: tuple[str, ...], pattern: str, seed: int) -> Measured:
    array, found, at = DeviceArray((N_TORCH,), params, seed=seed, without=without), {}, 0
    generator = torch.Generator().manual_seed(seed)
    for t in CHECKED:
        for burst in _bursts(pattern, t - at, generator):
            array.pulse(burst)
        at = t
        found[t] = (array.log_resistance() - array.log_r0).double().numpy()
    return found


def _bursts(pattern: str, total: int, generator: torch.Generator) -> list[torch.Tensor | int]:
    if pattern == "ones":
        return [1] * total
    if pattern == "bursts of 14":
        return [14] * (total // 14) + [total % 14]
    if pattern == "one burst":
        return [total]
    first = torch.randint(0, total + 1, (N_TORCH,), generator=generator)
    return [first, total - first]


def _rejected(found: Measured, expected: Measured, n_tests: int) -> list[int]:
    return [t for t in CHECKED if stats.ks_2samp(found[t], expected[t]).pvalue < FALSE_ALARM / n_tests]


@pytest.mark.statistical
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("case", ["all on", "no D2D"])
def test_log_r_has_the_law_of_the_model(
    params: ParameterFile, reference: dict[str, Measured], pattern: str, case: str
) -> None:
    without = ("d2d",) if case == "no D2D" else ()
    found = _torch_devices(params, without, pattern, seed=100 + PATTERNS.index(pattern))
    assert _rejected(found, reference[case], n_tests=2 * len(PATTERNS) * len(CHECKED)) == []


@pytest.mark.statistical
def test_wrong_generators_are_rejected(params: ParameterFile, reference: dict[str, Measured]) -> None:
    n_tests = 2 * len(PATTERNS) * len(CHECKED)
    quiet = _torch_devices(params, ("d2d", "rtn"), "one burst", seed=200)
    assert _rejected(quiet, reference["no D2D"], n_tests) == list(CHECKED)
    pink = params.noise.pink.model_copy(update={"alpha": 1.5 * params.noise.pink.alpha})
    loud = params.model_copy(update={"noise": params.noise.model_copy(update={"pink": pink})})
    assert len(_rejected(_torch_devices(loud, ("d2d",), "one burst", 201), reference["no D2D"], n_tests)) >= 3
    m1 = params.parameters["m1"].model_copy(update={"truncation": (0.001, 0.0076)})
    steep = params.model_copy(update={"parameters": {**params.parameters, "m1": m1}})
    assert len(_rejected(_torch_devices(steep, (), "one burst", 202), reference["all on"], n_tests)) >= 2


@pytest.mark.statistical
@pytest.mark.parametrize("n", [1, 5, 14, 126])
def test_skip_ahead_has_exactly_the_covariance_of_its_poles(params: ParameterFile, n: int) -> None:
    """Covariances of 100,000 pairs within 5 sd: false alarm 4 x 3 x 6e-7.

    A burst of 2n must be told from one of n.
    """
    array = DeviceArray((100_000,), params, seed=300 + n, without=("d2d", "rtn"))
    median = {name: params.parameters[name].law().median() for name in ("m1", "c1")}
    x = []
    for burst in (1, n):
        array.pulse(burst)
        drift = median["c1"] + median["m1"] * float(array.pulse_count[0])
        x.append((array.log_r.double() - array.log_r0.double() - drift).numpy() / params.noise.pink.alpha)
    poles = fit_pink_poles(1.0)
    variance, covariance = poles.autocovariance([0, n])
    sd = np.sqrt((variance**2 + covariance**2) / len(x[0]))
    assert abs(np.mean(x[0] * x[1]) - covariance) < 5 * sd
    for part in x:
        assert abs(np.mean(part**2) - variance) < 5 * np.sqrt(2) * variance / np.sqrt(len(part))
    if n >= 5:
        assert abs(np.mean(x[0] * x[1]) - poles.autocovariance([2 * n])[0]) > 5 * sd


@pytest.mark.statistical
@pytest.mark.parametrize("n", [1, 14, 126, 1024, 3000])
def test_telegraph_skip_ahead_is_exact(params: ParameterFile, n: int) -> None:
    """Binomial counts of 400,000 devices within 5 sd: false alarm 10 x 6e-7."""
    rtn = params.noise.rtn
    array = DeviceArray((400_000,), params, seed=400 + n, without=("pink", "d2d"))
    array.pulse(1)
    before = array.rtn_high.clone()
    array.pulse(n)
    for state in (False, True):
        after = array.rtn_high[before == state].double()
        p = float(high_probability_after(np.array([state]), n, rtn.p_up, rtn.p_down)[0])
        assert abs(float(after.mean()) - p) < 5 * np.sqrt(p * (1 - p) / len(after))


@pytest.mark.statistical
def test_telegraph_dwell_times_are_geometric(params: ParameterFile) -> None:
    """Rates and survival of 200 pulses, from one-pulse steps, within 5 sd: false alarm 4 x 6e-7.

    A chain whose rates are exchanged fails.
    """
    rtn, n_devices, n_steps = params.noise.rtn, 3000, 600
    array = DeviceArray((n_devices,), params, seed=500, without=("pink", "d2d"))
    states = np.empty((n_steps, n_devices), dtype=bool)
    for step in range(n_steps):
        array.pulse(1)
        states[step] = array.rtn_high.numpy()
    for state, rate, wrong in ((False, rtn.p_up, rtn.p_down), (True, rtn.p_down, rtn.p_up)):
        here = states[:-1] == state
        left = np.sum(here & (states[1:] != state))
        sd = np.sqrt(here.sum() * rate)
        assert abs(left - here.sum() * rate) < 5 * sd
        assert abs(left - here.sum() * wrong) > 5 * sd
        start = states[0] == state
        survived = np.all(states[:201] == state, axis=0)[start].mean()
        expected = (1 - rate) ** 200
        assert abs(survived - expected) < 5 * np.sqrt(expected * (1 - expected) / start.sum())


@pytest.mark.statistical
def test_noise_is_stationary_from_the_first_pulse_on(params: ParameterFile) -> None:
    """Variance of 1/f noise and share of telegraph-high devices after 1 and 600 pulses: 5 sd, 4 x 6e-7."""
    array = DeviceArray((50_000,), params, seed=600, without=("d2d",))
    variance = fit_pink_poles(1.0).autocovariance([0])[0]
    numbers = [params.parameters[name].law().median() for name in ("m1", "t_star", "c1", "m2")]
    for burst in (1, 599):
        array.pulse(burst)
        drift = float(two_slope(float(array.pulse_count[0]), *numbers))
        telegraph = (array.rtn_amplitude * array.rtn_high).double()
        noise = array.log_r.double() - array.log_r0.double() - drift - telegraph
        scaled = float((noise**2).mean()) / params.noise.pink.alpha**2
        assert scaled == pytest.approx(variance, rel=5 * np.sqrt(2 / 50_000))
        assert float(array.rtn_high.double().mean()) == pytest.approx(0.8 / 2.8, abs=5 * 0.00202)
