"""Draw devices from a parameter file: the one place where D2D spread becomes numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.model import D2D, SHAPES, Devices, TruncatedLaw, named_stream
from weakreset.parameter_file.dies import on_dies
from weakreset.parameter_file.schema import Empirical, ParameterFile

__all__ = ["draw_cycle", "draw_devices"]

_FIRST_STREAMS = 2
"""Of own numbers of noise, there before there was a registry of its kinds."""


def draw_devices(
    params: ParameterFile, n_devices: int, rng: np.random.Generator, without: tuple[str, ...] = (),
    quantiles: Callable[[TruncatedLaw, NDArray[np.float64]], NDArray[np.float64]] = TruncatedLaw.ppf,
    dies: tuple[NDArray[np.int64], int] | None = None,
) -> Devices:
    """Draw `n_devices` from the file's truncated laws, with its correlations.

    Each parameter has a stream of its own, so the same seed gives the same t_star whether or not
    another parameter's law changes. A file whose `spread` is empirical has the rows of its measured devices drawn
    with replacement instead. A file with a `d2d` block has its spread changed: normal scores times a factor, with the
    same random numbers. Without D2D every device sits at the medians (of the truncated laws, or rows). Without
    telegraph noise the amplitudes are zero. `quantiles(law, u)` may replace the exact quantile function by a faster
    one. `dies`, the die of each device and the seed of the dies, has them sit on dies as the file's `dies` block says;
    without it each stands for a die of its own.
    """
    shape = SHAPES[params.model]
    if params.spread == "empirical" and params.empirical is not None:
        return _measured(params, params.empirical, n_devices, rng, without)
    params.refuse_unknown()
    names = ("r0_ohm", *shape.parameters)
    # a stream a parameter: a longer law of one, or one more parameter, leaves the numbers of the others
    streams = rng.spawn(len(names) + _FIRST_STREAMS + 1)
    uniforms = {name: stream.random(n_devices) for name, stream in zip(names, streams, strict=False)}
    if params.dies is not None and dies is not None:
        uniforms = on_dies(params.dies, uniforms, *dies)
    if params.correlation is not None:
        uniforms |= _correlated(uniforms, params.correlation.names, np.asarray(params.correlation.matrix))
    if D2D in without:
        uniforms = {name: np.full(n_devices, 0.5) for name in names}
    inverse = TruncatedLaw.ppf if D2D in without else quantiles  # one value for all: no table is worth it
    laws = {name: params.parameters[name].law() for name in names}
    drawn = {name: inverse(laws[name], _scaled(params, name, laws[name], uniforms[name])) for name in names}
    return _devices(params, drawn, _own_numbers(params, n_devices, streams[len(names) :], without, inverse))


def _devices(
    params: ParameterFile, drawn: dict[str, NDArray[np.float64]], noise: dict[str, NDArray[np.float64]]
) -> Devices:
    r0_ohm, amplitude = drawn.pop("r0_ohm"), noise.pop("rtn_amplitude")
    shape = SHAPES[params.model]
    if params.direction == "set":
        drawn = {name: shape.sign(name, params.direction) * values for name, values in drawn.items()}
    return Devices(r0_ohm, drawn, amplitude, shape, noise)


def draw_cycle(
    params: ParameterFile, devices: Devices, rng: np.random.Generator, without: tuple[str, ...] = ()
) -> Devices:
    """The devices as they are in one cycle: their own numbers, and what the cycle adds (`c2c` of the file).

    Times e^(sd z), or plus sd z for c1; `z` of each parameter has a stream of its own. Truncation is that of the
    devices' own numbers. Without D2D every cycle is alike too.
    """
    if not params.c2c or D2D in without:
        return devices
    own = {"r0_ohm": devices.r0_ohm, **devices.drift}
    now = {}
    for name, stream in zip(own, rng.spawn(len(own)), strict=True):
        spread = params.c2c.get(name)
        if spread is None:
            now[name] = own[name]
            continue
        step = spread.sd * stream.standard_normal(len(devices))
        now[name] = own[name] + step if spread.scale == "linear" else own[name] * np.exp(step)
    return replace(devices, r0_ohm=now.pop("r0_ohm"), drift=now)


def _measured(
    params: ParameterFile, empirical: Empirical, n_devices: int, rng: np.random.Generator, without: tuple[str, ...]
) -> Devices:
    """Rows of the measured devices, drawn with replacement; a row stays together, so correlations are kept."""
    rows = np.asarray(empirical.devices, dtype=np.float64)
    # not `integers`: a uniform for each device, as for laws, so that device i is the same in any number
    chosen = np.minimum((rng.random(n_devices) * len(rows)).astype(np.int64), len(rows) - 1)
    drawn = np.tile(np.median(rows, axis=0), (n_devices, 1)) if D2D in without else rows[chosen]
    columns = dict(zip(empirical.names, np.ascontiguousarray(drawn.T), strict=True))
    noise = _own_numbers(params, n_devices, rng.spawn(_FIRST_STREAMS + 1), without, TruncatedLaw.ppf)
    for kind, block in params.noise.blocks():
        for column in set(kind.columns) & set(columns):
            measured = columns.pop(column)
            noise[column] = measured if block.enabled and kind.name not in without else np.zeros(n_devices)
    return _devices(params, columns, noise)


def _correlated(
    uniforms: dict[str, NDArray[np.float64]], names: list[str], matrix: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Gaussian copula: correlate the normal scores, go back to uniforms."""
    tiny = np.finfo(float).tiny
    scores = special.ndtri(np.clip(np.stack([uniforms[name] for name in names]), tiny, 1 - 1e-16))
    # z = L e, L L^T = correlation: each z stays standard normal, so each parameter keeps its law
    mixed = special.ndtr(np.linalg.cholesky(matrix) @ scores)
    return dict(zip(names, mixed, strict=True))


def _scaled(params: ParameterFile, name: str, law: TruncatedLaw, uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """The uniforms whose normal scores lie closer to, or farther from, the nominal device, as `d2d` says."""
    factor = 1.0 if params.d2d is None else params.d2d.scale.get(name, 1.0)
    if params.d2d is None or factor == 1.0 or law.family == "constant":
        return uniforms
    centre = 0.5 if params.d2d.nominal == "median" else float(law.cdf(law.mean()))
    # in normal scores, not in the number: whatever the factor, no device leaves the truncated law
    middle = float(special.ndtri(centre))
    scores = special.ndtri(np.clip(uniforms, np.finfo(float).tiny, 1 - 1e-16))
    return np.asarray(special.ndtr(middle + factor * (scores - middle)))


def _own_numbers(
    params: ParameterFile, n_devices: int, streams: list[np.random.Generator], without: tuple[str, ...],
    inverse: Callable[[TruncatedLaw, NDArray[np.float64]], NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """Own numbers of the devices of every kind of noise by column; zero where it is off, or a device has none."""
    drawn = {}
    for kind, block in params.noise.blocks():
        for column, own in kind.columns.items():
            names = (column, f"{column} present")
            value_rng, present_rng = (
                (named_stream(streams[-1], name) for name in names) if own.streams is None
                else (streams[place] for place in own.streams)
            )
            entry = getattr(block, own.name)
            if not block.enabled or entry is None or kind.name in without:
                drawn[column] = np.zeros(n_devices)
                continue
            share = 1.0 if own.share is None else getattr(block, own.share.name)
            law: TruncatedLaw = entry.law()
            if D2D in without:
                # the nominal device has telegraph noise if most devices do
                drawn[column] = np.full(n_devices, law.median() if share >= 0.5 else 0.0)
                continue
            values = inverse(law, _scaled(params, column, law, value_rng.random(n_devices)))
            if params.d2d is not None and params.d2d.scale.get(column, 1.0) == 0.0:
                drawn[column] = values if share >= 0.5 else np.zeros(n_devices)
            else:
                drawn[column] = np.where(present_rng.random(n_devices) < share, values, 0.0)
    return drawn
