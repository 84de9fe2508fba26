"""Finished parts of a long fit on disk: a Parquet file a part, and a manifest that says which are whole."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weakreset.errors import FitError, UsageError
from weakreset.fitting.fit_text import fit_of, text_of
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.table import is_text
from weakreset.resources import sha256_of, write_atomically
from weakreset.traces.group_labels import GROUP_COLUMNS
from weakreset.version import __version__

__all__ = ["PartStore"]

_MANIFEST = "_manifest.json"  # readers of Parquet folders pass over what begins with an underscore
_FORMAT = "weakreset-fit-parts-1"
_MOST_BYTES = 1 << 28

Labels = Mapping[str, Mapping[str, str]]


class PartStore:
    """A folder of parts, each known by a key: what was fitted, and by which plan.

    The table of a part has the columns of DEVICES.csv, lot, wafer and die among them, and `fit`, the whole sketch of
    the device as JSON. The manifest says which lots and wafers a part has.

    Raises
    ------
    UsageError
        The folder holds something else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._parts: dict[str, dict[str, Any]] = {}
        path = folder / _MANIFEST
        if path.exists():
            self._parts = _manifest(path)
        elif folder.is_dir() and any(folder.glob("*.parquet")):
            raise UsageError(f"{folder} holds Parquet files that are not parts of a fit: name another folder")

    def load(self, key: str) -> list[DeviceFit] | None:
        """The fits of a finished part; None where it is not there, or not whole."""
        entry = self._parts.get(key)
        if entry is None:
            return None
        path = self._path(key)
        if not path.is_file() or sha256_of(path) != entry.get("sha256"):
            return None
        import pyarrow
        from pyarrow import parquet

        try:
            column = parquet.read_table(path, columns=["fit"]).column("fit").to_pylist()
        except (pyarrow.ArrowException, OSError, KeyError) as error:
            raise FitError(f"{path}: cannot be read ({error}); remove it, and the part is fitted again") from None
        return [fit_of(str(text)) for text in column]

    def save(self, key: str, fits: Sequence[DeviceFit], labels: Labels | None = None) -> Path:
        """Keep a finished part: its file first, then its line in the manifest; the path of the file.

        `labels` say on which lot, wafer, die each device sits: columns of the table, and lists in the manifest.
        """
        import pyarrow
        from pyarrow import parquet

        of = {column: [(labels or {}).get(column, {}).get(fit.device) for fit in fits] for column in GROUP_COLUMNS}
        rows = [fit.row() | {"fit": text_of(fit)} for fit in fits]
        # every part has the same columns of the same kind, whatever is empty in it: readers take the first part's
        kinds = {name: pyarrow.string() if is_text(name) else pyarrow.float64() for name in (*rows[0], *of)}
        kinds |= {"n_pulses": pyarrow.int64(), "fit": pyarrow.string()}
        columns = {name: [row[name] for row in rows] for name in rows[0]} | of
        table = pyarrow.table({name: pyarrow.array(columns[name], kind) for name, kind in kinds.items()})
        buffer = io.BytesIO()
        parquet.write_table(table, buffer, compression="zstd")
        content = buffer.getvalue()
        path = write_atomically(self._path(key), content)
        self._parts[key] = {"file": path.name, "devices": len(fits), "sha256": hashlib.sha256(content).hexdigest()}
        held = {column: sorted({group for group in groups if group}) for column, groups in of.items()}
        self._parts[key] |= {column: groups for column, groups in held.items() if groups}
        about = {"format": _FORMAT, "made_by": f"weakreset {__version__}", "parts": self._parts}
        write_atomically(self.folder / _MANIFEST, json.dumps(about, indent=1) + "\n")
        return path

    def _path(self, key: str) -> Path:
        return self.folder / f"part-{key[:32]}.parquet"

    def __len__(self) -> int:
        return len(self._parts)


def _manifest(path: Path) -> dict[str, dict[str, Any]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes")
        found = json.loads(path.read_bytes())
        parts = found["parts"] if found["format"] == _FORMAT else None
        if not isinstance(parts, dict) or not all(isinstance(entry, dict) for entry in parts.values()):
            raise ValueError("no parts in it")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path}: not the list of parts of a fit ({error}); name another folder") from None
    return parts
