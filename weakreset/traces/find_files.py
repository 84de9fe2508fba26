"""Which files a user means: paths, patterns, folders."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from weakreset.errors import TraceFormatError, UsageError, expect
from weakreset.resources import display_path, readable
from weakreset.traces.recognise import readers

__all__ = ["Sources", "file_stem", "find_files"]

Sources = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def find_files(sources: Sources) -> list[Path]:
    """Files of a path, pattern or folder, or of several; each once, those of a pattern or folder sorted by name.

    Of a folder those files count whose names end as one of our formats does; its subfolders do not.

    Raises
    ------
    UsageError
        Nothing, or what is no path.
    TraceFormatError
        A file that is not there (near names are suggested), a pattern that matches nothing, a folder without files
        that we read.
    """
    if isinstance(sources, str | os.PathLike) or not isinstance(sources, Iterable) or hasattr(sources, "columns"):
        given: list[Any] = [sources]
    else:
        given = list(sources)
    if not given:
        raise UsageError("no trace files are given")
    found: dict[Path, None] = {}
    for source in given:
        way = "a table in memory is written first: table.to_csv('lot.csv', index=False)"
        expect(source, str | os.PathLike, way, "path, pattern or folder")
        found.update(dict.fromkeys(_expand(os.fspath(source))))
    return list(found)


def _expand(source: str) -> list[Path]:
    path = Path(source)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as error:
        raise TraceFormatError(f"{source!r}: not a usable path ({error})") from error
    if is_folder:
        return _folder(path)
    if exists:
        return [path]
    if glob.has_magic(source):
        matches = sorted(Path(match) for match in glob.glob(source, recursive=True) if Path(match).is_file())
        if not matches:
            raise TraceFormatError(f"{source}: no file matches this pattern (in {Path.cwd()})")
        return matches
    raise TraceFormatError(f"{source}: there is no such file{_near(path)}")


def _folder(path: Path) -> list[Path]:
    endings = tuple(suffix for reader in readers().values() for suffix in reader.suffixes)
    files = sorted(
        item
        for item in path.iterdir()
        if item.is_file() and not item.name.startswith(".") and item.name.lower().endswith(endings)
    )
    if not files:
        raise TraceFormatError(
            f"{display_path(path)}: the folder has no file that we read (names ending in {', '.join(endings)})"
        )
    return files


def _near(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"; the folder {folder} is not there either"
    names = difflib.get_close_matches(path.name, [item.name for item in folder.iterdir()], n=3, cutoff=0.6)
    return f". Did you mean {', '.join(str(folder / name) for name in names)}?" if names else f" in {folder.resolve()}"


def file_stem(path: Path) -> str:
    """Name of a file without `.gz` and its last ending: the device of a file that names none."""
    name = path.name
    if name.lower().endswith(".gz"):
        name = name[:-3]
    return readable(Path(name).stem or path.name)
