"""The road closed: devices of the engine, pulsed one by one, measured and fitted, give back the file they came from."""

import numpy as np
import pytest

from weakreset.fitting import fit_devices
from weakreset.parameter_file import ParameterFile
from weakreset.population import Population, fit_population
from weakreset.simulation import DeviceArray
from weakreset.traces import TraceSet

FAMILIES = {"m1": "expon", "t_star": "lognorm", "c1": "norm", "m2": "expon"}
CHECKED = (("m1", "scale"), ("t_star", "scale"), ("c1", "mean"), ("c1", "sd"))
N_DEVICES, N_PULSES = 100, 500


def fitted(params: ParameterFile, seed: int) -> Population:
    array, readings = DeviceArray((N_DEVICES,), params, seed=seed), []
    for n in range(N_PULSES + 1):
        array.pulse(min(n, 1))  # the first reading is that of the fresh device
        readings.append(array.resistance().double().numpy())
    names = [f"d{i}" for i in range(N_DEVICES)]
    traces = TraceSet.from_arrays(names, np.arange(N_PULSES + 1), np.stack(readings, axis=1))
    return fit_population(fit_devices(traces), families=FAMILIES)


def pulls(population: Population, params: ParameterFile) -> dict[str, float]:
    """Errors of the laws in their own standard errors, and those of the noise in units of what is tolerated."""
    found = {}
    for name, number in CHECKED:
        law = population.laws[name]
        miss = law.law.params[number] - params.parameters[name].law().params[number]
        found[f"{name} {number}"] = miss / law.stderr[number]
    found["alpha"] = (population.noise.alpha / params.noise.pink.alpha - 1) / 0.02
    found["exponent"] = (population.noise.exponent - params.noise.pink.exponent) / 0.04
    return found


@pytest.mark.statistical
def test_fit_of_simulated_devices_recovers_the_parameters(params: ParameterFile) -> None:
    """Seed 31; laws within 4 standard errors (6e-5 each, four of them), alpha within 8 %, exponent within 0.16:
    false alarm below 1e-3. Devices with steeper drift and louder noise than the file says are found out."""
    found = pulls(fitted(params, seed=31), params)
    assert max(abs(pull) for pull in found.values()) < 4, found
    pink = params.noise.pink.model_copy(update={"alpha": 1.15 * params.noise.pink.alpha, "exponent": 0.8})
    m1 = params.parameters["m1"]
    steep = m1.model_copy(update={"params": m1.params.model_copy(update={"scale": 3 * 6.6e-4})})
    wrong = params.model_copy(
        update={
            "noise": params.noise.model_copy(update={"pink": pink}),
            "parameters": {**params.parameters, "m1": steep},
        }
    )
    missed = pulls(fitted(wrong, seed=32), params)
    assert min(abs(missed[name]) for name in ("m1 scale", "alpha", "exponent")) > 4, missed
