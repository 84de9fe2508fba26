"""Fit results as rows of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from weakreset.fitting.result import DeviceFit, Estimate
from weakreset.model import DriftShape
from weakreset.traces.group_labels import GROUP_COLUMNS

__all__ = ["column_units", "device_columns", "device_rows", "is_text"]

_WORDS = ("device", "status", "rtn_steps", "excluded_because", *GROUP_COLUMNS)


def column_units(drift: DriftShape) -> dict[str, str]:
    """Unit by column of DEVICES.csv; columns that have none are left out."""
    units = {"n_pulses": "pulse", "r0_ohm": "ohm", "alpha": "ln R", "rtn_amplitude": "ln R"}
    return units | {f"{name}{end}": unit for name, unit in drift.units.items() for end in ("", "_stderr", "_lo", "_hi")}


def is_text(column: str) -> bool:
    """Whether a column of DEVICES.csv holds words: an empty one is no missing number."""
    return column in _WORDS or column.endswith("_status")


def device_columns(names: Sequence[str], fits: Iterable[DeviceFit] = ()) -> tuple[str, ...]:
    """Heads of the columns of `device_rows`; of the noise, too, where one of `fits` stands out by it."""
    return ("device", "status", *names, "rtn steps", *(["noise"] if _some_stand_out(fits) else []))


def device_rows(
    fits: Iterable[DeviceFit], names: Sequence[str], among: Iterable[DeviceFit] = ()
) -> list[tuple[str, ...]]:
    """A row a device of a set: each of `names` with its standard error, empty where not identifiable."""
    noise = _some_stand_out(among)
    return [
        (
            fit.device, fit.status.value, *(_cell(fit.estimates.get(name)) for name in names),
            str(len(fit.rtn.steps)), *([f"{fit.noise_ratio:.2g} x" if fit.noise_ratio else ""] if noise else []),
        )
        for fit in fits
    ]


def _some_stand_out(fits: Iterable[DeviceFit]) -> bool:
    return any(fit.noise_ratio is not None for fit in fits)


def _cell(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return ""
    return f"{estimate.value:.3g}" + (f" +- {estimate.stderr:.1g}" if estimate.stderr is not None else "")
