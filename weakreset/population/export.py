"""From a fitted population to a parameter file."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from weakreset.errors import ParameterFileError
from weakreset.options import named_options
from weakreset.parameter_file.schema import ParameterFile
from weakreset.population.empirical import measured_devices
from weakreset.population.result import LawFit, Population
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
    noise = population.noise
    if noise.alpha is None:
        raise ParameterFileError("alpha is not identifiable from these traces, so they do not make a parameter file")
    when = created or datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return ParameterFile.model_validate(
        {
            "schema": "weakreset-parameters",
            "name": name,
            "model": population.drift,
            "parameters": {key: _parameter(law) for key, law in population.laws.items()},
            "correlation": _correlation(population),
            "spread": "empirical" if empirical else "parametric",
            "empirical": measured_devices(population) if empirical else None,
            "noise": {
                "pink": {
                    "enabled": noise.alpha > 0,
                    "alpha": noise.alpha,
                    "exponent": noise.exponent if noise.exponent is not None else 0.0,
                    "alpha_stderr": noise.alpha_stderr,
                    "exponent_stderr": noise.exponent_stderr,
                    "n_devices": noise.n_devices,
                },
                "rtn": _telegraph(population),
                "read": {"enabled": noise.read_sd > 0, "sd": noise.read_sd},
            },
            "defects": _defects(population),
            "c2c": _cycles(population),
            "provenance": _provenance(population, command, when, notes) | {"held_out": list(held_out)},
        }
    )


def _limits(law: LawFit) -> list[float | None]:
    return [limit if math.isfinite(limit) else None for limit in (law.law.lower, law.law.upper)]


def _law(law: LawFit) -> dict[str, Any]:
    return {"family": law.law.family, "params": dict(law.law.params), "truncation": _limits(law)}


def _parameter(law: LawFit) -> dict[str, Any]:
    return _law(law) | {
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


def _telegraph(population: Population) -> dict[str, Any]:
    noise, law = population.noise, population.rtn_amplitude
    common = {"n_devices": noise.n_devices}
    if law is None or noise.p_up is None or noise.p_down is None:
        note = noise.note or "too few devices with telegraph steps for a law of their amplitude: not identifiable"
        return common | {"enabled": False, "p_up": 0.0, "p_down": 0.0, "amplitude": None, "note": note}
    return common | {
        "enabled": True,
        "p_up": noise.p_up,
        "p_down": noise.p_down,
        "amplitude": _law(law),
        "fraction_of_devices": population.rtn_fraction if population.rtn_fraction is not None else 1.0,
        "n_informative": law.n_informative,
        "note": law.note or None,
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
    }
