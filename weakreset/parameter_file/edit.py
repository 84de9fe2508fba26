"""Numbers of a parameter file changed by hand: checked, with the old value remembered."""

from __future__ import annotations

import datetime
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from weakreset.errors import ParameterFileError, UsageError
from weakreset.parameter_file.load_save import mistakes
from weakreset.parameter_file.quantity_text import IN_UNITS, law_from, number_in
from weakreset.parameter_file.schema import ParameterFile

__all__ = ["changes_of", "edit_parameters"]

_EVIDENCE = (
    "stderr", "n_devices", "n_informative", "n_censored", "candidates", "interval", "goodness_of_fit",
)
_TOP = ("name", "defects", "c2c", "reset_pulse", "correlation", "d2d", "spread")


@dataclass(frozen=True)
class _Place:
    """Where a change goes: keys from the top of the file; the block of the law it belongs to, if any."""

    keys: tuple[str, ...]
    law: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        *path, last = self.keys
        if path and path[-1] == "truncation":
            return ".".join((*path[:-1], ("lower", "upper")[int(last)]))
        return ".".join(self.keys)


def changes_of(texts: list[str]) -> dict[str, str]:
    """`["m1.scale=7e-4", ...]` as texts by place.

    Raises
    ------
    UsageError
        Not PLACE=VALUE, or a place twice.
    """
    changes: dict[str, str] = {}
    for text in texts:
        place, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not place or not value:
            raise UsageError(f"--set {text!r}: write PLACE=VALUE, e.g. m1.scale=7e-4, rtn.enabled=false, name=lot-7")
        if place in changes:
            raise UsageError(f"--set gives {place} twice: {changes[place]} and {value}")
        changes[place] = value
    return changes


def edit_parameters(
    params: ParameterFile, changes: Mapping[str, Any], *, edited: str | None = None
) -> ParameterFile:
    """The file with some values changed.

    What no longer describes a changed law goes: standard errors, intervals, families compared, counts of devices. So
    does a verdict. Old values, and what went, are kept in `provenance.edits`.

    Parameters
    ----------
    params : ParameterFile
    changes : mapping of str to number, str, bool or None
        By place: `m1.scale`, `t_star.lower`, `t_star.upper` (None: no limit), `m1` (a whole law,
        `"lognorm(s=0.8, scale=5e-4)"`), `pink.alpha`, `rtn.enabled`, `rtn.amplitude.scale`, `name`, or any path of keys
        in the file. Texts may have a unit (`"7 kohm"`), or are read as JSON.
    edited : str, optional
        ISO date and time; now (UTC) unless given.

    Raises
    ------
    ParameterFileError
        No such place; or the file would have mistakes: all are listed, nothing is changed.
    UsageError
        A text that is no number or law, or has a unit of another kind.
    """
    raw: dict[str, Any] = params.model_dump(mode="json", by_alias=True, exclude_none=True)
    when = edited or datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    edits = []
    for text, value in changes.items():
        place = _place(params, raw, text)
        wanted = _wanted(params, raw, place, value)
        if place.keys == ("name",):
            wanted = str(value)
        old = _swap(raw, place.keys, wanted)
        if old == _at(raw, place.keys):  # by what is there now: units were converted
            continue
        dropped = _drop_evidence(raw, place)
        edits.append({"what": place.words, "old": old, "new": wanted, "edited": when, "dropped": dropped})
    if not edits:
        return params
    raw["validation"] = None  # it was reached with other numbers
    raw["provenance"]["edits"] = [*raw["provenance"].get("edits", []), *edits]
    try:
        return ParameterFile.model_validate(raw)
    except ValidationError as error:
        raise ParameterFileError(f"{params.name} cannot be changed so: {mistakes(error)}") from None


def _wanted(params: ParameterFile, raw: dict[str, Any], place: _Place, value: Any) -> Any:
    """The value to be written there, in the unit that the file has there."""
    if value is None or not place.law:
        of_noise = place.keys[0] == "noise" and isinstance(value, str)
        return _noise_number(params, place, value) if of_noise else _value(value)
    unit = _at(raw, place.law).get("unit")
    if unit is None:  # a law of a kind of noise
        kind, own = place.law[1:]
        unit = next(item.unit for item in getattr(params.noise, kind).kind.own if item.name == own)
    if place.keys == place.law:
        return {"truncation": [None, None]} | law_from(value, unit, place.words)
    if value == "null":
        return None
    pure = place.keys[-2] == "params" and place.keys[-1] not in IN_UNITS[_at(raw, place.law)["family"]]
    return number_in(value, "pure" if pure else unit, place.words)


def _noise_number(params: ParameterFile, place: _Place, text: str) -> Any:
    """A number of a kind of noise, which may have a unit as in a table: "0.7 %"."""
    known = getattr(params.noise, place.keys[1]).kind.numbers
    units = {number.name: number.unit for number in known}
    value = _value(text)
    # what begins like no number is left to the schema, which names all mistakes of a file at once
    with_unit = value == text and text[:1] in "+-−.0123456789" and place.keys[-1] in units
    return number_in(text, units[place.keys[-1]], place.words) if with_unit else value


def _place(params: ParameterFile, raw: dict[str, Any], text: str) -> _Place:
    """The keys that a place such as m1.scale stands for."""
    parts = text.removeprefix("parameters.").removeprefix("noise.").split(".")
    first, rest = parts[0], [part for part in parts[1:] if part != "params"]
    if first in raw["parameters"]:
        _refuse_measured(params, text)
        return _in_law(raw["parameters"][first], ("parameters", first), rest, text)
    if first in params.not_identifiable:
        raise ParameterFileError(
            f"{text}: {first} is not identifiable in {params.name}; give it a number with --assume {first}=NUMBER"
        )
    if first in raw["noise"] and rest:
        block = raw["noise"][first]
        if isinstance(block.get(rest[0]), dict):
            return _in_law(block[rest[0]], ("noise", first, rest[0]), rest[1:], text)
        if rest[0] not in dict(getattr(params.noise, first)):
            raise _unknown(text, rest[0], list(dict(getattr(params.noise, first))))
        return _Place(("noise", first, *rest))
    if parts[0] in _TOP:
        _refuse_no_place(raw, tuple(parts), text)
        return _Place(tuple(parts))
    raise _unknown(text, first, [*raw["parameters"], *raw["noise"], *_TOP])


def _in_law(law: dict[str, Any], keys: tuple[str, ...], rest: list[str], text: str) -> _Place:
    """A number of a law, one of its ends, or the law as a whole."""
    if not rest:
        return _Place(keys, keys)
    if len(rest) == 1 and rest[0] in ("lower", "upper"):
        return _Place((*keys, "truncation", "01"[rest[0] == "upper"]), keys)
    if rest in (["truncation", "0"], ["truncation", "1"]):
        return _Place((*keys, *rest), keys)
    if len(rest) == 1 and rest[0] in law["params"]:
        return _Place((*keys, "params", rest[0]), keys)
    if rest[0] == "note" and len(rest) == 1:
        return _Place((*keys, "note"))
    names = [*law["params"], "lower", "upper", "note"]
    raise _unknown(text, ".".join(rest), names, f"the {law['family']} law has")


def _refuse_no_place(raw: Any, keys: tuple[str, ...], text: str) -> None:
    """A row or a column that a list does not have; keys of blocks are checked with the file."""
    for key in keys:
        if isinstance(raw, list):
            if not (key.isascii() and key.isdigit() and int(key) < len(raw)):
                raise ParameterFileError(f"{text}: no {key!r}; the list has {len(raw)} entries, 0 to {len(raw) - 1}")
            raw = raw[int(key)]
        else:
            raw = raw.get(key) if isinstance(raw, dict) else None


def _unknown(text: str, part: str, known: list[str], has: str = "there are") -> ParameterFileError:
    near = difflib.get_close_matches(part, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ParameterFileError(f"{text}: no {part!r}; {hint}{has} {', '.join(known)}")


def _refuse_measured(params: ParameterFile, text: str) -> None:
    if params.spread == "empirical":
        raise ParameterFileError(
            f"{text}: devices of {params.name} are drawn from the measured ones, not from its laws, so the change "
            "would do nothing; set spread=parametric first"
        )


def _value(value: Any) -> Any:
    """Texts as JSON (numbers, true, false, null); others as they are."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return float(found) if isinstance(found, int) and not isinstance(found, bool) else found


def _at(raw: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        raw = raw[int(key)] if isinstance(raw, list) else raw.get(key)
    return raw


def _swap(raw: dict[str, Any], keys: tuple[str, ...], value: Any) -> Any:
    """Put `value` there; what was there before, or None. A law keeps its unit and note."""
    inside: Any = raw
    for key in keys[:-1]:
        inside = inside[int(key)] if isinstance(inside, list) else inside.setdefault(key, {})
        if not isinstance(inside, (dict, list)):
            raise ParameterFileError(f"{'.'.join(keys)}: {key} holds {inside!r}, which has no parts")
    if isinstance(inside, list):
        place = int(keys[-1])
        inside[place], old = value, inside[place]
        return old
    old = inside.get(keys[-1])
    if isinstance(old, dict) and isinstance(value, dict) and "family" in value:
        inside[keys[-1]] = old | value
        return {key: old[key] for key in ("family", "params", "truncation") if key in old}
    inside[keys[-1]] = value
    return old


def _drop_evidence(raw: dict[str, Any], place: _Place) -> list[str]:
    """What was known of a changed law or number goes; the names of what went."""
    if place.law:
        law = _at(raw, place.law)
        return [key for key in _EVIDENCE if law.pop(key, None) is not None]
    if place.keys[0] == "noise":
        block, error = _at(raw, place.keys[:-1]), f"{place.keys[-1]}_stderr"
        return [error] if block.pop(error, None) is not None else []
    return []
