"""What a target of an export is, and the lines with which everything exported begins."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from weakreset.parameter_file import ParameterFile
from weakreset.version import __version__

__all__ = ["ExportSettings", "Target", "header"]


@dataclass(frozen=True)
class ExportSettings:
    """How many devices are drawn, for how many RESET pulses, from which seed; `ending` is that of the file."""

    devices: int
    pulses: int
    seed: int
    ending: str


@dataclass(frozen=True)
class Target:
    """A simulator that is written for.

    Attributes
    ----------
    name : str
        Of `--to`.
    endings : tuple of str
        Of the file, the usual one first.
    devices : int
        How many are drawn unless told otherwise.
    write : callable
        (parameter file, settings) -> the text.
    """

    name: str
    endings: tuple[str, ...]
    devices: int
    write: Callable[[ParameterFile, ExportSettings], str]


def header(
    params: ParameterFile, what: str, settings: ExportSettings, error: Sequence[str], left_out: Sequence[str]
) -> list[str]:
    """Lines for the comment at the top: made by what from what, how far off it is, and what cannot be carried."""
    # json.dumps: a name with a line break in it must not end the comment
    return [
        f"{what}: made by weakreset {__version__} from {json.dumps(params.name)}",
        f"simulated: true (drift {params.model}, direction {params.direction}, seed {settings.seed})",
        *(f"error: {line}" for line in error),
        *(f"not carried: {line}" for line in left_out),
    ]
