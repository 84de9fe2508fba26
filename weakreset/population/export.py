"""From a fitted population to a parameter file."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from weakreset.errors import ParameterFileError, expect
from weakreset.model import NoiseKind, noise_kinds
from weakreset.options import named_options
from weakreset.parameter_file.noise_schema import noise_block
from weakreset.parameter_file.schema import ParameterFile
from weakreset.population.empirical import measured_devices
from weakreset.population.result import LawFit, Population
from weakreset.population.structure import group_tests
from weakreset.version import __version__

__all__ = ["export_parameters"]


@named_options
def export_parameters(
    population: Population,
    name: str,
    *,
    command: str | None = None,
    created: str | None = None,
    notes: Sequence[str] = (),
    empirical: bool = False,
    held_out: Sequence[str] = (),
) -> ParameterFile:
    """Write a population down as a parameter file.

    Parameters
    ----------
    population : Population
    name : str
        Name of the technology or lot.
    command : str, optional
        How the traces were fitted, for the provenance.
    created : str, optional
        ISO date and time; now (UTC) unless given.
    notes : sequence of str
    empirical : bool
        Also store the resolved devices themselves, and draw simulated devices from them instead of from the laws.
    held_out : sequence of str
        Names of devices that were kept out of the fit (`TraceSet.hold_out`), for the provenance.

    Raises
    ------
    ParameterFileError
        A noise level that the simulation needs is not identifiable; `empirical` without a resolved device.
    """
    expect(population, Population, "wr.export_parameters(wr.fit_population(fits), name)")
    blocks = {kind.name: _noise(kind, population) for kind in noise_kinds().values()}
    when = created or datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return ParameterFile.model_validate(
        {
            "schema": "weakreset-parameters",
            "name": name,
            "model": population.drift,
            "direction": population.direction,
            "parameters": {key: _parameter(law) for key, law in population.laws.items()},
            "not_identifiable": {key: entry.model_dump() for key, entry in population.not_identifiable.items()},
            "correlation": _correlation(population),
            "spread": "empirical" if empirical else "parametric",
            "empirical": measured_devices(population) if empirical else None,
            "noise": {kind: block for kind, block in blocks.items() if block is not None},
            "defects": _defects(population),
            "dies": _dies(population),
            "c2c": _cycles(population),
            "provenance": _provenance(population, command, when, notes) | {"held_out": list(held_out)},
        }
    )


def _noise(kind: NoiseKind, population: Population) -> Mapping[str, Any] | None:
    """The block of a kind of noise; None where the fit says nothing of it."""
    if kind.export is not None:
        return kind.export(population)
    found = population.noise.others.get(kind.name)
    try:
        return None if found is None else noise_block(kind).model_validate(dict(found)).model_dump()
    except ValueError as error:
        raise ParameterFileError(f"the estimator of {kind.label} gave no block of a file: {error}") from None


def _parameter(law: LawFit) -> dict[str, Any]:
    return law.law.to_dict() | {
        "unit": law.unit,
        "stderr": dict(law.stderr) or None,
        "n_devices": law.n_devices,
        "n_informative": law.n_informative,
        "n_censored": law.n_censored,
        "candidates": [
            {"family": c.family, "aic": round(c.aic, 3), "weight": round(c.weight, 6)}
            for c in law.candidates
            if math.isfinite(c.aic)
        ]
        or None,
        "note": law.note or None,
        "interval": {key: list(ends) for key, ends in law.interval.items()} or None,
        "goodness_of_fit": [asdict(test) for test in law.goodness_of_fit] or None,
    }


def _correlation(population: Population) -> dict[str, Any] | None:
    fit = population.correlation
    matrix = None if fit is None else fit.significant()
    if fit is None or matrix is None:
        return None
    tests = [asdict(test) | {"names": list(test.names), "interval": list(test.interval)} for test in fit.tests]
    return {"names": list(fit.names), "matrix": matrix.tolist(), "tests": tests}


def _cycles(population: Population) -> dict[str, Any] | None:
    """Spreads between cycles that were seen; None where there are none."""
    return {
        name: {
            "sd": spread.sd, "scale": spread.scale, "n_devices": spread.n_devices, "n_cycles": spread.n_cycles,
            "stderr": spread.stderr if spread.stderr is not None and math.isfinite(spread.stderr) else None,
        }
        for name, spread in population.cycles.items()
        if spread.sd is not None
    } or None


def _dies(population: Population) -> dict[str, Any] | None:
    """Shares of the variance between the dies, or else the wafers or lots, that were shown to differ."""
    tests = [test for test in group_tests(population.fits) if test.differ and test.number in population.laws]
    for column in ("die", "wafer", "lot"):
        found = [test for test in tests if test.column == column and 0.0 < test.share < 1.0]
        if found:
            return {
                "column": column, "share": {test.number: round(test.share, 6) for test in found},
                "n_groups": max(test.n_groups for test in found),
                "note": "errors of the devices' own estimates count as spread within, so shares are a little too low",
            }
    return None


def _defects(population: Population) -> dict[str, Any]:
    total = len(population.fits)
    if not total or not population.defects:
        return {}
    kinds = [{"kind": kind, "fraction": count / total} for kind, count in population.defects.items()]
    return {"fraction": sum(population.defects.values()) / total, "kinds": kinds}


def _provenance(
    population: Population, command: str | None, created: str, notes: Sequence[str]
) -> dict[str, Any]:
    traces = population.fits.traces
    counted: Counter[tuple[str, str]] = Counter()
    for item in traces.exclusions:
        counted[item.device, item.reason] += item.n_readings
    named = {(item.device, item.reason) for item in traces.exclusions}
    for fit in population.fits:
        if fit.excluded_because and not any(fit.of_device == device for device, _ in named):
            counted[fit.device, fit.excluded_because] += 1
    return {
        "software": "weakreset",
        "software_version": __version__,
        "created": created,
        "command": command,
        "simulated": traces.simulated,
        "inputs": [
            {"file": source.path, "sha256": source.sha256} for source in traces.sources if source.format != "simulation"
        ],
        "exclusions": [
            {"device": device, "reason": reason, "n_readings": count} for (device, reason), count in counted.items()
        ],
        "notes": [*population.notes, *population.cycle_sentences(), *traces.notes, *notes],
        "longest_pulse": max((int(fit.pulses[-1]) for fit in population.fits.usable), default=None),
    }
