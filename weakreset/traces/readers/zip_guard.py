"""A zip file from a stranger, before a library unpacks it."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from weakreset.errors import TraceFormatError

__all__ = ["check_zip"]

_MOST_ENTRIES = 10_000  # in the zip; more is a hostile file
_LARGEST_BYTES = 1 << 30  # 1 GB unpacked, before memory is taken
_LARGEST_RATIO = 200  # unpacked to packed: tables reach 20, zip bombs a thousand
_RATIO_FROM = 16 << 20  # 16 MB: small files may be as dense as they like


def check_zip(path: Path) -> None:
    """Unpack every entry once, keeping nothing, so that a small file stays small in the library.

    Raises
    ------
    TraceFormatError
        Broken, too many entries, more than 1 GiB, or more than 16 MiB at a ratio above 200.
    """
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_ENTRIES:
                raise TraceFormatError(f"a zip file of {len(entries)} entries; more than {_MOST_ENTRIES} are not read")
            _refuse_bomb(sum(entry.file_size for entry in entries), size)
            total = 0
            for entry in entries:
                with archive.open(entry) as stream:
                    while block := stream.read(1 << 20):
                        total += len(block)
                        _refuse_bomb(total, size)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise TraceFormatError(f"broken zip file ({str(error)[:100]})") from error


def _refuse_bomb(unpacked: int, size: int) -> None:
    if unpacked > _LARGEST_BYTES or (unpacked > _RATIO_FROM and unpacked > _LARGEST_RATIO * size):
        raise TraceFormatError(
            f"{size} bytes unpack to {unpacked >> 20} MiB; this looks like a decompression bomb. "
            "Save it again, or as CSV, if you trust it"
        )
