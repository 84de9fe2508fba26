"""Fit every device of a set: noise first, pooled; then knees and telegraph steps; then lmfit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import FitError
from weakreset.fitting.bases import BASES, Basis
from weakreset.fitting.design import design_of
from weakreset.fitting.device_fit import RESOLVED_LR, ScannedDevice, fit_device, likelihood_ratio
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.knee_posterior import scan_moments
from weakreset.fitting.noise_fit import ColourFit, DesignedTraces, fit_colour, robust_alpha
from weakreset.fitting.result import DeviceFit, FitSet, FitStatus, PooledNoise, excluded_fits
from weakreset.fitting.rtn_rates import pooled_rates
from weakreset.fitting.step_search import search_knees_and_steps
from weakreset.fitting.whitening import NoiseColour, Whitener
from weakreset.traces import Exclusion, PulseTrace, TraceSet

__all__ = ["FitOptions", "fit_devices"]

Array = NDArray[np.float64]
Progress = Callable[[int, int, str], None]

LEAST_READS = 30
MOST_READS = 4096
_NOISE_DEVICES = 96
_NOISE_READS = 512
_BLOCK = 256
_OWN_ALPHA_RATIO = 1.3
_WIDE_M2 = 1e-2


@dataclass(frozen=True)
class FitOptions:
    """What may be fixed by the user.

    Attributes
    ----------
    drift : str
        A key of `weakreset.model.SHAPES`, or "auto": the one with the lowest AIC over the whole set.
    alpha : float, optional
        Amplitude of the 1/f noise (unit-variance drive, in ln R); estimated unless given.
    exponent : float, optional
        beta of 1/f^beta; estimated from all devices together unless given.
    read_sd : float, optional
        Read noise in ln R; estimated unless given.
    rtn : bool
        Whether to look for telegraph steps.
    """

    drift: str = "two-slope"
    alpha: float | None = None
    exponent: float | None = None
    read_sd: float | None = None
    rtn: bool = True


@dataclass(frozen=True)
class _Group:
    """Traces read at the same pulses."""

    pulses: NDArray[np.int64]
    traces: list[PulseTrace]
    rows: Array


def fit_devices(
    traces: TraceSet, options: FitOptions | None = None, progress: Progress | None = None, **fixed: object
) -> FitSet:
    """Fit each device's drift and telegraph noise under 1/f noise estimated from all of them.

    Parameters
    ----------
    traces : TraceSet
    options : FitOptions, optional
        Or give its fields as keywords: `fit_devices(traces, drift="two-slope", exponent=1.0)`.
    progress : callable, optional
        Called as progress(done, total, what).

    Returns
    -------
    FitSet
        A fit for every trace and every excluded device. Of traces with more than 4,096 reads every second
        (third, ...) is used, exactly as measured; `notes` says so.

    Raises
    ------
    FitError
        Unknown drift, or not one trace that is long enough.
    """
    chosen = replace(options or FitOptions(), **fixed)  # type: ignore[arg-type]
    if chosen.drift == "auto":
        return _best_drift(traces, chosen, progress)
    if chosen.drift not in BASES:
        raise FitError(f"unknown drift {chosen.drift!r}: choose from {', '.join(BASES)}, auto")
    basis = BASES[chosen.drift]
    groups, short, thinned = _grouped(traces)
    if not groups:
        raise FitError(
            f"no trace has the {LEAST_READS} reads after the first pulse that a fit needs "
            f"({len(traces)} traces, {len(traces.exclusions)} exclusions)"
        )
    report = progress or (lambda done, total, what: None)
    total = sum(len(group.traces) for group in groups)
    report(0, total, "noise of the technology")
    noise = _pooled_colour(groups, basis, chosen)
    fits: dict[str, DeviceFit] = {}
    for fit in _fit_groups(groups, basis, chosen, noise):
        fits[fit.device] = fit
        report(len(fits), total, "devices")
    ordered = [fits[trace.key] for trace in traces if trace.key in fits]
    left_out = excluded_fits((*traces.exclusions, *short), basis.shape)
    return FitSet(
        tuple(ordered + left_out),
        _summary(ordered, noise, chosen),
        basis.shape,
        traces,
        method="lmfit on residuals whitened for pooled 1/f noise, started at the exact scan of all knees",
        notes=tuple(thinned),
    )


def _best_drift(traces: TraceSet, options: FitOptions, progress: Progress | None) -> FitSet:
    """The drift shape with the lowest AIC over the whole set, the others' AIC in the notes."""
    tried = {name: fit_devices(traces, replace(options, drift=name), progress) for name in BASES}
    ranked = sorted(tried, key=lambda name: tried[name].aic)
    best = tried[ranked[0]]
    gaps = ", ".join(f"{name} +{tried[name].aic - best.aic:.1f}" for name in ranked[1:])
    note = f"drift chosen by AIC over {len(best.usable)} devices: {ranked[0]}; the others: {gaps}"
    return replace(best, notes=(note, *best.notes))


def _grouped(traces: TraceSet) -> tuple[list[_Group], list[Exclusion], list[str]]:
    by_grid: dict[bytes, list[tuple[PulseTrace, NDArray[np.int64], Array]]] = {}
    short: list[Exclusion] = []
    thinned: list[str] = []
    for trace in traces:
        pulses, log_ratio = trace.log_ratio()
        stride = -(-len(pulses) // MOST_READS)
        if stride > 1:
            thinned.append(f"{trace.where}: {len(pulses)} reads, every {stride}. used")
            pulses, log_ratio = pulses[::stride], log_ratio[::stride]
        if len(pulses) < LEAST_READS:
            reason = f"{len(pulses)} reads after the first pulse; a fit needs {LEAST_READS}"
            short.append(Exclusion(trace.device, reason, trace.cycle, n_readings=len(trace)))
        else:
            by_grid.setdefault(pulses.tobytes(), []).append((trace, pulses, log_ratio))
    groups = [
        _Group(members[0][1], [trace for trace, _, _ in members], np.stack([row for _, _, row in members]))
        for members in by_grid.values()
    ]
    return sorted(groups, key=lambda group: -len(group.traces)), short, thinned


def _scan(
    dictionary: Dictionary, group: _Group, alpha: float | None, rtn: bool
) -> Iterator[ScannedDevice]:
    """Best configuration of each device; `alpha` None means each device's own robust value."""
    rows = group.rows
    white, products, _ = dictionary.project(rows)
    own = robust_alpha(white)
    used = own if alpha is None else np.where(own > _OWN_ALPHA_RATIO * alpha, own, alpha)
    configurations = search_knees_and_steps(dictionary, products, used**2, rtn)
    for i, configuration in enumerate(configurations):
        design = design_of(dictionary, products[i], configuration)
        freedom = len(rows[i]) - design.mix.shape[1] - 2 * (configuration.knee is not None)
        left = float(white[i] @ white[i]) - configuration.explained
        yield ScannedDevice(
            group.traces[i], rows[i], white[i], products[i], configuration, design,
            float(used[i]), float(np.sqrt(max(left, 0.0) / freedom)),
        )


def _pooled_colour(groups: list[_Group], basis: Basis, options: FitOptions) -> ColourFit:
    """Noise from up to 96 devices, up to 512 reads each; twice, as the steps found depend on it."""
    part = _noise_sample(groups)
    start = 1.0 if options.exponent is None else options.exponent
    fit = ColourFit(NoiseColour(start, 0.0), 0.0, None, None)
    for _ in range(2):
        designed = [_designed(group, basis, fit, options) for group in part]
        ratio = None if options.read_sd is None else _fixed_ratio(options.read_sd, options.alpha or fit.alpha)
        fit = fit_colour(designed, options.exponent, ratio, fit.colour.exponent or start)
    return fit if options.alpha is None else replace(fit, alpha=options.alpha, alpha_stderr=None)


def _fixed_ratio(read_sd: float, alpha: float) -> float:
    return (read_sd / alpha) ** 2 if alpha > 0 else 0.0


def _noise_sample(groups: list[_Group]) -> list[_Group]:
    sample: list[_Group] = []
    wanted = _NOISE_DEVICES
    for group in groups:
        if wanted <= 0:
            break
        stride = max(1, -(-len(group.traces) // wanted))
        rows = group.rows[::stride, :_NOISE_READS]
        sample.append(_Group(group.pulses[:_NOISE_READS], group.traces[::stride], rows))
        wanted -= len(rows)
    return sample


def _designed(group: _Group, basis: Basis, fit: ColourFit, options: FitOptions) -> DesignedTraces:
    """What each ordinary device needs before its noise shows; devices twice as noisy as most are left out."""
    dictionary = Dictionary(Whitener(group.pulses, fit.colour), basis, options.rtn)
    scanned = list(_scan(dictionary, group, fit.alpha or None, options.rtn))
    quiet = np.median([device.own_alpha for device in scanned])
    kept = [i for i, device in enumerate(scanned) if device.own_alpha < 2.0 * quiet]
    designs = [scanned[i].design.raw(dictionary, scanned[i].configuration) for i in kept]
    return DesignedTraces(group.pulses, group.rows[kept], designs)


def _fit_groups(
    groups: list[_Group], basis: Basis, options: FitOptions, noise: ColourFit
) -> Iterator[DeviceFit]:
    cap: float | None = None
    for group in groups:
        dictionary = Dictionary(Whitener(group.pulses, noise.colour), basis, options.rtn)
        for start in range(0, len(group.traces), _BLOCK):
            block = _Group(group.pulses, group.traces[start : start + _BLOCK], group.rows[start : start + _BLOCK])
            scanned = list(_scan(dictionary, block, noise.alpha, options.rtn))
            if cap is None:
                cap = _m2_cap(dictionary, scanned)
            for device in scanned:
                yield fit_device(dictionary, device, cap, _stream(device.trace.key))


def _m2_cap(dictionary: Dictionary, scanned: list[ScannedDevice]) -> float:
    """Eight times the mean m2 of the devices with a clear knee, its error allowed for: far above them all."""
    if "m2" not in dictionary.basis.linear:
        return np.inf
    row, weights, total = dictionary.basis.linear.index("m2"), 0.0, 0.0
    for device in scanned:
        if likelihood_ratio(dictionary, device) > RESOLVED_LR:
            moments = scan_moments(dictionary, device.products, device.design, device.alpha**2)
            at = int(moments.log_z.argmax())
            weight = 1.0 / float(moments.variances()[row, at])
            weights, total = weights + weight, total + weight * float(moments.numbers[row, at])
    if weights == 0.0:
        return _WIDE_M2
    return 8.0 * (max(total / weights, 0.0) + 2.0 / float(np.sqrt(weights)))


def _stream(key: str) -> np.random.Generator:
    """Draws of a device depend on its name alone, not on which others are fitted with it."""
    return np.random.default_rng(list(key.encode()))


def _summary(fits: list[DeviceFit], noise: ColourFit, options: FitOptions) -> PooledNoise:
    """Pooled alpha over every ordinary device, and telegraph rates."""
    usable = [fit for fit in fits if fit.status in (FitStatus.OK, FitStatus.KNEE_UNRESOLVED) and fit.alpha]
    ordinary = [fit for fit in usable if fit.alpha is not None and fit.alpha < _OWN_ALPHA_RATIO * noise.alpha]
    freedom = np.array([len(fit.pulses) for fit in ordinary], dtype=np.float64)
    squares = np.array([fit.alpha or 0.0 for fit in ordinary]) ** 2
    fixed = options.alpha is not None or not ordinary
    alpha = noise.alpha if fixed else float(np.sqrt((freedom @ squares) / freedom.sum()))
    rates = pooled_rates(usable)
    return PooledNoise(
        alpha=alpha,
        exponent=noise.colour.exponent,
        alpha_stderr=noise.alpha_stderr if fixed else alpha / float(np.sqrt(2.0 * freedom.sum())),
        exponent_stderr=noise.exponent_stderr,
        read_sd=alpha * float(np.sqrt(noise.colour.read_ratio)),
        p_up=rates.p_up,
        p_down=rates.p_down,
        n_devices=len(usable),
        n_transitions=rates.n_transitions,
        note=rates.note,
    )
