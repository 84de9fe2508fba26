"""A parameter file from a paper's table, without traces."""

from __future__ import annotations

import datetime
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from weakreset.display import number, percent
from weakreset.errors import ParameterFileError, UsageError
from weakreset.model import DIRECTIONS, SHAPES, NoiseKind, TruncatedLaw, noise_kinds
from weakreset.parameter_file.load_save import mistakes
from weakreset.parameter_file.quantity_text import law_from, number_in
from weakreset.parameter_file.schema import ParameterFile
from weakreset.version import __version__

__all__ = ["EXAMPLE_TABLE", "Missing", "missing_in", "new_parameters", "noise_numbers"]

EXAMPLE_TABLE = """\
# A technology as a paper's table gives it; then: weakreset new paper.toml -o paper.json
name = "somebody2024"
cite = "A. Somebody et al., Journal 1, 1 (2024), Table II"
drift = "two-slope"     # ln(R/R0) against pulses
direction = "reset"     # pulses raise R; "set": they lower it

# A number is the same in all devices; "7.0 ± 0.4 kohm" (or "± 6 %") a normal law; a law has its numbers by name.
r0_ohm = "7.0 ± 0.4 kohm"
m1 = { family = "exponential", mean = "0.07 %/pulse" }
t_star = { family = "lognormal", median = "540 pulses", sigma_ln = 0.8, truncation = [41, 2000] }
m2 = 2.9e-5
c1 = { mean = 0.0, sd = 0.05 }

[pink]                  # 1/f noise; leave out what is not known
alpha = "0.7 %"
exponent = 1.0

[rtn]                   # telegraph noise
p_up = 8e-4
p_down = 2e-3
amplitude = { family = "exponential", mean = "8 %" }
fraction_of_devices = 0.4
"""

_WORDS = ("name", "cite", "drift", "direction", "notes")
_BLOCKS = ("defects", "reset_pulse", "c2c", "correlation")
_CUT_AWAY = 1e-3
_LARGE_CHANGE = 0.2


@dataclass(frozen=True)
class Missing:
    """A number that a table does not give.

    Attributes
    ----------
    place : str
        Its name in the table: `m1`, `pink`.
    unit, words : str
        What to ask.
    default : float, None or "off"
        What is taken without an answer; None: it is refused.
    why : str
        What that means.
    """

    place: str
    unit: str
    words: str
    default: float | str | None
    why: str = ""


def missing_in(table: Mapping[str, Any]) -> tuple[Missing, ...]:
    """What would have to be asked, defaulted or refused.

    Raises
    ------
    UsageError
        No such drift shape.
    """
    shape = _shape(table)
    found = []
    if "r0_ohm" not in table:
        found.append(Missing("r0_ohm", "ohm", "resistance after SET", None))
    for about in shape.numbers:
        if about.name in table:
            continue
        words = f"{about.name} of the {shape.name} drift"
        if about.name == shape.offset:
            found.append(Missing(about.name, about.unit, words, 0.0, "the drift starts at R0 in every device"))
        elif about.name == shape.nonnegative:
            found.append(Missing(about.name, about.unit, words, 0.0, "no drift after the knee"))
        else:
            found.append(Missing(about.name, about.unit, words, None))
    for kind in noise_kinds().values():
        if kind.in_every_file and kind.enabled and kind.name not in table:
            # off, not a usual value: nobody may take a default for a measurement
            found.append(Missing(kind.name, "", kind.label, "off", "devices will look quieter than they are"))
    return tuple(found)


def new_parameters(table: Mapping[str, Any], *, created: str | None = None) -> tuple[ParameterFile, tuple[str, ...]]:
    """The file, and what was assumed for it.

    Parameters
    ----------
    table : mapping
        `name`, `cite` (the source), `drift`, `direction`, `notes`; the numbers of the drift and r0_ohm, each a number,
        a text with a unit, or a law (`quantity_text.law_from`); a mapping for each kind of noise; `defects`,
        `reset_pulse`, `c2c` and `correlation` as in the file. See `EXAMPLE_TABLE`.
    created : str, optional
        ISO date and time; now (UTC) unless given.

    Raises
    ------
    UsageError
        Names that are not known, numbers that are none, units of another kind, what cannot be defaulted.
    ParameterFileError
        Numbers that make no file, all of them.
    """
    shape = _shape(table)
    _refuse_strangers(table)
    missing = missing_in(table)
    if refused := [item for item in missing if item.default is None]:
        raise UsageError(_refusal(table, shape, refused))
    notes = [
        f"{item.place} not given: {'off' if item.default == 'off' else f'taken as {item.default:g}'}; {item.why}"
        for item in missing
    ]
    if not table.get("cite"):
        notes.append("no source cited: give one with cite (--cite)")
    units = {"r0_ohm": "ohm", **shape.units}
    laws = {name: law_from(table.get(name, 0.0), unit, name) | {"unit": unit} for name, unit in units.items()}
    notes += [note for name in laws for note in _checked(name, laws[name], shape.slopes)]
    noise = {kind.name: noise_numbers(kind, table[kind.name]) for kind in noise_kinds().values() if kind.name in table}
    told = ["made from a table, without traces", *_own_notes(table), *notes]
    when = created or datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    raw = {
        "schema": "weakreset-parameters", "name": str(table.get("name") or "unnamed"), "model": shape.name,
        "direction": table.get("direction", "reset"), "parameters": laws,
        "noise": noise,
        "provenance": {
            "software": "weakreset", "software_version": __version__, "created": when,
            "citation": table.get("cite") or None, "notes": told,
        },
    } | {key: table[key] for key in _BLOCKS if key in table}
    try:
        return ParameterFile.model_validate(raw), tuple(notes)
    except ValidationError as error:
        raise ParameterFileError(f"{raw['name']}: {mistakes(error)}") from None


def _refusal(table: Mapping[str, Any], shape: Any, refused: list[Missing]) -> str:
    """What is missing, how to give it, and which drift would do without."""
    names = ", ".join(f"{item.place} ({item.unit})" for item in refused)
    them = "it" if len(refused) == 1 else "them"
    text = f"{table.get('name', 'the table')} does not give {names}; the {shape.name} drift needs {them}"
    given = {**table, "drift": shape.name}
    others = [
        name for name in SHAPES
        if set(shape.parameters) & set(table) <= set(SHAPES[name].parameters)
        and all(item.default is not None for item in missing_in({**given, "drift": name}))
    ]
    way = f"{refused[0].place} = ... in the table, or --set {refused[0].place}=..."
    return f"{text}: {way}" + (f"; drift = \"{others[0]}\" does without" if others else "")


def _shape(table: Mapping[str, Any]) -> Any:
    name = table.get("drift", "two-slope")
    if name not in SHAPES:
        raise UsageError(f"drift {name!r} is unknown; there are {', '.join(SHAPES)}")
    if table.get("direction", "reset") not in DIRECTIONS:
        raise UsageError(f"direction {table['direction']!r}: choose {' or '.join(DIRECTIONS)}")
    return SHAPES[name]


def _own_notes(table: Mapping[str, Any]) -> list[str]:
    notes = table.get("notes", [])
    return [str(note) for note in ([notes] if isinstance(notes, str) else notes)]


def _refuse_strangers(table: Mapping[str, Any]) -> None:
    shape = _shape(table)
    known = [*_WORDS, "r0_ohm", *shape.parameters, *noise_kinds(), *_BLOCKS]
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            if name == "noise":
                hint = "each kind of noise is a table of its own, [pink], not [noise.pink]; "
            raise UsageError(f"{name!r} is nothing that a table gives; {hint}known: {', '.join(known)}")


def _checked(name: str, law: dict[str, Any], slopes: tuple[str, ...]) -> list[str]:
    """Ends that the number itself has where the table gives none; a word where that cuts, or devices are all alike."""
    if name in slopes and _middle(law) < 0:
        raise UsageError(
            f"{name} is below zero: where pulses lower R, give direction = \"set\" (--direction set) and the size of it"
        )
    if law["family"] == "constant":
        return [f"{name}: no spread given, so all devices are alike"] if law["params"]["value"] else []
    if name != "r0_ohm" and name not in slopes and law["unit"] != "pulse":
        return []
    if "truncation" in law:
        return []
    law["truncation"] = [0.0, None]  # a resistance, a pulse number or the size of a slope is not below zero
    try:
        below = float(TruncatedLaw(law["family"], law["params"]).cdf(0.0))  # what a table's normal law would put there
        upper = float(TruncatedLaw(law["family"], law["params"], 0.0, math.inf).median())
    except ValueError:
        return []  # the schema says what is wrong with its numbers
    said = []
    if below > _CUT_AWAY:
        said.append(f"{name}: {percent(below)} of the law lies below zero and is cut off (median {number(upper, 3)})")
    if law["unit"] == "1/pulse" and upper > _LARGE_CHANGE:
        said.append(f"{name}: {number(upper, 3)} in ln R a pulse is a large change: is the unit right?")
    return said


def _middle(law: Mapping[str, Any]) -> float:
    try:
        return TruncatedLaw(law["family"], law["params"]).median()
    except ValueError:
        return 0.0  # the schema says what is wrong with its numbers


def noise_numbers(kind: NoiseKind, given: Any) -> dict[str, Any]:
    """A block of noise, units turned into those of the file."""
    if not isinstance(given, Mapping):
        raise UsageError(f"{kind.name}: give its numbers by name ({', '.join(n.name for n in kind.numbers)}), "
                         f"got {given!r}")
    block = dict(given)
    block.setdefault("enabled", True)
    numbers = [*kind.numbers, *(own.share for own in kind.own if own.share is not None)]
    for about in numbers:
        if about.name in block:
            block[about.name] = number_in(block[about.name], about.unit, f"{kind.name}.{about.name}")
    for own in kind.own:
        if block.get(own.name) is not None:
            block[own.name] = law_from(block[own.name], own.unit, f"{kind.name}.{own.name}")
    return block
