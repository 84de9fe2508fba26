"""Schema of the parameter file: what the exporter writes and the PyTorch layer reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from weakreset.display import Shown, Summary
from weakreset.model import SHAPES, DeviceNoise
from weakreset.parameter_file.correlation import Correlation
from weakreset.parameter_file.dies import Dies
from weakreset.parameter_file.law_schema import (
    CycleSpread,
    FamilyChoice,
    ParameterLaw,
    Probability,
    Strict,
)
from weakreset.parameter_file.noise_schema import AnyNoise, Noise, silence
from weakreset.parameter_file.not_identifiable import NotIdentifiable, assumed, refuse_unknown, settled
from weakreset.parameter_file.overview import overview
from weakreset.parameter_file.provenance import Edit, ExcludedDevice, InputFile, Provenance
from weakreset.parameter_file.text import json_text
from weakreset.parameter_file.verdict_of import KEY, numbers_sha256, verdict_with
from weakreset.resources import write_atomically

__all__ = [
    "SCHEMA_NAME",
    "SCHEMA_VERSION",
    "Correlation",
    "CycleSpread",
    "DefectKind",
    "Defects",
    "Edit",
    "Empirical",
    "ExcludedDevice",
    "FamilyChoice",
    "InputFile",
    "Noise",
    "NotIdentifiable",
    "ParameterFile",
    "ParameterLaw",
    "Provenance",
    "ResetPulse",
]

SCHEMA_NAME = "weakreset-parameters"
SCHEMA_VERSION = "1.1.0"
_BELOW_ZERO = 1e-9  # share of a law that no draw meets


class DefectKind(Strict):
    kind: str
    fraction: Probability


class Defects(Strict):
    """Devices that do not work at all, as a share of those measured."""

    fraction: Probability = 0.0
    kinds: list[DefectKind] = Field(default=[])


class Empirical(Strict):
    """The measured devices themselves, a row each, to be drawn with replacement."""

    names: list[str] = Field(description="r0_ohm, the numbers of the drift, rtn_amplitude (0: no steps seen)")
    devices: list[list[float]] = Field(min_length=1, description="one row a device, in the order of names")
    n_left_out: int | None = Field(default=None, ge=0, description="fitted devices that do not identify every number")
    note: str | None = None

    @model_validator(mode="after")
    def _is_a_table(self) -> Empirical:
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"a name is given twice: {self.names}")
        for i, row in enumerate(self.devices):
            if len(row) != len(self.names):
                raise ValueError(f"device {i} has {len(row)} numbers, names has {len(self.names)}")
            for name, value in zip(self.names, row, strict=True):
                if (name == "r0_ohm" and value <= 0) or (name == "rtn_amplitude" and value < 0):
                    raise ValueError(f"device {i}: {name} is {value}")
        return self


class ResetPulse(Strict):
    """The RESET pulse, for an account of its energy: V^2 / R for its width."""

    voltage_v: float = Field(gt=0, description="amplitude in volt, without sign")
    width_s: float = Field(gt=0, description="duration in seconds")


class D2dScaling(Strict):
    """What if devices differed less, or more: a change of the spread, for studies; absent in fitted files.

    The normal scores of a parameter are multiplied by its factor, about the nominal device: 0 puts every device there,
    1 changes nothing, 2 doubles the spread (of the logarithm, for a lognormal law). Truncation holds throughout.
    """

    nominal: Literal["median", "mean"] = Field(default="median", description="the device at the centre of the spread")
    scale: dict[str, float] = Field(description="factor by parameter name (rtn_amplitude too); 1 where not named")


class ParameterFile(Shown, Strict):
    """A fitted or published device technology, complete enough to simulate it."""

    schema_: Literal["weakreset-parameters"] = Field(default="weakreset-parameters", alias="schema")
    schema_version: str = Field(default=SCHEMA_VERSION, pattern=r"^\d+\.\d+\.\d+$")
    name: str = Field(min_length=1)
    model: str = Field(default="two-slope", description="drift shape of ln(R/R0) against pulses")
    direction: Literal["reset", "set"] = Field(
        default="reset", description="set: R falls with pulses, and slopes are minus what their laws say"
    )
    parameters: dict[str, ParameterLaw]
    not_identifiable: dict[str, NotIdentifiable] = Field(
        default={}, description="parameters without a law, because no device or too few tell of them"
    )
    correlation: Correlation | None = None
    spread: Literal["parametric", "empirical"] = Field(
        default="parametric", description="draw devices from the laws of parameters, or from the rows of empirical"
    )
    empirical: Empirical | None = None
    noise: AnyNoise = Field(default_factory=silence)
    defects: Defects = Defects()
    c2c: dict[str, CycleSpread] | None = Field(
        default=None, description="cycle-to-cycle spread by parameter name, drawn anew at every SET; absent: none known"
    )
    dies: Dies | None = Field(default=None, description="how much devices of one die resemble each other")
    d2d: D2dScaling | None = None
    reset_pulse: ResetPulse | None = Field(default=None, description="when known, simulated devices count their energy")
    provenance: Provenance = Provenance()
    validation: dict[str, Any] | None = Field(default=None, description="verdict and figures of `weakreset validate`")

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, strict=True, frozen=True, populate_by_name=True,
        title="weakreset parameter file",
    )

    @model_validator(mode="after")
    def _complete(self) -> ParameterFile:
        problems = []
        if self.model not in SHAPES:
            problems.append(f"model {self.model!r} is unknown; known: {', '.join(SHAPES)}")
        else:
            wanted = ("r0_ohm", *SHAPES[self.model].parameters)
            told = (*self.parameters, *self.not_identifiable)
            missing = [name for name in wanted if name not in told]
            extra = [name for name in told if name not in wanted]
            if missing:
                problems.append(f"parameters: missing {', '.join(missing)}")
            if self.direction == "set" and not SHAPES[self.model].slopes:
                problems.append(f"direction set: the {self.model} model does not say which of its numbers are slopes")
            if extra:
                known = f"the {self.model} model has {', '.join(wanted)}"
                problems.append(f"parameters: unknown {', '.join(extra)} ({known})")
        problems += [
            f"{name} is in parameters and in not_identifiable" for name in self.not_identifiable
            if name in self.parameters
        ]
        if self.correlation is not None:
            strangers = [name for name in self.correlation.names if name not in self.parameters]
            if strangers:
                problems.append(f"correlation: no such parameter: {', '.join(strangers)}")
        problems += self._unit_problems() + self._sign_problems() + self._cycle_problems()
        problems += [] if self.dies is None else self.dies.problems({**self.parameters, **self.not_identifiable})
        problems += self._empirical_problems() + self._scaling_problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unit_problems(self) -> list[str]:
        """Numbers are in the units of the drift shape: another unit would be read past, and the numbers be wrong."""
        units = {"r0_ohm": "ohm"} | (SHAPES[self.model].units if self.model in SHAPES else {})
        return [
            f"{name}: unit must be {units[name]!r}, got {entry.unit!r}; write the numbers in {units[name]} "
            "(`weakreset new` and `weakreset edit` convert units)"
            for name, entry in (*self.parameters.items(), *self.not_identifiable.items())
            if name in units and entry.unit != units[name]
        ]

    def _sign_problems(self) -> list[str]:
        """No device may have a resistance or a knee below zero; a law that starts there needs no further look."""
        laws = {
            name: entry.law() for name, entry in self.parameters.items()
            if entry.unit in ("ohm", "pulse") and (entry.family == "constant" or (entry.truncation[0] or 0.0) < 0
                                                   or entry.truncation[0] is None)
        }
        problems = []
        for name, law in laws.items():
            unit, median = self.parameters[name].unit, law.median()
            if not median > 0:
                problems.append(f"{name}: the median device has {median:.4g} {unit}, and it must be above zero")
            elif law.lower < 0 and (below := float(law.cdf(0.0))) > _BELOW_ZERO:
                problems.append(
                    f"{name}: {below:.2g} of the devices would be below zero; write \"truncation\": [0, null]"
                )
        return problems

    def _cycle_problems(self) -> list[str]:
        spreads = self.c2c or {}
        problems = [f"c2c: no such parameter: {name}" for name in spreads if name not in self.parameters]
        numbers = SHAPES[self.model].numbers if self.model in SHAPES else ()
        # a positive number changes by a factor, else a cycle could make it negative
        wanted = {"r0_ohm": "ln"} | {number.name: number.scale for number in numbers}
        return problems + [
            f"c2c.{name}: scale must be {wanted[name]}, got {spread.scale}"
            for name, spread in spreads.items()
            if spread.scale != wanted.get(name, spread.scale)
        ]

    def _empirical_problems(self) -> list[str]:
        if self.empirical is None:
            return ["spread is empirical, but there is no empirical block"] if self.spread == "empirical" else []
        noise = (column for kind, _ in self.noise.blocks() for column, own in kind.columns.items() if own.measured)
        wanted = {"r0_ohm", *(SHAPES[self.model].parameters if self.model in SHAPES else ()), *noise}
        if set(self.empirical.names) == wanted or self.model not in SHAPES:
            return []
        return [f"empirical: names must be {', '.join(sorted(wanted))}, got {', '.join(self.empirical.names)}"]

    def _scaling_problems(self) -> list[str]:
        if self.d2d is None:
            return []
        if self.spread == "empirical":
            return ["d2d: the spread of measured devices (spread empirical) cannot be scaled; use spread parametric"]
        known = self.spread_names
        problems = [f"d2d.scale: no such parameter: {name}" for name in self.d2d.scale if name not in known]
        return problems + [
            f"d2d.scale: {name} must be >= 0, got {value}" for name, value in self.d2d.scale.items() if value < 0
        ]

    def to_json(self) -> str:
        """The text that `save` writes."""
        content = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if self.direction == "reset":  # as it always was
            del content["direction"]
        if not self.not_identifiable:
            content.pop("not_identifiable")
        if not self.provenance.edits:
            content["provenance"].pop("edits")
        for kind, _ in self.noise.blocks():
            for own in kind.own:
                content["noise"][kind.name].setdefault(own.name, None)
        return json_text(content)

    def numbers_sha256(self) -> str:
        """Digest of everything but name, provenance and validation: which numbers a verdict was reached with."""
        return numbers_sha256(self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True))

    def with_verdict(self, summary: Mapping[str, Any], assumed: Mapping[str, float] | None = None) -> ParameterFile:
        """The file with a verdict (`Verdict.summary()`), which dies when a number of the file is changed.

        `assumed` is what the verdict was reached with for parameters that are not identifiable; they stay so.
        """
        verdict = verdict_with(summary, assumed or {})
        return self.model_copy(update={"validation": {**verdict, KEY: self.numbers_sha256()}})

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file atomically; readable, diffable JSON."""
        return write_atomically(path, self.to_json())

    def _shown(self) -> Summary:
        return overview(self.model_dump(exclude_none=True), self.parameters)

    def assuming(self, numbers: Mapping[str, float]) -> ParameterFile:
        """The file with these numbers for parameters that are not identifiable, the same in all devices.

        Raises
        ------
        ParameterFileError
            The file has a law of one, or it is no parameter, or cannot be so.
        """
        changed: ParameterFile = assumed(self, numbers)
        return changed

    def settled(self, n_pulses: int) -> ParameterFile:
        """What `n_pulses` pulses can be simulated with: up to the bound of an unseen knee, without one.

        Raises
        ------
        ParameterFileError
            Something that is not identifiable would show.
        """
        changed: ParameterFile = settled(self, n_pulses)
        return changed

    def refuse_unknown(self) -> None:
        """Raise `ParameterFileError` where a law that devices need is not identifiable."""
        refuse_unknown(self)

    def device_noise(self, without: tuple[str, ...] = ()) -> DeviceNoise:
        """Noise of the device model, with the kinds named in `without` (pink, rtn, ...) switched off."""
        return self.noise.in_force(without)

    @property
    def spread_names(self) -> tuple[str, ...]:
        """Everything that differs between devices: the parameters, and the own numbers of kinds of noise."""
        return (*self.parameters, *(column for kind, _ in self.noise.blocks() for column in kind.columns))
