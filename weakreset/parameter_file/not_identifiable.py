"""Parameters whose law the devices do not tell: what is stored of them, and how they are given a value all the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from weakreset.errors import ParameterFileError, UsageError
from weakreset.model import SHAPES
from weakreset.parameter_file.law_schema import Strict

__all__ = ["NotIdentifiable", "assumed", "assumed_numbers", "refuse_unknown", "settled"]

File = Any
"""A `ParameterFile`, which imports this module and gives these functions as methods."""


class NotIdentifiable(Strict):
    """A parameter without a law: no device, or too few, tell of it. It has no numbers, at most a bound."""

    unit: str = Field(description="unit of the parameter")
    lower: float | None = Field(default=None, description="no device has a value below; null where that is not known")
    n_devices: int | None = Field(default=None, ge=0, description="devices that were fitted")
    n_informative: int | None = Field(default=None, ge=0, description="devices whose own estimate says something")
    note: str = Field(description="why, in words")


def assumed_numbers(text: str) -> dict[str, float]:
    """`"t_star=500,m2=0"` as numbers by name.

    Raises
    ------
    UsageError
        Not NAME=NUMBER, or a name twice.
    """
    numbers: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not name or not math.isfinite(number):
            raise UsageError(f"--assume {part!r}: write NAME=NUMBER, e.g. t_star=500; a comma between two")
        if name in numbers:
            raise UsageError(f"--assume gives {name} twice: {numbers[name]:g} and {number:g}")
        numbers[name] = number
    return numbers


def assumed(params: File, numbers: Mapping[str, float]) -> File:
    """The file with a constant in place of each parameter of `numbers`, and a note that it was assumed."""
    for name, value in numbers.items():
        if name not in params.not_identifiable:
            known = ", ".join(params.not_identifiable) or "none"
            raise ParameterFileError(
                f"{params.name}: {name} cannot be assumed, because the file has a law of it; "
                f"not identifiable in this file: {known}" if name in params.parameters else
                f"{params.name}: {name} cannot be assumed, because the {params.model} drift has no such parameter; "
                f"not identifiable in this file: {known}"
            )
        low, high = SHAPES[params.model][name].bounds
        if not low <= value <= high:
            raise ParameterFileError(f"{params.name}: {name} = {value:g} cannot be: it lies in {low:g} to {high:g}")
    words = ", ".join(f"{name} = {value:g}" for name, value in numbers.items())
    return _with_constants(params, numbers, f"assumed, not fitted: {words}") if numbers else params


def settled(params: File, n_pulses: int) -> File:
    """The file for a simulation of `n_pulses` pulses: no device has its knee where none was seen.

    Raises
    ------
    ParameterFileError
        The simulation goes further than the bound, or a parameter that shows before it is not identifiable.
    """
    shape = SHAPES[params.model]
    bound = None if shape.knee not in params.not_identifiable else params.not_identifiable[shape.knee].lower
    hidden = {shape.knee, *(set(shape.parameters) - set(shape.scan.beyond if shape.scan else shape.parameters))}
    if params.spread == "empirical" or not params.not_identifiable:
        return params
    if bound is None or n_pulses > bound or not hidden.issuperset(params.not_identifiable):
        refuse_unknown(params, n_pulses)
    # up to the bound no device has bent, so what comes after the knee may be anything: it is never used
    numbers = dict.fromkeys(params.not_identifiable, 0.0) | {shape.knee: float(bound or 0.0)}
    return _with_constants(params, numbers, f"simulated without a knee, up to pulse {n_pulses}")


def refuse_unknown(params: File, n_pulses: int | None = None) -> None:
    """Raise where a law that the devices need is not identifiable, with what can be done about it."""
    if not params.not_identifiable or params.spread == "empirical":
        return
    reasons = "; ".join(f"{name}: {entry.note}" for name, entry in params.not_identifiable.items())
    numbers = ",".join(f"{name}={_example(entry)}" for name, entry in params.not_identifiable.items())
    arguments = ", ".join(f"{name!r}: {_example(entry)}" for name, entry in params.not_identifiable.items())
    bounds = [entry.lower for entry in params.not_identifiable.values() if entry.lower is not None]
    up_to = f" The traces can be simulated up to pulse {min(bounds):g} as they are." if bounds and n_pulses else ""
    asked = f" for {n_pulses} pulses" if n_pulses else ""
    raise ParameterFileError(
        f"{params.name} cannot be simulated{asked}: {', '.join(params.not_identifiable)} not identifiable "
        f"({reasons}).{up_to} Fit longer traces, or say what to assume, e.g. --assume {numbers} "
        f"(in Python load_parameters(..., assume={{{arguments}}}))"
    )


def _example(entry: NotIdentifiable) -> str:
    if entry.unit == "pulse":
        return f"{5 * entry.lower if entry.lower else 500:g}"  # an example to type, well beyond the bound; no estimate
    return "0"


def _with_constants(params: File, numbers: Mapping[str, float], note: str) -> File:
    raw: dict[str, Any] = params.model_dump(by_alias=True)
    for name, value in numbers.items():
        entry = params.not_identifiable[name]
        raw["parameters"][name] = {
            "family": "constant", "params": {"value": float(value)}, "unit": entry.unit, "note": note,
            "n_devices": entry.n_devices, "n_informative": 0,
        }
        raw["not_identifiable"].pop(name)
    order = ("r0_ohm", *SHAPES[params.model].parameters)
    raw["parameters"] = {name: raw["parameters"][name] for name in order if name in raw["parameters"]}
    raw["provenance"]["notes"] = [*raw["provenance"]["notes"], note]
    return type(params).model_validate(raw)
