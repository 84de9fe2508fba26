"""HDF5 from strangers: no links to other files, sizes checked before anything is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from weakreset.errors import TraceFormatError

__all__ = ["BROKEN", "LARGEST_BYTES", "MAGIC", "MOST_OBJECTS", "Budget", "attribute", "members", "stored_bytes", "walk",
           "words_of_attributes"]  # fmt: skip

MAGIC = b"\x89HDF\r\n\x1a\n"
LARGEST_BYTES = 2 << 30  # 2 GB of readings in one piece
MOST_OBJECTS = 40_000  # groups and datasets: opening each takes a tenth of a millisecond and more
_LARGEST_CHUNK = 256 << 20  # 256 MB: HDF5 unpacks a chunk as a whole, however little is asked for
_LARGEST_RATIO = 50  # unpacked to stored: readings reach 10, hostile files a thousand
_LONGEST_WORDS = 300  # of an attribute that are looked at
_RATIO_FROM = 32 << 20  # 32 MB: small datasets may be as dense as they like

# What h5py raises on files that are cut or altered.
BROKEN = (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError, OverflowError, AttributeError)


@dataclass
class Budget:
    """What a file may still make us read. Without `file`, messages begin with the place in it.

    Soft `links` to places in the same file are read as what they point to, or refused; `deepest` is how far
    groups may be nested.
    """

    file: str
    file_bytes: int
    most_bytes: int = LARGEST_BYTES
    bytes_taken: int = 0
    objects_left: int = MOST_OBJECTS
    links: bool = True
    deepest: int = 6
    advice: str = "; `weakreset fit --stream` or `weakreset.stream_traces` read it in parts"

    def place(self, words: str) -> str:
        """File and place in it."""
        return f"{self.file}, {words}" if self.file else words

    def take(self, dataset: h5py.Dataset, rows: slice | None = None) -> None:
        """Count a dataset, or some rows of it, as read.

        Raises
        ------
        TraceFormatError
            Its values lie in another file, or it is larger than any measurement.
        """
        size = stored_bytes(dataset)
        place = self.place(f"dataset {dataset.name}")
        if dataset.external or dataset.is_virtual:
            raise TraceFormatError(f"{place}: its values lie in another file; files that point elsewhere are refused")
        self.bytes_taken += size if rows is None else size * (rows.stop - rows.start) // max(dataset.shape[0], 1)
        if self.bytes_taken > self.most_bytes:
            raise TraceFormatError(
                f"{place}: shape {dataset.shape} is more than we read, {self.most_bytes >> 20} MiB{self.advice}"
            )
        if dataset.chunks and int(np.prod(dataset.chunks, dtype=float)) * dataset.dtype.itemsize > _LARGEST_CHUNK:
            raise TraceFormatError(f"{place}: chunks of {dataset.chunks} are too large to read safely")
        if size > _RATIO_FROM and size > _LARGEST_RATIO * self.file_bytes:
            raise TraceFormatError(f"{place}: shape {dataset.shape} in a file of {self.file_bytes} bytes is absurd")


def stored_bytes(dataset: h5py.Dataset) -> int:
    """Bytes that all of a dataset would take."""
    return int(dataset.size or 0) * int(dataset.dtype.itemsize)


def attribute(item: Any, name: str) -> str:
    """An attribute as text, '' where there is none."""
    value = item.attrs.get(name, "")
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def words_of_attributes(*items: Any) -> str:
    """All that attributes say in words, `description`, `comment`, ..."""
    said = [attribute(item, name) for item in items if item is not None for name in item.attrs]
    return " ; ".join(dict.fromkeys(words[:_LONGEST_WORDS] for words in said if any(map(str.isalpha, words))))


def members(group: h5py.Group, budget: Budget) -> Iterator[tuple[str, Any]]:
    """Name and object of everything in a group.

    Raises
    ------
    TraceFormatError
        A link that points elsewhere, or too many objects.
    """
    for name in group:
        budget.objects_left -= 1
        if budget.objects_left < 0:
            raise TraceFormatError(budget.place(f"more than {MOST_OBJECTS} groups and datasets{budget.advice}"))
        link = group.get(name, getlink=True)
        place = budget.place(f"{group.name}: {name!r} points to")
        if not budget.links and not isinstance(link, h5py.HardLink):
            raise TraceFormatError(f"{place} something else; links are refused")
        if isinstance(link, h5py.ExternalLink):
            raise TraceFormatError(f"{place} another file ({link.filename!r}); files that point elsewhere are refused")
        if isinstance(link, h5py.SoftLink) and link.path not in group:
            raise TraceFormatError(f"{place} {link.path!r}, which is not there")
        yield name, group[name]


def walk(group: h5py.Group, budget: Budget, depth: int = 0) -> Iterator[tuple[h5py.Group, dict[str, h5py.Dataset]]]:
    """This group and those under it, each with its datasets; groups behind soft links are not entered."""
    datasets: dict[str, h5py.Dataset] = {}
    below: list[str] = []
    for name, member in members(group, budget):
        if isinstance(member, h5py.Dataset):
            datasets[name] = member
        elif isinstance(member, h5py.Group) and isinstance(group.get(name, getlink=True), h5py.HardLink):
            below.append(name)
    yield group, datasets
    for name in below:
        if depth == budget.deepest:
            place = budget.place((group.name or "").rstrip("/") + "/" + name)
            raise TraceFormatError(f"{place}: groups nested more than {budget.deepest} deep")
        yield from walk(group[name], budget, depth + 1)
