"""Step 1: which reader takes a file. Ours, and those that labs add by the entry point group `weakreset.readers`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module, metadata
from pathlib import Path

from weakreset.errors import TraceFormatError, UsageError
from weakreset.traces.contract import Reader, Recognition
from weakreset.traces.other_formats import way_from

__all__ = ["ENTRY_POINT_GROUP", "choose_reader", "readers"]

ENTRY_POINT_GROUP = "weakreset.readers"
_HEAD_BYTES = 1 << 16  # 64 kB: magic words and the first lines
_SURE = 0.8  # of a reader, before any other is asked

# Module and class of each format. Where two are equally sure of a file, the first of them reads it.
_BINARY_FIRST = {"arc_two": "ArcTwoReader", "hdf5": "Hdf5Reader"}
_TEXT = {
    "delimited": "DelimitedReader", "b1500a": "B1500aReader", "smu_csv": "SmuCsvReader", "arc_one": "ArcOneReader",
}  # fmt: skip
_BINARY = {
    "excel": "ExcelReader", "matlab": "MatlabReader", "tdms": "TdmsReader", "parquet": "ParquetReader",
}  # fmt: skip


@cache
def readers(text_only: bool = False) -> dict[str, Reader]:
    """All readers by name, ours first; or those of text and of labs, which load quickly."""
    ours = _TEXT if text_only else _BINARY_FIRST | _TEXT | _BINARY
    found: dict[str, Reader] = {}
    for module, kind in ours.items():
        reader = getattr(import_module(f"weakreset.traces.readers.{module}"), kind)()
        found[reader.name] = reader
    for entry in metadata.entry_points(group=ENTRY_POINT_GROUP):
        reader = _from_entry_point(entry)
        found[reader.name] = reader
    return found


def _from_entry_point(entry: metadata.EntryPoint) -> Reader:
    try:
        loaded = entry.load()
    except Exception as error:
        raise UsageError(
            f"entry point {entry.name} = {entry.value} cannot be loaded ({error}); mend or uninstall its package"
        ) from error
    reader = loaded() if isinstance(loaded, type) else loaded
    if not isinstance(reader, Reader):
        raise UsageError(
            f"entry point {entry.name} = {entry.value} is not a reader: it needs name, suffixes, recognise, read"
        )
    return reader


def choose_reader(path: Path, file: str, format: str | None = None) -> tuple[Reader, str]:
    """The reader for a file, and why: the one asked for, or the one that is surest.

    Readers of binary formats are loaded and asked only where a reader of text is not sure: a text with the name of a
    text file is none of theirs.

    Raises
    ------
    UsageError
        `format` is not the name of a reader.
    TraceFormatError
        No reader takes the file.
    """
    if format is not None:
        if format not in readers():
            raise UsageError(f"format {format!r} is unknown; there are {', '.join(readers())}")
        return readers()[format], "asked for by name"
    with open(path, "rb") as stream:
        head = stream.read(_HEAD_BYTES)
    for text_only in (True, False):
        found = _surest(path, head, readers(text_only))
        if found is not None and (found[1].confidence >= _SURE or not text_only):
            return found[0], found[1].why
    if way := way_from(path, head):
        raise TraceFormatError(f"{file}: {way}")
    raise TraceFormatError(
        f"{file}: no reader takes this file (it begins with {head[:12]!r}). Readers: {', '.join(readers())}; "
        "export it as CSV, or see `weakreset template`"
    )


def _surest(path: Path, head: bytes, candidates: Mapping[str, Reader]) -> tuple[Reader, Recognition] | None:
    found: tuple[Reader, Recognition] | None = None
    for reader in candidates.values():
        answer = reader.recognise(path, head)
        if answer is not None and (found is None or answer.confidence > found[1].confidence):
            found = reader, answer
    return found
