"""The folder of a window: uploads and what was made of them, for its owner's eyes only, gone when the window is."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from weakreset.errors import UsageError
from weakreset.locks import lives

__all__ = ["Limits", "Workshop"]

_PREFIX = "weakreset-app-"
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Limits:
    """How much a window takes: bytes of one file, of all, and their number."""

    file_bytes: int = 200 << 20
    all_bytes: int = 1 << 30
    n_files: int = 500


class Workshop:
    """A new folder of mode 700 in the folder for temporary files.

    Its name holds the number of this process: `sweep` takes away what a process left that was killed.

    Parameters
    ----------
    limits : Limits
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))  # mkdtemp: mode 700
        self.files, self.made, self.arriving = (self.path / name for name in ("files", "made", "arriving"))
        for folder in (self.files, self.made, self.arriving):
            folder.mkdir()

    def names(self) -> list[str]:
        """Files that were given, in the order of their names."""
        return sorted(path.name for path in self.files.iterdir())

    def place_for(self, name: str, size: int) -> Path:
        """Where an upload goes; one of the same name is replaced.

        Raises
        ------
        UsageError
            Too large, too many, or a name that no file can have.
        """
        plain = name.replace("\\", "/").rsplit("/", 1)[-1]  # browsers of Windows may send a path
        if not plain.isprintable() or plain.strip(". ") == "" or plain.startswith("."):
            raise UsageError(f"{name!r} is no name of a file that this window takes: rename it")
        if len(plain.encode()) > _LONGEST_NAME:
            raise UsageError(f"the name {plain[:40]}... is longer than {_LONGEST_NAME} bytes: rename the file")
        others = [path for path in self.files.iterdir() if path.name != plain]  # the one of this name is replaced
        total = size + sum(path.stat().st_size for path in others)
        if size > self.limits.file_bytes:
            raise UsageError(f"{plain}: {_mb(size)}; this window takes files up to {_mb(self.limits.file_bytes)}. "
                             "Larger ones: `weakreset fit`, or `weakreset app --max-mb`")
        if total > self.limits.all_bytes or len(others) >= self.limits.n_files:
            raise UsageError(
                f"{plain}: with it there would be {len(others) + 1} files of {_mb(total)}; this window takes "
                f"{self.limits.n_files} and {_mb(self.limits.all_bytes)} in all. Remove some, or use `weakreset fit`"
            )
        return self.files / plain

    def remove(self, name: str) -> None:
        """Delete an upload."""
        if name in self.names():
            (self.files / name).unlink()

    def close(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.path, ignore_errors=True)

    @staticmethod
    def sweep() -> list[Path]:
        """Delete the folders of windows whose process is gone; those of other people are not touched."""
        if sys.platform == "win32":  # no way to ask for a process that would not end it
            return []
        gone = []
        for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            number = path.name.removeprefix(_PREFIX).split("-")[0]
            try:
                about = path.lstat()
            except FileNotFoundError:  # another window, opened at the same time, swept it
                continue
            ours = stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()
            if ours and number.isascii() and number.isdigit() and not lives(int(number)):
                shutil.rmtree(path, ignore_errors=True)
                gone.append(path)
        return gone


def _mb(size: int) -> str:
    return f"{size / (1 << 20):.4g} MB"
