"""Derivatives of a device's fitted model by its own numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.result import DeviceFit
from weakreset.model import SHAPES

__all__ = ["model_columns"]

Array = NDArray[np.float64]


def model_columns(fit: DeviceFit) -> tuple[list[str], Array]:
    """Names of lmfit's parameters and the model's derivatives by them, before whitening; shape (n, p).

    Telegraph steps have constant size here, as in the trace that was fitted.
    """
    shape, values = SHAPES[fit.fitted_as], {**fit.numbers, **fit.result.params.valuesdict()}
    names = [name for name in shape.parameters if name not in shape.shared]
    at = [values[name] for name in shape.parameters]
    drift = np.column_stack([shape.derivative(name, fit.pulses.astype(np.float64), *at) for name in names])
    if fit.rtn.status == "ok":
        return [*names, "rtn_amplitude"], np.column_stack([drift, fit.rtn.high(fit.pulses)])
    steps = [(fit.pulses >= step).astype(np.float64) for step in fit.rtn.steps]
    return names + [f"rtn_step_{i + 1}" for i in range(len(steps))], np.column_stack([drift, *steps])
