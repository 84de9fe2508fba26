"""A parameter file as one self-contained HTML page."""

from __future__ import annotations

import contextlib

from weakreset import plots
from weakreset.errors import ParameterFileError
from weakreset.parameter_file import ParameterFile
from weakreset.parameter_file.describe import describe
from weakreset.report.pictures import picture_of
from weakreset.report.rendering import render
from weakreset.report.tables import Cell, Table

__all__ = ["build_file_page"]


def build_file_page(params: ParameterFile) -> str:
    """What `weakreset show` prints, with pictures; write it with `weakreset.resources.write_atomically`."""
    sections = [
        (section, Table(section.columns, tuple(tuple(map(Cell, row)) for row in section.rows)))
        for section in describe(params)
    ]
    return render(
        "file.html", title=params.name, simulated=params.provenance.simulated, sections=sections,
        pictures=_pictures(params),
    )


def _pictures(params: ParameterFile) -> dict[str, object]:
    made: dict[str, object] = {}
    with contextlib.suppress(ParameterFileError):  # the section says why its devices cannot be drawn
        made["What a device does over pulses"] = picture_of(plots.device_over_pulses(params), "Devices", _DEVICES)
    if params.parameters:
        laws = picture_of(plots.law_comparison([params]), "Device-to-device laws", "Densities; dots are medians.")
        made["How devices differ"] = laws
    return made


_DEVICES = (
    "Resistance against pulses. Black and grey: median and 90 % of the devices by drift alone. Blue: six simulated "
    "devices with all their noise."
)
