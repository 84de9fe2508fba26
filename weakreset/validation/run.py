"""`validate`: simulate populations like the measured one and see whether it stands out."""

from __future__ import annotations

import os

import numpy as np

from weakreset.errors import UsageError, expect
from weakreset.options import named_options
from weakreset.parameter_file import ParameterFile, load_parameters
from weakreset.progress import Progress
from weakreset.traces import TraceSet
from weakreset.traces.lot_sentence import counted_devices
from weakreset.traces.pulse_settings import count_settings, refuse_mixed
from weakreset.twin import extrapolated
from weakreset.validation.curves import curve_summaries, make_distributions, make_envelope, replica_envelopes
from weakreset.validation.cycles import cycle_summaries
from weakreset.validation.laws import law_summaries
from weakreset.validation.noise import make_spectrum, noise_summaries, replica_spectra
from weakreset.validation.plan import Stratum, make_plan, stratify
from weakreset.validation.pool import Pool, build_pool, build_populations
from weakreset.validation.summaries import Summary, judge
from weakreset.validation.telegraph import telegraph_summaries
from weakreset.validation.verdict import FALSE_ALARM_RATE, Check, Verdict

__all__ = ["validate"]

_FEW_DEVICES = 30  # below it the verdict says how little it can see


@named_options
def validate(
    params: ParameterFile | str | os.PathLike[str],
    traces: TraceSet,
    *,
    n_replicas: int = 999,
    seed: int = 0,
    unseen: bool = False,
    mixed_pulses: bool = False,
    progress: Progress | None = None,
) -> Verdict:
    """Compare measured traces with replicas simulated from `params`.

    A replica has as many devices as were measured, with as many cycles each, read at the same pulses. Curves
    (envelopes of ln(R/R0), distributions of ln R, the fresh resistance), the laws behind them (see
    `weakreset.validation.regression`), the spreads between cycles and between devices where devices have several
    cycles, and noise (steps from read to read, spectrum, sizes and stays of telegraph noise) are summarised alike for
    the measured set and for every replica; the rank of the measured set gives each check its p-value (posterior
    predictive: Gelman, Meng, Stern 1996; the draw is a permutation test, see `weakreset.validation.pool`). A step-down
    correction (Westfall and Young) keeps the chance that a true model fails at 5 % over all checks together.

    The rate holds for the numbers of the file taken as exact. Parameters fitted to these very traces pass more
    easily. For traces that the fit never saw, say `unseen=True`: every replica then is a population of its own, from
    parameters drawn within their standard errors (slower). A fitted model has small errors of form besides, so it
    may fail somewhat more often than 5 % there.

    Parameters
    ----------
    params : ParameterFile, path or preset name
    traces : TraceSet
    n_replicas : int
        About 700 at least, or some checks could never fail.
    seed : int
        Same seed, same verdict.
    unseen : bool
        Whether the parameters were fitted to other devices of the same technology.
    mixed_pulses : bool
        Whether pulses of different amplitude or width may be taken together.
    progress : callable, optional
        Called with (done, total, what).

    Returns
    -------
    Verdict

    Raises
    ------
    TraceError
        No device has two reads, or pulses of different amplitude or width are mixed.
    UsageError
        Too few replicas for a check to fail.
    """
    file = load_parameters(params)
    expect(traces, TraceSet, "wr.validate(params, wr.load_traces(files))")
    if not mixed_pulses:
        refuse_mixed(count_settings(traces))
    strata = stratify(traces)
    plan = make_plan(strata)
    pool = (build_populations if unseen else build_pool)(
        file, strata, plan, n_replicas, np.random.default_rng(seed), progress
    )
    envelopes = replica_envelopes(pool)
    spread = _tells_traces_apart(file, pool)
    curves, no_curves = curve_summaries(pool, plan, envelopes, spread)
    spectra = replica_spectra(pool, plan)
    noise, no_noise = noise_summaries(pool, plan, spectra)
    steps, no_steps = telegraph_summaries(pool)
    laws, no_laws = law_summaries(pool, plan, file, strata, np.random.default_rng((seed, 1))) if spread else ([], [])
    cycles, no_cycles = cycle_summaries(pool, plan) if spread else ([], [])
    checks = judge(_enough_replicas(n_replicas, curves + laws + cycles + noise + steps))
    too_short = [f"device {trace.key}: fewer than 2 reads" for trace in traces if len(trace) < 2]
    whole = [item for item in traces.exclusions if item.pulse is None and item.line is None]
    readings = sum(item.n_readings for item in traces.exclusions if item not in whole)
    n_excluded = len(whole) + len(too_short)
    return Verdict(
        passed=all(check.passed for check in checks),
        checks=checks,
        sentence=_sentence(file, checks, pool, n_excluded) + _beyond(file, strata),
        skipped=tuple(no_curves + no_laws + no_cycles + no_noise + no_steps + too_short),
        n_devices=pool.n_devices,
        n_cycles=pool.members.shape[1],
        n_excluded=n_excluded,
        n_excluded_readings=readings,
        n_replicas=n_replicas,
        n_simulated=pool.n_simulated,
        seed=seed,
        envelope=make_envelope(pool, plan, envelopes),
        params_name=file.name,
        simulated=traces.simulated,
        spectrum=None if spectra is None else make_spectrum(plan, spectra),
        distributions=make_distributions(pool, plan),
    )


def _enough_replicas(n_replicas: int, summaries: list[Summary]) -> list[Summary]:
    """The summaries; the rarest rank must pass the correction even for the one with the least share of the level."""
    weights = np.array([summary.weight for summary in summaries])
    least = int(np.ceil(weights.sum() / weights.min() / FALSE_ALARM_RATE))
    if n_replicas < least:
        raise UsageError(
            f"{n_replicas} replicas are too few for {len(summaries)} checks: no check could ever fail after "
            f"correction; ask for {least} or more"
        )
    return summaries


def _tells_traces_apart(file: ParameterFile, pool: Pool) -> bool:
    """Whether the file says how far such traces are from one another.

    One that was fitted to few devices holds a typical device, which says nothing of other devices; but of the cycles of
    one device it may know the spread.
    """
    typical_only = all(entry.family == "constant" and entry.n_devices is not None for entry in file.parameters.values())
    return not typical_only or (pool.n_devices == 1 and bool(file.c2c))


def _beyond(file: ParameterFile, strata: list[Stratum]) -> str:
    said = extrapolated(file, max(stratum.last for stratum in strata))
    return f" {said[0].upper()}{said[1:]}." if said else ""


def _sentence(file: ParameterFile, checks: tuple[Check, ...], pool: Pool, n_excluded: int) -> str:
    name, rtn = file.name, file.noise.rtn
    growing = any(kind.name == "growing_rtn" for kind, block in file.noise.blocks() if block.enabled)
    failed = [check.name for check in checks if not check.passed]
    left_out = f" ({n_excluded} excluded before)" if n_excluded else ""
    few = " With so few devices only gross errors of the model would show." if pool.n_devices < _FEW_DEVICES else ""
    devices = counted_devices(pool.n_devices, pool.members.shape[1]) + left_out
    if not failed:
        return f"{name} reproduces {devices}: none of {len(checks)} checks tells them from simulated ones.{few}"
    count = f"{len(failed)} of {len(checks)} checks {'fails' if len(failed) == 1 else 'fail'}"
    why = f" ({rtn.note})" if rtn.note else ""
    silent = "" if rtn.enabled or growing else f" The file has no telegraph noise{why}."
    return f"{name} does not reproduce {devices}: {count} ({', '.join(failed)}).{few}{silent}{_unknown(file, failed)}"


def _unknown(file: ParameterFile, failed: list[str]) -> str:
    """What a fit could not tell apart: the file then has all of a parameter's spread between devices."""
    missing = [name for name in file.parameters if name not in (file.c2c or {})]
    if "spread between cycles" not in failed or not missing:
        return ""
    return f" The file has no spread between cycles of {', '.join(missing)}: not seen, or not identifiable, in its fit."
