"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from hypothesis import settings

from weakreset.fitting import FitSet, fit_devices
from weakreset.model import SimulatedTraces
from weakreset.parameter_file import ParameterFile, majumdar2021
from weakreset.traces import TraceSet
from weakreset.twin import simulate_population

# The suite draws the same examples everywhere; fresh ones are drawn by HYPOTHESIS_PROFILE=fresh.
settings.register_profile("suite", derandomize=True)
settings.register_profile("fresh", derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(autouse=True)
def _global_random_state_is_left_alone():
    """A test that moves numpy's or torch's global generator fails: randomness is an argument."""
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    torch = sys.modules.get("torch")
    torch_before = None if torch is None else torch.random.get_rng_state().clone()
    yield
    assert np.array_equal(before, np.random.get_state()[1]), "numpy's global generator was used"  # noqa: NPY002
    if torch is not None and torch_before is not None:
        assert torch.equal(torch_before, torch.random.get_rng_state()), "torch's global generator was used"


@pytest.fixture(scope="session")
def published() -> ParameterFile:
    return majumdar2021()


def as_traces(measured: SimulatedTraces) -> TraceSet:
    names = [f"d{i:04d}" for i in range(len(measured.devices))]
    return TraceSet.from_arrays(names, measured.pulses, measured.resistance_ohm())


@pytest.fixture(scope="session")
def truth(published) -> SimulatedTraces:
    """200 simulated devices of the published laws, 1,000 pulses, with their hidden truth (seed 20261)."""
    return simulate_population(published, 200, 1000, 20261)


@pytest.fixture(scope="session")
def fitted(truth) -> FitSet:
    return fit_devices(as_traces(truth))
