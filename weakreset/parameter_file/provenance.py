"""Schema of where the numbers of a parameter file come from, and of what was changed in it afterwards."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from weakreset.parameter_file.law_schema import Strict

__all__ = ["Edit", "ExcludedDevice", "InputFile", "Provenance"]


class InputFile(Strict):
    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ExcludedDevice(Strict):
    device: str
    reason: str
    n_readings: int | None = Field(default=None, ge=0)


class Edit(Strict):
    """A number that was changed by hand, with what it was before."""

    what: str = Field(description="place in the file, e.g. parameters.m1.params.scale")
    old: Any = Field(default=None, description="before; null where there was nothing, or no limit")
    new: Any = None
    edited: str | None = Field(default=None, description="ISO 8601 date and time, UTC")
    dropped: list[str] = Field(default=[], description="evidence that no longer describes the number: taken out")


class Provenance(Strict):
    """Where the numbers come from."""

    software: str | None = Field(default=None, description="what wrote the file; null: a person")
    software_version: str | None = None
    created: str | None = Field(default=None, description="ISO 8601 date and time, UTC")
    command: str | None = None
    simulated: bool = Field(default=False, description="true when the traces were simulated, not measured")
    inputs: list[InputFile] = Field(default=[])
    exclusions: list[ExcludedDevice] = Field(default=[])
    held_out: list[str] = Field(default=[], description="devices kept out of the fit, for validation")
    longest_pulse: int | None = Field(default=None, ge=0, description="last pulse that any fitted device was read at")
    citation: str | None = None
    notes: list[str] = Field(default=[])
    edits: list[Edit] = Field(default=[], description="changes by hand, oldest first")
