"""Read and write parameter files; find presets by name."""

from __future__ import annotations

import difflib
import functools
import json
import os
import re
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from weakreset.display import printable
from weakreset.errors import ParameterFileError, WeakResetWarning, expect
from weakreset.model import SHAPES, noise_kinds
from weakreset.parameter_file.migrations import OLDEST, migrated
from weakreset.parameter_file.schema import SCHEMA_NAME, SCHEMA_VERSION, ParameterFile
from weakreset.parameter_file.verdict_of import KEY
from weakreset.resources import bundled

__all__ = [
    "dump_parameters", "json_schema", "load_parameters", "mistakes", "parse_parameters", "preset_names",
    "save_parameters",
]

_MISTAKES_SHOWN = 50  # each is compared with every known key, and nobody reads more
_MAX_BYTES = 192 << 20  # empirical files of a million devices are smaller; more is no parameter file
# a megabyte of brackets or commas takes tens of megabytes as objects: more than these would take over a gigabyte
_MOST = {b"{": 100_000, b"[": 1_500_000, b",": 10_000_000}


def preset_names() -> list[str]:
    """Names of the bundled technologies; a bundled fit of simulated traces is none, and is loaded by its path."""
    files = (path for path in bundled("fitted_params").glob("*.json") if path.stem != "schema")
    return sorted(path.stem for path in files if not json.loads(path.read_bytes())["provenance"].get("simulated"))


def load_parameters(
    source: str | os.PathLike[str] | ParameterFile, assume: Mapping[str, float] | None = None
) -> ParameterFile:
    """Load a parameter file by path, or a preset by name.

    Parameters
    ----------
    source : str, path or ParameterFile
        `"majumdar2021"`, `"lab/my-hfox.json"`; a ParameterFile is returned as it is.
    assume : mapping of str to float, optional
        Numbers for parameters that are not identifiable in the file (`{"t_star": 500.0}`), the same in all devices.

    Raises
    ------
    UsageError
        What is neither a parameter file nor a path.
    ParameterFileError
        No such file or preset, not JSON, or with mistakes; all of them are listed at once. A number is assumed that
        the file has a law of.
    """
    if assume:
        return load_parameters(source).assuming(assume)
    if isinstance(source, ParameterFile):
        return source
    way = f"wr.load_parameters(path), or a preset: {', '.join(preset_names())}"
    expect(source, str | os.PathLike, way, "parameter file, its path or the name of a preset")
    path = Path(source)
    if not os.path.isfile(path) and str(source) in preset_names():  # a file of that name goes before
        path = bundled("fitted_params") / f"{source}.json"
    if not os.path.isfile(path):  # unlike Path.is_file, no error at a name of a thousand signs or with a NUL
        raise ParameterFileError(
            f"no parameter file {str(source)!r}: give a path to a .json file or a preset ({', '.join(preset_names())})"
        )
    if path.stat().st_size > _MAX_BYTES:
        raise ParameterFileError(f"{path}: {path.stat().st_size} bytes; a parameter file has at most {_MAX_BYTES}")
    return parse_parameters(path.read_bytes(), where=str(path))


def parse_parameters(content: bytes | str, where: str = "parameter file") -> ParameterFile:
    """Check the content of a parameter file.

    Raises
    ------
    ParameterFileError
        With every mistake, each with its place.

    Warns
    -----
    WeakResetWarning
        The file is of an older schema; or holds a verdict that was reached with other numbers, which is dropped.
    """
    # counted as text, before json has made objects of it
    raw_bytes = content.encode("utf-8", errors="replace") if isinstance(content, str) else content
    for sign, most in _MOST.items():
        if (count := raw_bytes.count(sign)) > most:
            raise ParameterFileError(f"{where}: {count} times {sign.decode()!r}; a parameter file has at most {most}")
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        raw = json.loads(text, object_pairs_hook=_no_duplicates)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ParameterFileError(f"{where}: not readable as JSON ({printable(str(error)[:500])})") from None
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA_NAME:
        found = raw.get("schema") if isinstance(raw, dict) else type(raw).__name__
        raise ParameterFileError(
            f"{where}: not a weakreset parameter file (schema is {found!r:.80}, not {SCHEMA_NAME!r})"
        )
    raw, newer = _present(raw, where)
    try:
        params = ParameterFile.model_validate(raw)
    except ValidationError as error:
        raise ParameterFileError(f"{where}: {mistakes(error, newer)}") from None
    except (ArithmeticError, RecursionError) as error:  # whole numbers of a thousand digits, lists in lists
        raise ParameterFileError(f"{where}: holds a number or a nesting beyond reason ({error})") from None
    return _with_its_own_verdict(params, where)


def mistakes(error: ValidationError, more: str = "") -> str:
    """Every mistake on a line, after their number; of a file with hundreds, the first."""
    found = error.errors(include_url=False)
    lines = [_describe(item) for item in found[:_MISTAKES_SHOWN]]
    lines += [f"and {len(found) - len(lines)} more"] if len(found) > len(lines) else []
    count = f"{len(found)} mistake" + ("s" if len(found) > 1 else "")
    return printable(f"{count}{more}:") + "\n  " + "\n  ".join(map(printable, lines))


def _present(raw: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    """The content in the present schema, with a warning where it was of another; and what to add to a refusal.

    A file that names no version is taken to be of the present one, as one written by hand may be.
    """
    version = raw.get("schema_version", SCHEMA_VERSION)
    found = re.fullmatch(r"(\d{1,6})\.(\d{1,6})\.\d{1,6}", version) if isinstance(version, str) else None
    now = tuple(map(int, SCHEMA_VERSION.split(".")[:2]))
    of = (int(found[1]), int(found[2])) if found else (-1, 0)
    if of < OLDEST or of[0] > now[0]:
        raise ParameterFileError(
            f"{where}: schema_version {version!r} cannot be read by this weakreset, which reads "
            f"{'.'.join(map(str, OLDEST))}.0 to {now[0]}.x; upgrade weakreset or fit again"
        )
    if of >= now:
        newer = f" (schema_version {version} is newer than this weakreset, which knows {SCHEMA_VERSION})"
        return raw, newer if of > now else ""
    content, said = migrated(raw, of)
    approximate = "; ".join(said) or "no number changes"
    _warn(f"{where}: schema {version} read as {SCHEMA_VERSION} ({approximate}); saving the file writes that")
    return content | {"schema_version": SCHEMA_VERSION}, ""


def _with_its_own_verdict(params: ParameterFile, where: str) -> ParameterFile:
    """Without the verdict of other numbers."""
    if params.validation is None:
        return params
    known, now = params.validation.get(KEY, ""), params.numbers_sha256()
    if known == now:
        return params
    if known is None:  # of a schema that could not tell: `migrations` says so
        return params.with_verdict(params.validation)
    _warn(
        f"{where}: numbers were changed after its verdict was stored, which is dropped; "
        "run weakreset validate --store again"
    )
    note = "a verdict that was stored for other numbers was dropped"
    source = params.provenance.model_copy(update={"notes": [*params.provenance.notes, note]})
    return params.model_copy(update={"validation": None, "provenance": source})


def _warn(message: str) -> None:
    warnings.warn(message, WeakResetWarning, stacklevel=2)


def save_parameters(params: ParameterFile, path: str | os.PathLike[str]) -> Path:
    """Write a parameter file atomically; readable, diffable JSON."""
    expect(params, ParameterFile, "wr.save_parameters(wr.export_parameters(population, name), path)")
    return params.save(path)


def dump_parameters(params: ParameterFile) -> str:
    """The text `save_parameters` writes."""
    return params.to_json()


def json_schema() -> str:
    """JSON Schema of the parameter file, as bundled in fitted_params/schema.json."""
    return json.dumps(ParameterFile.model_json_schema(by_alias=True), indent=1) + "\n"


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # json keeps the last of two: one of the numbers that somebody wrote would be lost
    twice = sorted(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    if twice:
        raise ValueError(f"key given twice: {', '.join(twice)}")
    return dict(pairs)


@functools.cache
def _known_keys(kinds: tuple[str, ...]) -> frozenset[str]:
    """Every key the schema knows with these kinds of noise, besides the numbers of drift shapes, for "did you mean"."""
    found: set[str] = {"r0_ohm"}
    schema = ParameterFile.model_json_schema(by_alias=True)
    for part in (schema, *schema["$defs"].values()):
        found |= set(part.get("properties", {}))
    return frozenset(found)


def _describe(item: Any) -> str:
    """One pydantic error in a line: place, what is wrong, offending value, nearest known key."""
    place = ".".join(str(part) for part in item["loc"]) or "file"
    if item["type"] == "extra_forbidden":
        kinds = tuple(noise_kinds())
        numbers = {name for shape in SHAPES.values() for name in shape.parameters}
        near = difflib.get_close_matches(str(item["loc"][-1]), sorted(_known_keys(kinds) | numbers), n=1)
        strange = len(item["loc"]) == 2 and item["loc"][0] == "noise"
        known = f"; kinds of noise that are known: {', '.join(kinds)}" if strange else ""
        return f"{place}: unknown key" + (f"; did you mean {near[0]!r}?" if near else "") + known
    message = item["msg"].removeprefix("Value error, ")
    value = item.get("input")
    shown = "" if isinstance(value, dict) or item["type"] == "missing" else f" (got {value!r:.80})"
    return f"{place}: {message}{shown}"
