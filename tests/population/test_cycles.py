"""Devices and their cycles: never one for the other, and two spreads apart."""

from __future__ import annotations

import numpy as np
import pytest

from weakreset.fitting import fit_devices
from weakreset.model import TruncatedLaw
from weakreset.parameter_file import ParameterFile, dump_parameters, majumdar2021, parse_parameters
from weakreset.population import export_parameters, fit_population
from weakreset.population.cycles import _with_spread, variance_components
from weakreset.twin import simulate_traces


def lot(rng, device, cycle, n_devices=20, n_cycles=6, error=0.02):
    """Estimates of normal devices and cycles, with unequal known errors."""
    names = [f"d{i}" for i in range(n_devices) for _ in range(n_cycles)]
    errors = error * rng.uniform(0.5, 1.5, n_devices * n_cycles)
    own = np.repeat(device * rng.standard_normal(n_devices), n_cycles)
    values = 9.0 + own + cycle * rng.standard_normal(len(names)) + errors * rng.standard_normal(len(names))
    return values, errors, names


def test_both_spreads_are_found_without_bias():
    """50 lots: the mean of each sd within 4 standard errors of the truth plus 1 % (false alarm below 1e-3)."""
    rng = np.random.default_rng(1)
    found = [variance_components(*lot(rng, 0.1, 0.05)) for _ in range(50)]
    for values, truth in (([f.device for f in found], 0.1), ([f.cycle for f in found], 0.05)):
        assert np.mean(values) == pytest.approx(truth, abs=4 * np.std(values) / 50**0.5 + 0.01 * truth)
    errors = [f.cycle_stderr for f in found]
    assert np.mean(errors) == pytest.approx(np.std([f.cycle for f in found]), rel=0.4)  # 50 lots: 40 % is 4 sd


def test_a_spread_that_is_not_there_is_seen_in_one_lot_of_twenty():
    """400 lots at 5 %: 8 to 36 rejections (binomial, false alarm 5e-4); a wrong null (errors halved) is always seen."""
    rng = np.random.default_rng(2)
    assert 8 <= sum(variance_components(*lot(rng, 0.1, 0.0)).seen for _ in range(400)) <= 36
    values, errors, names = lot(rng, 0.1, 0.0)
    assert variance_components(values, 0.5 * errors, names).seen


def test_one_device_has_no_spread_between_devices():
    values, errors, names = lot(np.random.default_rng(3), 0.1, 0.05, n_devices=1, n_cycles=60)
    found = variance_components(values, errors, names)
    assert found.device is None
    assert found.cycle == pytest.approx(0.05, rel=0.4)  # 59 degrees of freedom: 4 sd


@pytest.mark.parametrize(
    "law",
    [
        TruncatedLaw("lognorm", {"s": 0.5, "scale": 2.0}), TruncatedLaw("gamma", {"shape": 3.0, "scale": 2.0}),
        TruncatedLaw("weibull", {"shape": 2.0, "scale": 2.0}), TruncatedLaw("expon", {"loc": 0.0, "scale": 2.0}),
        TruncatedLaw("norm", {"mean": 2.0, "sd": 0.3}, 0.0, np.inf),
    ],
    ids=lambda law: law.family,
)
def test_a_law_is_narrowed_about_its_median(law):
    narrow = _with_spread(law, law.median(), 0.1)
    drawn = narrow.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert narrow.median() == pytest.approx(law.median(), rel=1e-6)
    spread = (drawn / law.median()).std() if law.family == "norm" else np.log(drawn).std()
    assert spread == pytest.approx(0.1, rel=0.01)


def simulated(c2c, n_devices, n_cycles, seed, n_pulses=250):
    raw = majumdar2021().model_dump(by_alias=True)
    raw["noise"]["rtn"]["enabled"] = False
    for name, scale in (("m1", 3e-3), ("t_star", 100.0), ("m2", 3e-4)):
        law = {"family": "lognorm", "params": {"s": 0.2, "scale": scale}, "truncation": (None, None)}
        raw["parameters"][name] |= law
    file = ParameterFile.model_validate(raw | {"c2c": c2c})
    return simulate_traces(file, n_devices, n_pulses, seed, n_cycles=n_cycles)


def test_cycles_of_several_devices_give_two_spreads_and_the_file_holds_them():
    fits = fit_devices(simulated({"r0_ohm": {"sd": 0.04, "scale": "ln"}}, 12, 6, 7))
    population = fit_population(fits)
    assert fits.counted == "12 devices, 72 cycles"
    assert all(law.n_devices == 12 for law in population.laws.values())
    spread = population.cycles["r0_ohm"]
    assert spread.sd == pytest.approx(0.04, rel=0.26)  # 60 degrees of freedom: 26 % is 2.8 sd of a fixed seed
    law = population.laws["r0_ohm"].law
    width = float(law.ppf(0.84) / law.ppf(0.16))
    assert 0.5 * np.log(width) == pytest.approx(spread.device_sd, rel=0.1)
    params = export_parameters(population, "lot")
    assert params.c2c["r0_ohm"].sd == pytest.approx(spread.sd)
    assert (params.c2c["r0_ohm"].n_devices, params.c2c["r0_ohm"].n_cycles) == (12, 72)
    assert parse_parameters(dump_parameters(params)) == params


def test_cycles_of_one_device_make_no_law_of_devices():
    population = fit_population(fit_devices(simulated({"r0_ohm": {"sd": 0.04, "scale": "ln"}}, 1, 24, 8)))
    law = population.laws["r0_ohm"]
    assert law.law.family == "constant"
    assert (law.n_devices, law.n_informative) == (1, 1)
    assert "informed by 1 device, 24 cycles" in law.note
    assert population.cycles["r0_ohm"].sd == pytest.approx(0.04, rel=0.45)  # 23 degrees of freedom
    assert population.cycles["r0_ohm"].device_sd is None


def test_devices_of_one_cycle_each_say_nothing_of_cycles():
    population = fit_population(fit_devices(simulated(None, 12, 1, 3)))
    assert dict(population.cycles) == {}
    assert export_parameters(population, "lot").c2c is None
