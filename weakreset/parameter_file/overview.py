"""A parameter file as it shows itself: its laws as a table, its noise and where it comes from as sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from weakreset.display import Summary, number, plus_minus
from weakreset.parameter_file.law_schema import ParameterLaw

__all__ = ["overview"]

_COLUMNS = ("parameter", "unit", "family", "numbers", "truncated to", "median", "informed by")


def overview(content: Mapping[str, Any], laws: Mapping[str, ParameterLaw]) -> Summary:
    """The summary of a file.

    Parameters
    ----------
    content : mapping
        The whole file as plain values.
    laws : mapping of str to ParameterLaw
        Its parameters.
    """
    source, verdict = content["provenance"], content.get("validation") or {}
    origin = "fitted to measured traces" if source["inputs"] else "made by hand"
    origin = "published" if source.get("citation") else origin
    origin = "fitted to simulated traces" if source["simulated"] else origin
    origin += ", then edited by hand" if source["edits"] else ""
    falling = ", R falls (SET; slopes are minus these)" if content["direction"] == "set" else ""
    return Summary(
        f"ParameterFile {content['name']}: {content['model']} drift{falling}, {origin}",
        (*_noise(content["noise"]), *_cycles(content.get("c2c") or {})),
        _COLUMNS,
        [_row(name, law) for name, law in laws.items()] + [
            (name, entry["unit"], "not identifiable", "–", "–" if entry.get("lower") is None
             else f"above {number(entry['lower'], 3)}", "–", _informed(entry))
            for name, entry in content.get("not_identifiable", {}).items()
        ],
        notes=(
            f"devices are drawn from {'the measured ones' if content['spread'] == 'empirical' else 'these laws'}",
            str(verdict.get("sentence", "validated" if verdict else "not validated yet: wr.validate(params, traces)")),
            *(f"{name}: {entry['note']}" for name, entry in content.get("not_identifiable", {}).items()),
            *filter(None, [source.get("citation")]), *source["notes"],
        ),
    )


def _row(name: str, entry: ParameterLaw) -> tuple[str, ...]:
    law, errors = entry.law(), entry.stderr or {}
    limited = math.isfinite(law.lower) or math.isfinite(law.upper)
    return (
        name, entry.unit, law.family, _numbers(law.params, errors),
        f"{number(law.lower, 3)} to {number(law.upper, 3)}" if limited else "–", number(law.median()),
        _informed(entry.model_dump()),
    )


def _cycles(spreads: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if spreads:
        shown = ", ".join(f"{name} {number(spread['sd'])} ({spread['scale']})" for name, spread in spreads.items())
        yield f"cycle-to-cycle spread (sd): {shown}"


def _informed(entry: Mapping[str, Any]) -> str:
    known = entry.get("n_informative")
    return "–" if known is None else f"{known} of {entry.get('n_devices')} devices"


def _noise(blocks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A line a kind of noise, whatever its numbers are called."""
    for kind, block in blocks.items():
        if not block["enabled"]:
            yield f"{kind} noise: off"
            continue
        numbers = {key: value for key, value in block.items() if isinstance(value, float)}
        errors = {key: numbers.pop(f"{key}_stderr", None) for key in [*numbers] if not key.endswith("_stderr")}
        laws = [
            f"{key} {law['family']} ({_numbers(law['params'], {})})" for key, law in block.items()
            if isinstance(law, dict) and "family" in law
        ]
        yield f"{kind} noise: {', '.join(filter(None, [_numbers(numbers, errors), *laws]))}"


def _numbers(values: Mapping[str, float], errors: Mapping[str, float | None]) -> str:
    return ", ".join(f"{name} {plus_minus(value, errors.get(name))}" for name, value in values.items())
