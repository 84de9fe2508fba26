"""The measured devices themselves as a block of the parameter file."""

from __future__ import annotations

from typing import Any

from weakreset.errors import ParameterFileError
from weakreset.fitting.result import DeviceFit, FitStatus
from weakreset.population.result import Population

__all__ = ["measured_devices"]

_SELECTION = (
    "This selects: late and faint knees are missing, so knees are too early on average and slopes before them too "
    "steep. "
)


def measured_devices(population: Population) -> dict[str, Any]:
    """Rows of the devices that identify every one of their numbers, and how many do not.

    Raises
    ------
    ParameterFileError
        Not one device does.
    """
    fits = population.fits
    names = ["r0_ohm", *fits.drift.parameters, "rtn_amplitude"]
    signs = [fits.size(name, 1.0) for name in names]
    measured = [row for fit in fits.usable if (row := _row(fit, names)) is not None]
    rows = [[sign * value for sign, value in zip(signs, row, strict=True)] for row in measured]
    left_out = len(fits.usable) - len(rows)
    if not rows:
        raise ParameterFileError(
            f"empirical: not one of {len(fits.usable)} devices identifies all of {', '.join(names)}; "
            "export the laws instead"
        )
    note = (
        f"{len(rows)} of {len(fits.usable)} fitted devices; {left_out} that do not identify every number are excluded. "
        f"{_SELECTION if fits.drift.knee else ''}The numbers are estimates and spread by their errors too, those that "
        "are hard to see most. Telegraph amplitude 0 means that no step was seen, and "
        f"{fits.drift.offset} of a device that sat in the high state throughout holds its amplitude. The laws in "
        "`parameters` correct for all of this"
    )
    return {"names": names, "devices": rows, "n_left_out": left_out, "note": note}


def _row(fit: DeviceFit, names: list[str]) -> list[float] | None:
    """The device's numbers, or None where one is not identifiable."""
    if fit.status is not FitStatus.OK or fit.rtn.status == "not_two_level":
        return None
    values = [fit.estimates[name].value for name in names[:-1]]
    row = [float(value) for value in values if value is not None]
    return [*row, float(fit.rtn.amplitude or 0.0)] if len(row) == len(values) else None
