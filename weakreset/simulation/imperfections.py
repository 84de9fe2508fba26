"""What makes every device of a chip itself, drawn once: D2D spread, and devices that do not respond."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import SimulationError
from weakreset.model import BUILT_IN, D2D, SHAPES, DriftShape
from weakreset.parameter_file import ParameterFile, draw_devices
from weakreset.simulation.drift import check_drift
from weakreset.simulation.quantile_table import QuantileTables

__all__ = ["BLOCK", "draw_chip", "draw_unresponsive", "physics_fingerprint", "simulated_shape"]

BLOCK = 1 << 18
"""Devices drawn at a time: bounds the memory, and makes device i the same whatever the size of the chip."""


def simulated_shape(params: ParameterFile) -> DriftShape:
    """The drift shape of a file.

    Raises
    ------
    SimulationError
        There is none of this name (any more), or float32 cannot follow it.
    """
    shape = SHAPES.get(params.model)
    if shape is None:
        raise SimulationError(f"drift shape {params.model!r} is not registered; known: {', '.join(SHAPES)}")
    params.refuse_unknown()
    check_drift(shape, {
        name: shape.sign(name, params.direction) * params.parameters[name].law().median()
        for name in shape.parameters if name in params.parameters
    })
    return shape


def draw_chip(
    params: ParameterFile, n_devices: int, seed: int, without: tuple[str, ...], store: Callable[..., None]
) -> None:
    """Draw `n_devices` and hand each block to `store(slice, fields)`, fields float32 arrays by name."""
    quantiles = QuantileTables()
    for block, start in enumerate(range(0, n_devices, BLOCK)):
        stop = min(start + BLOCK, n_devices)
        # a generator a block: device i is the same in a chip of any size; the last number keeps it from defects
        rng = np.random.default_rng([seed, block, 0])
        # a tile sits on one die, which every block of it shares
        one_die = (np.zeros(stop - start, dtype=np.int64), seed)
        devices = draw_devices(params, stop - start, rng, without, quantiles, one_die)
        fields = {"log_r0": np.log(devices.r0_ohm), **devices.drift, **devices.noise_columns}
        store(slice(start, stop), {name: values.astype(np.float32) for name, values in fields.items()})


def draw_unresponsive(
    params: ParameterFile, n_devices: int, seed: int, without: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Which devices never move: the share `defects.fraction` of the file; none without D2D."""
    stuck = np.zeros(n_devices, dtype=np.bool_)
    if params.defects.fraction > 0 and D2D not in without:
        for block, start in enumerate(range(0, n_devices, BLOCK)):
            part = stuck[start : start + BLOCK]
            part[:] = np.random.default_rng([seed, block, 1]).random(len(part)) < params.defects.fraction
    return stuck


def physics_fingerprint(params: ParameterFile, n_poles: int, half_traits: bool = False) -> int:
    """63 bits that change with anything in the file that moves a device after it was drawn, or counts its energy."""
    shape = SHAPES[params.model]
    drift = shape.name if shape in BUILT_IN else f"{shape.name} {shape.formula}"
    # laws and D2D are not in it: the numbers they gave each device come with the saved state
    text = f"{drift}|{params.noise.model_dump_json()}|{n_poles}" + ("|half" if half_traits else "")
    text += f"|{params.direction}" if params.direction != "reset" else ""  # which device of a pair a weight rises by
    text += f"|{sorted((name, spread.sd) for name, spread in params.c2c.items())}" if params.c2c else ""
    # moves no device, but a chip's energy would be a sum of two tariffs, or of none
    text += f"|{params.reset_pulse.model_dump_json()}" if params.reset_pulse else ""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
