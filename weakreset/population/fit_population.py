"""From device fits to the D2D laws of a technology."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.result import DeviceFit, FitSet, FitStatus
from weakreset.model import FAMILIES, TruncatedLaw
from weakreset.population.families import POSITIVE_FAMILIES, REAL_FAMILIES, FreeLaw, akaike, fit_values, start_law
from weakreset.population.few import few_devices
from weakreset.population.hierarchy import Hierarchy
from weakreset.population.result import Candidate, LawFit, Population
from weakreset.population.rtn_law import fit_rtn_amplitude, stuck_high

__all__ = ["fit_population"]

Array = NDArray[np.float64]

LEAST_DEVICES = 5
_SIGNED = frozenset({"c1"})
_USUAL = {"c1": "norm", "m1": "expon", "m2": "expon", "t_star": "lognorm"}
_FAMILY_DRAWS = 100


@dataclass(frozen=True)
class _State:
    """Laws as they stand while families are being chosen."""

    free: dict[str, FreeLaw]
    laws: dict[str, TruncatedLaw]
    candidates: dict[str, tuple[Candidate, ...]]


def fit_population(
    fits: FitSet,
    *,
    families: Mapping[str, str] | None = None,
    truncation: Mapping[str, tuple[float, float]] | None = None,
) -> Population:
    """Fit a truncated law to each parameter by maximum likelihood over the devices' own likelihoods.

    Parameters
    ----------
    fits : FitSet
    families : mapping of str to str, optional
        Family by parameter name; chosen by AIC where not given.
    truncation : mapping of str to (float, float), optional
        Limits known beforehand. Default: none for c1, [0, inf) for slopes and R0, and for t_star from
        the smallest knee that a trace can show.

    Raises
    ------
    FitError
        No usable device, or fewer than 5 of which none has a resolved knee.

    Notes
    -----
    Fewer than 5 devices say nothing about spread: each law is then a constant, and its note says so.
    """
    usable = [fit for fit in fits.usable if fit.draws is not None]
    if len(usable) < LEAST_DEVICES:
        return few_devices(fits)
    limits = _limits(fits, usable) | dict(truncation or {})
    amplitude, fraction = fit_rtn_amplitude(fits)
    stuck = stuck_high(fits, amplitude, fraction)
    measured = fits.drift.parameters
    state = _start(usable, measured, limits, families or {})
    state = _choose_families(Hierarchy(usable, stuck, _FAMILY_DRAWS), state, usable, limits, families or {})
    hierarchy = Hierarchy(usable, stuck)
    laws, _ = hierarchy.maximize(state.free, state.laws)
    covariance = hierarchy.covariance(state.free, laws)
    fitted = {"r0_ohm": _fit_r0(usable, limits, families or {})}
    for name in measured:
        error = covariance[name]
        stderr = state.free[name].stderr(laws[name], error) if np.all(np.diag(error) > 0) else {}
        fitted[name] = _law_fit(name, fits, usable, laws[name], stderr, state.candidates[name])
    return Population(
        fits.drift.name, fitted, fits.noise, amplitude, fraction, fits, defects=_defects(fits), notes=_notes(fits)
    )


def _limits(fits: FitSet, usable: Sequence[DeviceFit]) -> dict[str, tuple[float, float]]:
    limits = {name: (-math.inf if name in _SIGNED else 0.0, math.inf) for name in fits.drift.parameters}
    limits["r0_ohm"] = (0.0, math.inf)
    if "t_star" in limits:
        first = min(float(fit.knee_profile[0][0]) for fit in usable if fit.knee_profile is not None)
        limits["t_star"] = (first, math.inf)
    return limits


def _candidates_for(name: str) -> tuple[str, ...]:
    return REAL_FAMILIES[:1] if name in _SIGNED else POSITIVE_FAMILIES


def _start(
    usable: Sequence[DeviceFit], names: Sequence[str], limits: Mapping[str, tuple[float, float]],
    families: Mapping[str, str],
) -> _State:
    free, laws = {}, {}
    for name in names:
        family = families.get(name, _USUAL.get(name, "lognorm"))
        free[name], laws[name] = start_law(family, _rough_values(name, usable, limits[name]), *limits[name])
    return _State(free, laws, {})


def _rough_values(name: str, usable: Sequence[DeviceFit], limits: tuple[float, float]) -> Array:
    """Device estimates inside the limits, the resolved ones where there are enough."""
    resolved = [fit for fit in usable if fit.status is FitStatus.OK]
    chosen = resolved if len(resolved) >= LEAST_DEVICES else usable
    values = np.array([fit.numbers[name] for fit in chosen])
    low, high = limits
    inside = np.clip(values, low if math.isfinite(low) else None, high if math.isfinite(high) else None)
    return np.asarray(inside if np.ptp(inside) > 0 else inside + np.linspace(0, 1e-9, len(inside)))


def _choose_families(
    hierarchy: Hierarchy, state: _State, usable: Sequence[DeviceFit],
    limits: Mapping[str, tuple[float, float]], families: Mapping[str, str],
) -> _State:
    """One parameter after the other, the others held at their best."""
    laws, _ = hierarchy.maximize(state.free, state.laws)
    free, candidates = dict(state.free), {}
    for name in free:
        tried: dict[str, tuple[float, FreeLaw, TruncatedLaw]] = {}
        for family in (families[name],) if name in families else _candidates_for(name):
            for option in _options(family, name, hierarchy, laws, limits[name], free[name]):
                fitted, log_likelihood = hierarchy.maximize(
                    {**free, name: option[0]}, {**laws, name: option[1]}, only=[name]
                )
                count = len(FAMILIES[family].param_names) - (family == "expon" and option[0].fixed["loc"] <= 0)
                aic = -2.0 * log_likelihood + 2.0 * count
                if family not in tried or aic < tried[family][0]:
                    tried[family] = (aic, option[0], fitted[name])
        candidates[name] = akaike({family: aic for family, (aic, _, _) in tried.items()})
        _, free[name], laws[name] = tried[candidates[name][0].family]
    return _State(free, laws, candidates)


def _options(
    family: str, name: str, hierarchy: Hierarchy, laws: Mapping[str, TruncatedLaw],
    limits: tuple[float, float], current: FreeLaw,
) -> list[tuple[FreeLaw, TruncatedLaw]]:
    """Where to start a family; for the exponential of a slope also with a loc above zero."""
    densities = {key: hierarchy.log_density(key, law) for key, law in laws.items()}
    _, weight, _, _ = hierarchy.combine(densities, hierarchy.log_beyond(laws.get("t_star")))
    values, w = hierarchy.inside[name].ravel(), weight.ravel()
    order = np.argsort(values)
    cumulative = np.cumsum(w[order]) / w.sum()
    sample = values[order][np.searchsorted(cumulative, (np.arange(400) + 0.5) / 400).clip(0, len(values) - 1)]
    options = [(current, laws[name])] if family == current.family else [start_law(family, sample, *limits)]
    if family == "expon" and name != "t_star":
        scale = float(sample.mean())
        for loc in scale * np.array([0.01, 0.02, 0.035, 0.05, 0.07, 0.1]):
            free = FreeLaw("expon", {"loc": float(loc)}, max(limits[0], float(loc)), limits[1])
            options.append((free, free.law([math.log(scale)])))
    return options


def _fit_r0(
    usable: Sequence[DeviceFit], limits: Mapping[str, tuple[float, float]], families: Mapping[str, str]
) -> LawFit:
    values = np.array([v for fit in usable if (v := fit.estimates["r0_ohm"].value) is not None])
    if len(values) < LEAST_DEVICES:
        first = np.array([fit.first_read_ohm for fit in usable])
        fitted = fit_values(first, ("lognorm",), *limits["r0_ohm"])
        note = "R0 was not read: this is the law of the first read, and only r0_ohm*exp(c1) is identified"
        return LawFit(
            "r0_ohm", "ohm", fitted.law, fitted.stderr, fitted.candidates, first, (0.0, math.inf),
            len(usable), 0, note=note,
        )
    names = (families["r0_ohm"],) if "r0_ohm" in families else ("norm", "lognorm", "gamma", "weibull")
    fitted = fit_values(values, names, *limits["r0_ohm"])
    return LawFit(
        "r0_ohm", "ohm", fitted.law, fitted.stderr, fitted.candidates, values, (0.0, math.inf),
        len(usable), len(values), note=_undecided(fitted.candidates),
    )


def _undecided(candidates: Sequence[Candidate]) -> str:
    close = [c.family for c in candidates[1:] if c.weight > 0.1]
    return f"the family cannot be told from {', '.join(close)} with these devices" if close else ""


def _law_fit(
    name: str, fits: FitSet, usable: Sequence[DeviceFit], law: TruncatedLaw, stderr: Mapping[str, float],
    candidates: tuple[Candidate, ...],
) -> LawFit:
    known = [fit for fit in usable if fit.estimates[name].value is not None]
    if name == "m2":
        known = [fit for fit in known if fit.status is FitStatus.OK]
    values = np.array([float(fit.estimates[name].value or 0.0) for fit in known])
    note = _undecided(candidates)
    window = (law.lower, math.inf)
    censored = 0
    if name == "t_star":
        last = max(float(fit.pulses[-1]) for fit in usable)
        window = (law.lower, last)
        censored = len(usable) - len(known)
        beyond = 1.0 - float(law.cdf(last))
        note = "; ".join(filter(None, (note, f"{beyond:.0%} of the law lies beyond the longest trace: extrapolated")))
    if not stderr:
        note = "; ".join(filter(None, (note, "standard errors not identifiable")))
    return LawFit(
        name, fits.drift.units[name], law, stderr, candidates, values, window, len(usable), len(known), censored, note
    )


def _defects(fits: FitSet) -> dict[str, int]:
    """Excluded devices by reason."""
    counts: dict[str, int] = {}
    for fit in fits:
        if fit.status is FitStatus.EXCLUDED:
            counts[fit.excluded_because] = counts.get(fit.excluded_because, 0) + 1
    return counts


def _notes(fits: FitSet) -> tuple[str, ...]:
    return tuple(filter(None, (fits.noise.note, fits.caveat)))
