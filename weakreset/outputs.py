"""How weakreset writes files: whole or not at all, together where they belong together, never over what is not a file.

A file is written beside its target under a name of its own, synced, and renamed over the target, so that a process
killed at any moment leaves either the old file or the new one. What a killed process leaves beside is named after the
machine and the process, and the next process that writes into the folder removes it.
"""

from __future__ import annotations

import errno
import functools
import os
import platform
import re
import secrets
import stat
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from weakreset.errors import OutputError
from weakreset.locks import lives, remove_stale_lock
from weakreset.paths import shown_path

__all__ = ["all_or_none", "check_outputs", "remove_leftovers", "whole_or_nothing", "write_atomically", "written_files"]

_LISTS: list[list[Path]] = []
_HOST = f"{zlib.crc32(platform.node().encode()):08x}"  # in a shared folder, processes of other machines are not ours
_PART = re.compile(rf"\.weakreset-{_HOST}-(\d+)-[0-9a-f]+\.part")


@contextmanager
def written_files() -> Iterator[list[Path]]:
    """The files this process writes meanwhile, in order: what was kept when something fails later."""
    written: list[Path] = []
    _LISTS.append(written)
    try:
        yield written
    finally:
        _LISTS.remove(written)


def check_outputs(*files: str | os.PathLike[str] | None, folder: str | os.PathLike[str] | None = None) -> None:
    """Before any work: can these files be written, and files in this folder? Leftovers of killed runs are removed.

    Parameters
    ----------
    *files : path, optional
        None is left out, so that options can be handed over as they are.
    folder : path, optional
        Where files will be made; it need not exist.

    Raises
    ------
    OutputError
        For a folder where a file should be, a file where a folder should be, a read-only file or folder, a name that
        the file system cannot hold, a FIFO or the like, and one file asked for twice.
    """
    targets = [Path(file) for file in files if file is not None]
    for target in (*targets, *(() if folder is None else (Path(folder) / "weakreset.part",))):
        try:
            found = _existing(target)
            if found is None or stat.S_ISREG(found.st_mode):
                _check_folder(target, _real(target).parent)
        except (OSError, ValueError, RuntimeError) as error:  # a NUL in a name, a loop of links
            raise _refused(target, error) from None
    places = set()
    for target in (target for target in targets if target.is_file() or not target.exists()):
        if (place := os.path.realpath(target)) in places:
            raise OutputError(f"{shown_path(target)}: two outputs cannot be one file; name another")
        places.add(place)


@contextmanager
def whole_or_nothing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A neighbour of `path` to write to; it is synced and renamed over `path` if all went well.

    Raises
    ------
    OutputError
        When it cannot be written; `path` is as it was.
    """
    target, part = Path(path), None
    try:
        part = _new_part(target)
        yield part
        _finish({target: part})
    except OSError as error:
        raise _refused(target, error) from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def write_atomically(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write a whole file or nothing; a device such as the null device is written into.

    Raises
    ------
    OutputError
        When it cannot be written; says where `content` was kept instead.
    """
    all_or_none({Path(path): content})
    return Path(path)


def all_or_none(contents: Mapping[Path, str | bytes]) -> None:
    """Files that belong together: all are written beside their targets before the first is renamed.

    Raises
    ------
    OutputError
        When one of them cannot be written: none is, and all are kept in the temporary folder if that can hold them.
    """
    parts: dict[Path, Path] = {}
    target = Path()
    try:
        for target, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            found = _existing(target)
            if found is not None and stat.S_ISCHR(found.st_mode):
                target.write_bytes(data)
                continue
            parts[target] = _new_part(target)
            parts[target].write_bytes(data)
        _finish(parts)
    except (OSError, ValueError) as error:
        raise OutputError(f"{_refused(target, error)} {_kept_elsewhere(contents)}") from None
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _existing(target: Path) -> os.stat_result | None:
    """What is there, links followed; refused unless a file could take its place or it takes a stream."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISCHR(found.st_mode):
        return found
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is neither a file nor a stream, and is not replaced")
    _check_writable(target, found, "it is read-only, and is not overwritten")
    return found


def _check_writable(path: Path, found: os.stat_result, words: str) -> None:
    """The bits are asked too: to root, `os.access` says that everything can be written."""
    if not found.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, words)


def _check_folder(target: Path, folder: Path) -> None:
    """The folder, or the nearest one above in which it can be made."""
    if len(os.fsencode(target.name)) > (limit := _longest_name(folder)):
        raise OSError(errno.ENAMETOOLONG, f"its name is longer than {limit} bytes")
    while not folder.exists():
        if len(os.fsencode(folder.name)) > _longest_name(folder.parent):
            raise OSError(errno.ENAMETOOLONG, f"the name of the folder {folder.name[:20]}... is too long")
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{shown_path(folder)} is a file, not a folder")
    _check_writable(folder, folder.stat(), f"the folder {shown_path(folder)} cannot be written to")
    _remove_leftovers_once(folder)


def _longest_name(folder: Path) -> int:
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (OSError, ValueError, AttributeError):  # a folder to be made; systems without it
        return 255


def _real(target: Path) -> Path:
    """A link stays, and what it points to is replaced."""
    return Path(os.path.realpath(target)) if target.is_symlink() else target


def _new_part(target: Path) -> Path:
    """An empty neighbour, with the rights of the file that it will replace, or those the umask gives a new one."""
    found = _existing(target)
    folder = _real(target).parent
    folder.mkdir(parents=True, exist_ok=True)
    if found is not None and stat.S_ISCHR(found.st_mode):
        raise OSError(errno.EINVAL, "it is a device, and is not replaced")
    _remove_leftovers_once(folder)
    part = folder / f".weakreset-{_HOST}-{os.getpid()}-{secrets.token_hex(4)}.part"
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    if found is not None:
        os.chmod(part, stat.S_IMODE(found.st_mode))
    return part


def _finish(parts: Mapping[Path, Path]) -> None:
    for part in parts.values():
        with open(part, "rb") as stream:
            os.fsync(stream.fileno())
    for target, part in parts.items():
        os.replace(part, _real(target))
        for written in _LISTS:
            if target not in written:
                written.append(target)


def remove_leftovers(folder: Path) -> None:
    """Remove parts and locks of processes that are gone; those of other machines cannot be told from living ones."""
    if os.name != "posix" or not folder.is_dir():  # elsewhere, asking whether a process lives can end it
        return
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        if (found := _PART.fullmatch(name)) and not lives(int(found[1])):
            (folder / name).unlink(missing_ok=True)
        remove_stale_lock(folder / name)


# once a process: a folder with many files takes long to list
_remove_leftovers_once = functools.lru_cache(maxsize=256)(remove_leftovers)


def _kept_elsewhere(contents: Mapping[Path, str | bytes]) -> str:
    """A full disk or a folder that went away must not cost hours of work: what was to be written goes elsewhere."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="weakreset-kept-"))
        for target, content in contents.items():
            (folder / target.name).write_bytes(content.encode() if isinstance(content, str) else content)
    except (OSError, ValueError) as error:
        return f"Nor could it be kept in the temporary folder ({error}): it is lost."
    return f"What was to be written is kept in {folder}."


def _refused(target: Path, error: Exception) -> OutputError:
    words = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return OutputError(f"{shown_path(target)}: cannot be written: {words}. Files that were there are as they were.")
