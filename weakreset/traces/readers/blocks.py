"""Blocks of columns that repeat side by side, `R(1), R(2), ...`, set one below the other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.traces.contract import unique_names

__all__ = ["Blocks", "joined", "stack_blocks"]

SplitName = Callable[[str], tuple[str, Hashable] | None]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Columns after stacking; `keys` of the blocks, and of each row its block and the row of the file it came from."""

    names: list[str]
    columns: list[NDArray[Any]]
    keys: list[Any]
    block: NDArray[np.int64]
    row: NDArray[np.int64]


def stack_blocks(names: Sequence[str], columns: Sequence[NDArray[Any]], split: SplitName) -> Blocks:
    """Set repeated blocks of columns one below the other, in order of appearance.

    `split` tells name and block of a column, or None for one that all blocks share. Rows at the end of a block that
    are empty in all its own columns (a shorter block beside a longer one) are not rows.
    """
    shared: dict[str, NDArray[Any]] = {}
    blocks: dict[Hashable, list[tuple[str, NDArray[Any]]]] = {}
    for name, column in zip(names, columns, strict=True):
        parts = split(name)
        if parts is None:
            shared[name] = column
        else:
            blocks.setdefault(parts[1], []).append((parts[0], column))
    n_rows = len(columns[0]) if columns else 0
    if not blocks:
        return Blocks(list(names), list(columns), [], np.zeros(n_rows, dtype=np.int64), np.arange(n_rows))
    named = {
        key: dict(zip(unique_names([name for name, _ in members]), [column for _, column in members], strict=True))
        for key, members in blocks.items()
    }
    lengths = [_filled_rows(list(members.values()), n_rows) for members in named.values()]
    bases = list(dict.fromkeys(base for members in named.values() for base in members))
    stacked = {
        base: joined([members.get(base) for members in named.values()], lengths)
        for base in bases
        if base not in shared
    }  # fmt: skip
    stacked = {name: joined([column] * len(lengths), lengths) for name, column in shared.items()} | stacked
    block = np.repeat(np.arange(len(lengths)), lengths)
    row = np.concatenate([np.arange(n) for n in lengths])
    return Blocks(list(stacked), list(stacked.values()), list(named), block, row)


def _filled_rows(columns: list[NDArray[Any]], n_rows: int) -> int:
    """Rows up to the last with any content."""
    for n in range(n_rows, 0, -1):
        if any(not _is_empty(column[n - 1]) for column in columns):
            return n
    return 0


def _is_empty(cell: Any) -> bool:
    return bool(cell == "" or cell != cell)


def joined(columns: Sequence[NDArray[Any] | None], lengths: Sequence[int]) -> NDArray[Any]:
    """The first `lengths` cells of each column, one below the other; a column that is None is empty there."""
    if all(column is None or column.dtype.kind in "iuf" for column in columns):
        return np.concatenate(
            [np.full(n, np.nan) if c is None else c[:n] for c, n in zip(columns, lengths, strict=True)]
        )
    return np.concatenate(
        [
            np.full(n, "", dtype=object) if c is None else c[:n].astype(object)
            for c, n in zip(columns, lengths, strict=True)
        ]
    )
