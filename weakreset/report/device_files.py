"""The table of all devices of a fit, and its description beside it."""

from __future__ import annotations

from pathlib import Path

from weakreset.display import csv_for_people
from weakreset.exports import package_of
from weakreset.fitting import FitSet
from weakreset.fitting.table import column_units, is_text

__all__ = ["device_files"]


def device_files(fits: FitSet, path: Path) -> dict[Path, str]:
    """Texts of the CSV `path`, a row a device, and of its datapackage.json, by path."""
    text = csv_for_people(fits.to_frame())
    words = tuple(name for name in text.partition("\n")[0].split(",") if is_text(name))
    about = f"{fits.counted}, {fits.drift.name} drift"
    described = package_of(path, text.encode(), column_units(fits.drift), about, fits.traces.simulated, words)
    return {path: text} | dict([described])
