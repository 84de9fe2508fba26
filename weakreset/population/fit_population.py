"""From device fits to the D2D laws of a technology."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import FitError, UsageError, expect
from weakreset.fitting.fit_rows import DRAWS_KEPT, FitRows, device_names, drawn, taken, those
from weakreset.fitting.fit_set import FitSet
from weakreset.fitting.result import DeviceFit, FitStatus
from weakreset.fitting.threads import one_blas_thread
from weakreset.model import TruncatedLaw
from weakreset.options import named_options
from weakreset.population.choose_families import LEAST_DEVICES, Laws, choose_families, hold, start_laws
from weakreset.population.correlated import fit_together
from weakreset.population.cycles import cycle_spreads, one_cycle_each, without_cycles
from weakreset.population.defects import count_defects
from weakreset.population.families import fit_values
from weakreset.population.few import few_devices, shared_law
from weakreset.population.hierarchy import Hierarchy
from weakreset.population.in_blocks import InBlocks, Told
from weakreset.population.left_out import informing, left_out, student_factor
from weakreset.population.replicas import with_replicas
from weakreset.population.result import Candidate, CorrelationFit, LawFit, Population
from weakreset.population.rtn_law import fit_rtn_amplitude, stuck_high
from weakreset.population.scores import normal_scores
from weakreset.population.structure import structure_notes
from weakreset.progress import Progress

__all__ = ["MOST_DEVICES", "fit_population"]

Array = NDArray[np.float64]

MOST_DEVICES = 2000
"""Laws of more devices are fitted to a sample: their standard errors are then about a hundredth of a spread."""

_SEEN_SIGMAS = 3.0  # of the mean slope over devices, before a law of it is believed
_FEW = 10  # a family chosen from fewer is named, with a warning


@named_options
def fit_population(
    fits: FitSet,
    *,
    families: Mapping[str, str] | None = None,
    truncation: Mapping[str, tuple[float, float]] | None = None,
    bootstrap: int = 0,
    goodness: int = 0,
    seed: int | np.random.Generator = 0,
    most_devices: int = MOST_DEVICES,
    progress: Progress | None = None,
) -> Population:
    """Fit a truncated law to each parameter by maximum likelihood over the devices' own likelihoods.

    Parameters
    ----------
    fits : FitSet
    families : mapping of str to str, optional
        Family by parameter name; chosen by AIC where not given.
    truncation : mapping of str to (float, float), optional
        Limits known beforehand. Default: [0, inf) for R0, the bounds of the drift shape for its numbers (none for c1,
        [0, inf) for slopes), and for a knee from the smallest that a trace can show.
    bootstrap : int
        Replicates of a bootstrap over devices for 95 % intervals of the laws' numbers (200 is usual); 0 leaves it at
        standard errors from the curvature.
    goodness : int
        Replicas for the goodness of fit of r0_ohm and of the numbers before the knee; 0 for none.
    seed : int or numpy.random.Generator
        For these two.
    most_devices : int
        Of more devices than this, laws are fitted to a random sample of so many; `notes` says what that costs.
        Which devices are drawn follows from their readings, not from `seed`, names or order. 0: families are chosen
        with such a sample of 2,000, and laws, errors and correlations have the likelihood of all devices, summed over
        blocks of them, with no more than one in memory. Of a stream, all are those whose likelihood was kept: 20,000
        drawn in the same way, and every device with `every_likelihood=True`.
    progress : callable, optional
        Called with (done, total, what).

    Raises
    ------
    FitError
        No usable device, or none that identifies its slope and offset; or no drift in all together.
    UsageError
        Replicas of more than 2,000 devices with `most_devices=0`.

    Notes
    -----
    Fewer than 5 devices say nothing about spread: each law is then a constant, and its note says so. A law that fewer
    than 5 devices of many inform is left out (`Population.not_identifiable`). Standard errors of a law that fewer than
    30 devices inform are widened as Student's t has it. However many cycles a device has, it is one device: laws take
    its first cycle, and where the spread between cycles is seen, all cycles tell the two spreads apart
    (`population/cycles.py`).
    """
    expect(fits, FitSet, "wr.fit_population(wr.fit_devices(wr.load_traces(files)))")
    with one_blas_thread():
        say = _silent if progress is None else progress
        return _fit(fits, families or {}, truncation or {}, bootstrap, goodness, seed, most_devices, say)


def _silent(done: int, total: int, what: str) -> None:
    pass


def _fit(
    fits: FitSet, families: Mapping[str, str], truncation: Mapping[str, tuple[float, float]],
    bootstrap: int, goodness: int, seed: int | np.random.Generator, most: int, say: Progress,
) -> Population:
    cycles = in_order(drawn(fits.usable))
    usable = in_order(one_cycle_each(cycles))
    _refuse_restless(fits)
    whole = not most and len(usable) > MOST_DEVICES
    _refuse_replicas(whole, bootstrap or goodness, len(usable))
    # the order is that of digests: the first ones are as good as drawn; these are held, others made when asked for
    held = tuple(usable[: max(most, DRAWS_KEPT)])
    _refuse_no_drift(held, fits)
    if len(usable) < LEAST_DEVICES:
        return few_devices(fits)
    everything, fits = fits, replace(fits, fits=held)
    amplitude, fraction = fit_rtn_amplitude(fits)
    usable = usable if whole and len(usable) > len(held) else held[: most or None]
    structure = (*_sampled(len(usable), len(device_names(everything.usable)), whole), *structure_notes(fits))
    fits = replace(fits, fits=held[: most or None])
    limits = _limits(fits, usable) | dict(truncation)
    stuck = stuck_high(fits, amplitude, fraction)
    measured = [name for name in fits.drift.parameters if name not in fits.drift.shared]
    longest = max(float(fit.pulses[-1]) for fit in usable)
    known = {name: informing(name, usable, fits.drift) for name in measured}
    unknown = [name for name in measured if len(known[name]) < LEAST_DEVICES]
    state = hold(start_laws(fits.fits, fits.drift, limits, families, fits.direction), unknown, fits.drift, longest)
    fitted = {"r0_ohm": _fit_r0(usable, limits, families)}
    quiet = np.array([fit.rtn.status == "not_detected" for fit in usable])
    told = Told(usable, quiet, stuck, _known_r0(usable, fitted["r0_ohm"].law))
    sample = told.hierarchy(0, MOST_DEVICES if whole else None)
    say(0, 3, "laws of the population")
    state = choose_families(sample, state, limits, families)
    say(1, 3, "laws of the population")
    laws, likelihood, correlation = fit_together(InBlocks(told.blocks) if whole else sample, state)
    say(2, 3, "laws of the population")
    covariance = likelihood.covariance(state.free, laws)
    say(3, 3, "laws of the population")
    fitted |= _drift_laws(replace(fits, fits=usable), known, replace(state, laws=laws), covariance)
    if isinstance(likelihood, Hierarchy) and (bootstrap or goodness):
        fitted = with_replicas(fitted, likelihood, replace(state, laws=laws), bootstrap, goodness, seed, say)
    spreads = cycle_spreads(cycles, fits.drift)
    return Population(
        fits.drift.name, without_cycles(fitted, spreads), fits.noise, amplitude, fraction, everything, correlation,
        defects=count_defects(everything), notes=(*_notes(fits, correlation), *structure), cycles=spreads,
        structure=structure,
        not_identifiable={name: left_out(name, fits.drift, usable, known[name]) for name in unknown},
        direction=fits.direction,
    )


def _drift_laws(
    fits: FitSet, known: Mapping[str, Sequence[DeviceFit]], state: Laws, covariance: Mapping[str, Array]
) -> dict[str, LawFit]:
    """Of the numbers of the drift that are identifiable, with their standard errors."""
    fitted = {}
    for name in fits.drift.parameters:
        if name in fits.drift.shared:
            fitted[name] = shared_law(fits, name)
        elif name in state.free:
            law, error = state.laws[name], covariance[name]
            stderr = state.free[name].stderr(law, error) if np.all(np.diag(error) > 0) else {}
            fitted[name] = _law_fit(name, fits, fits.fits, known[name], law, stderr, state.candidates[name])
    return fitted


def in_order(fits: Sequence[DeviceFit]) -> Sequence[DeviceFit]:
    """In an order that names and files do not decide: sums have other bits in another one."""
    prints = fits.fingerprints() if isinstance(fits, FitRows) else [fit.fingerprint for fit in fits]
    return taken(fits, sorted(range(len(fits)), key=prints.__getitem__))


def _sampled(most: int, n: int, whole: bool) -> list[str]:
    """What was fitted to some of the devices, and what that costs."""
    said = []
    if most < n:
        said.append(
            f"laws fitted to {most} of {n} devices, drawn at random: their standard errors are "
            f"{math.sqrt(n / most):.2g} times those of all devices (--full-likelihood fits all; in Python "
            "most_devices=0, of a stream with every_likelihood=True)"
        )
    if whole:
        said.append(f"families of the laws chosen with {MOST_DEVICES} devices, drawn at random")
    return said


def _refuse_replicas(whole: bool, asked: int, n: int) -> None:
    if whole and asked:
        raise UsageError(
            f"bootstrap and goodness: {asked} replicas of the likelihood of {n} devices would take days. Leave them "
            "out, as the laws have standard errors, or leave out --full-likelihood (most_devices=0): replicas of a "
            "sample"
        )


def _refuse_restless(fits: FitSet) -> None:
    """Laws of the few devices that are quiet would not be those of the set."""
    restless = fits.counts()[FitStatus.RESTLESS.value]
    if restless > len(fits.usable):
        raise FitError(
            f"telegraph noise is beyond the search in {restless} of {len(fits)} devices: they change level more often "
            "than the fit follows, so no law of the drift can be told. Measure fewer pulses, or read more often."
        )


def _refuse_no_drift(usable: Sequence[DeviceFit], fits: FitSet) -> None:
    """No law of a slope is identifiable where the mean of all is not three standard errors above zero."""
    drift, trend = fits.drift, fits.drift.trend
    known = [e for fit in usable if (e := _slope(fit, trend)) is not None]
    if not known:
        return
    values = np.array([fits.size(trend, value) for value, _ in known])
    weights = np.array([stderr**-2 for _, stderr in known])
    mean, stderr = float(weights @ values / weights.sum()), float(weights.sum() ** -0.5)
    if mean < -_SEEN_SIGMAS * stderr:
        raise FitError(
            f"the resistance falls: the mean slope {trend} of {len(known)} devices is {mean:.2g} +- {stderr:.2g} per "
            f"pulse, and the {drift.name} drift describes a rise. Is this a SET "
            "(`--direction set`), or does the column hold a conductance?"
        )
    if mean < _SEEN_SIGMAS * stderr:
        *others, last = (name for name in drift.parameters if name != drift.offset)
        names = f"laws of {', '.join(others)} and {last} are" if others else f"law of {last} is"
        raise FitError(
            f"no drift is seen: the mean slope {trend} of {len(known)} devices is {mean:.2g} +- {stderr:.2g} "
            f"per pulse, so the {names} not identifiable. Were the devices pulsed, and are pulse numbers right?"
        )


def _slope(fit: DeviceFit, trend: str) -> tuple[float, float] | None:
    """Of a device and its error, of a drift that does not describe it too."""
    found = fit.estimates.get(trend)
    if found is not None and found.value is not None and found.stderr:
        return found.value, found.stderr
    fitted = None if fit.result is None else fit.result.params.get(trend)
    return (float(fitted.value), float(fitted.stderr)) if fitted is not None and fitted.stderr else None


def _limits(fits: FitSet, usable: Sequence[DeviceFit]) -> dict[str, tuple[float, float]]:
    limits = {number.name: number.bounds for number in fits.drift.numbers} | {"r0_ohm": (0.0, math.inf)}
    knee = fits.drift.knee
    if knee:
        first = min(float(fit.knee_profile[0][0]) for fit in usable if fit.knee_profile is not None)
        # draws are kept in single precision, in which the first candidate may be a little less
        limits[knee] = (min(first, float(np.float32(first))), limits[knee][1])
    return limits


def _known_r0(usable: Sequence[DeviceFit], law: TruncatedLaw) -> dict[str, Array]:
    """Normal scores of r0_ohm where it was read of every device."""
    values = [fit.estimates["r0_ohm"].value for fit in usable]
    known = np.array([value for value in values if value is not None])
    return {"r0_ohm": normal_scores(law, known)} if len(known) == len(values) else {}


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
    name: str, fits: FitSet, usable: Sequence[DeviceFit], known: Sequence[DeviceFit], law: TruncatedLaw,
    stderr: Mapping[str, float], candidates: tuple[Candidate, ...],
) -> LawFit:
    own = those(known, lambda fit: fit.status is not FitStatus.KNEE_UNRESOLVED)  # others are averages over knees
    values = np.array([fits.size(name, float(fit.estimates[name].value or 0.0)) for fit in own])
    note = _undecided(candidates)
    widened = student_factor(len(known))
    window = (law.lower, math.inf)
    censored = 0
    if name == fits.drift.knee:
        last = max(float(fit.pulses[-1]) for fit in usable)
        window = (law.lower, last)
        censored = len(usable) - len(known)
        beyond = 1.0 - float(law.cdf(last))
        note = "; ".join(filter(None, (note, f"{beyond:.0%} of the law lies beyond the longest trace: extrapolated")))
    if not stderr:
        note = "; ".join(filter(None, (note, "standard errors not identifiable")))
    elif len(known) < _FEW:
        said = f"only {len(known)} devices inform it: standard errors widened by {widened:.2f} (Student's t)"
        note = "; ".join(filter(None, (note, said)))
    return LawFit(
        name, fits.drift.units[name], law, {key: widened * error for key, error in stderr.items()}, candidates,
        values, window, len(usable), len(known), censored, note
    )


def _notes(fits: FitSet, correlation: CorrelationFit | None) -> tuple[str, ...]:
    tested = "" if correlation is None else correlation.sentence
    return tuple(filter(None, (fits.noise.note, fits.caveat, tested)))
