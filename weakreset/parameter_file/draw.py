"""Draw devices from a parameter file: the one place where D2D spread becomes numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from weakreset.errors import UsageError
from weakreset.model import SHAPES, Devices, TruncatedLaw
from weakreset.parameter_file.schema import Empirical, ParameterFile

__all__ = ["IMPERFECTIONS", "check_without", "draw_cycle", "draw_devices"]

IMPERFECTIONS = ("d2d", "pink", "rtn")


def check_without(without: tuple[str, ...] | list[str] | str) -> tuple[str, ...]:
    """Normalise a choice of imperfections to switch off; 'all' stands for each of them.

    Raises
    ------
    UsageError
        For a name that is not one of d2d, pink, rtn, all.
    """
    names = [part.strip() for part in without.split(",")] if isinstance(without, str) else list(without)
    names = [name for name in names if name]
    unknown = [name for name in names if name not in (*IMPERFECTIONS, "all")]
    if unknown:
        raise UsageError(f"cannot switch off {', '.join(unknown)}: choose from {', '.join(IMPERFECTIONS)}, all")
    return IMPERFECTIONS if "all" in names else tuple(name for name in IMPERFECTIONS if name in names)


def draw_devices(
    params: ParameterFile, n_devices: int, rng: np.random.Generator, without: tuple[str, ...] = (),
    quantiles: Callable[[TruncatedLaw, NDArray[np.float64]], NDArray[np.float64]] = TruncatedLaw.ppf,
) -> Devices:
    """Draw `n_devices` from the file's truncated laws, with its correlations.

    Each parameter has a stream of its own, so the same seed gives the same t_star whether or not
    another parameter's law changes. A file whose `spread` is empirical has the rows of its measured devices drawn
    with replacement instead. A file with a `d2d` block has its spread changed: normal scores times a factor, with the
    same random numbers. Without D2D every device sits at the medians (of the truncated laws, or rows). Without
    telegraph noise the amplitudes are zero. `quantiles(law, u)` may replace the exact quantile function by a faster
    one.
    """
    shape = SHAPES[params.model]
    if params.spread == "empirical" and params.empirical is not None:
        return _measured(params, params.empirical, n_devices, rng, without)
    names = ("r0_ohm", *shape.parameters)
    streams = dict(zip((*names, "rtn_amplitude", "rtn_present"), rng.spawn(len(names) + 2), strict=True))
    uniforms = {name: streams[name].random(n_devices) for name in names}
    if params.correlation is not None:
        uniforms |= _correlated(uniforms, params.correlation.names, np.asarray(params.correlation.matrix))
    if "d2d" in without:
        uniforms = {name: np.full(n_devices, 0.5) for name in names}
    inverse = TruncatedLaw.ppf if "d2d" in without else quantiles
    laws = {name: params.parameters[name].law() for name in names}
    drawn = {name: inverse(laws[name], _scaled(params, name, laws[name], uniforms[name])) for name in names}
    r0_ohm = drawn.pop("r0_ohm")
    return Devices(r0_ohm, drawn, _amplitudes(params, n_devices, streams, without, inverse), shape)


def draw_cycle(
    params: ParameterFile, devices: Devices, rng: np.random.Generator, without: tuple[str, ...] = ()
) -> Devices:
    """The devices as they are in one cycle: their own numbers, and what the cycle adds (`c2c` of the file).

    Times e^(sd z), or plus sd z for c1; `z` of each parameter has a stream of its own. Truncation is that of the
    devices' own numbers. Without D2D every cycle is alike too.
    """
    if not params.c2c or "d2d" in without:
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
    chosen = np.minimum((rng.random(n_devices) * len(rows)).astype(np.int64), len(rows) - 1)
    drawn = np.tile(np.median(rows, axis=0), (n_devices, 1)) if "d2d" in without else rows[chosen]
    columns = dict(zip(empirical.names, np.ascontiguousarray(drawn.T), strict=True))
    r0_ohm, amplitude = columns.pop("r0_ohm"), columns.pop("rtn_amplitude")
    silent = "rtn" in without or not params.noise.rtn.enabled
    return Devices(r0_ohm, columns, np.zeros(n_devices) if silent else amplitude, SHAPES[params.model])


def _correlated(
    uniforms: dict[str, NDArray[np.float64]], names: list[str], matrix: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Gaussian copula: correlate the normal scores, go back to uniforms."""
    tiny = np.finfo(float).tiny
    scores = special.ndtri(np.clip(np.stack([uniforms[name] for name in names]), tiny, 1 - 1e-16))
    mixed = special.ndtr(np.linalg.cholesky(matrix) @ scores)
    return dict(zip(names, mixed, strict=True))


def _scaled(params: ParameterFile, name: str, law: TruncatedLaw, uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """The uniforms whose normal scores lie closer to, or farther from, the nominal device, as `d2d` says."""
    factor = 1.0 if params.d2d is None else params.d2d.scale.get(name, 1.0)
    if params.d2d is None or factor == 1.0 or law.family == "constant":
        return uniforms
    centre = 0.5 if params.d2d.nominal == "median" else float(law.cdf(law.mean()))
    middle = float(special.ndtri(centre))
    scores = special.ndtri(np.clip(uniforms, np.finfo(float).tiny, 1 - 1e-16))
    return np.asarray(special.ndtr(middle + factor * (scores - middle)))


def _amplitudes(
    params: ParameterFile, n_devices: int, streams: dict[str, np.random.Generator], without: tuple[str, ...],
    inverse: Callable[[TruncatedLaw, NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    rtn = params.noise.rtn
    if not rtn.enabled or rtn.amplitude is None or "rtn" in without:
        return np.zeros(n_devices)
    if "d2d" in without:
        return np.full(n_devices, rtn.amplitude.law().median() if rtn.fraction_of_devices >= 0.5 else 0.0)
    law = rtn.amplitude.law()
    uniforms = _scaled(params, "rtn_amplitude", law, streams["rtn_amplitude"].random(n_devices))
    amplitude = inverse(law, uniforms)
    if params.d2d is not None and params.d2d.scale.get("rtn_amplitude", 1.0) == 0.0:
        return amplitude if rtn.fraction_of_devices >= 0.5 else np.zeros(n_devices)
    return np.where(streams["rtn_present"].random(n_devices) < rtn.fraction_of_devices, amplitude, 0.0)
