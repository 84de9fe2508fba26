"""What a target of an export is, and the lines with which everything exported begins."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from weakreset.errors import UsageError
from weakreset.parameter_file import ParameterFile
from weakreset.version import __version__

__all__ = ["ExportSettings", "Pulse", "Target", "header", "noise_words", "pulse_of", "refuse_many"]

_VOLTAGE_V, _WIDTH_S = 0.9, 1e-6  # of a file that names no pulse: those of the paper's devices, roughly


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


@dataclass(frozen=True)
class Pulse:
    """What a bench applies; reads are far below what counts."""

    voltage_v: float
    width_s: float

    @property
    def threshold_v(self) -> float:
        return self.voltage_v / 2  # a read cannot reach it, the edge of a pulse crosses it once

    @property
    def read_v(self) -> float:
        return min(0.1, self.voltage_v / 5)

    @property
    def tau_s(self) -> float:
        """Of the latches that count pulses: e^-25 beside their goal after one."""
        return self.width_s / 25

    @property
    def period_s(self) -> float:
        return 2 * self.width_s

    @property
    def edge_s(self) -> float:
        return self.width_s / 1000

    @property
    def assumed(self) -> str:
        """What a header says of it where the file names none."""
        return f"the RESET pulse: the file names none; {self.voltage_v} V and {self.width_s} s are assumed"


def pulse_of(params: ParameterFile) -> Pulse:
    """The RESET pulse of the file, or one that is assumed."""
    given = params.reset_pulse
    return Pulse(_VOLTAGE_V, _WIDTH_S) if given is None else Pulse(given.voltage_v, given.width_s)


def noise_words(params: ParameterFile) -> str:
    """The kinds of noise that the devices of the file have, for what a target cannot carry."""
    kinds = [kind.label for kind, _ in params.device_noise(()).audible() if kind.in_all]  # not that of reads
    return ", ".join(kinds) or "noise (the file has none)"


def refuse_many(settings: ExportSettings, most: int, where: str) -> None:
    """Raise where devices x pulses are more numbers than the target can hold."""
    if settings.devices * settings.pulses > most:
        raise UsageError(
            f"{settings.devices} devices x {settings.pulses} pulses are too much for {where} (at most {most} "
            "together): fewer --devices or --pulses"
        )


def header(
    params: ParameterFile, what: str, settings: ExportSettings, error: Sequence[str], left_out: Sequence[str]
) -> list[str]:
    """Lines for the comment at the top: made by what from what, how far off it is, and what cannot be carried."""
    # json.dumps: a name with a line break in it must not end the comment
    return [
        f"{what}: made by weakreset {__version__} from {json.dumps(params.name)}",
        f"simulated: true (drift {params.model}, direction {params.direction}, seed {settings.seed})",
        *(f"error: {line}" for line in error),
        *(f"not carried: {line}" for line in (*left_out, *_of_file(params))),
    ]


def _of_file(params: ParameterFile) -> list[str]:
    """What drawn devices are not, whatever the target."""
    said = []
    if params.defects.fraction > 0:
        said.append(f"defects: {params.defects.fraction:.2g} of the cells measured do not work, all that are here do")
    if params.dies is not None:
        said.append(f"{params.dies.column}: devices of one resemble each other, those here are drawn one by one")
    if params.c2c is not None:
        said.append("the spread between cycles: each device here stays in the cycle that was drawn")
    return said
