"""What a reader hands over: named columns, not yet understood, and where each row stands in the file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MISSING_WORDS", "FileContent", "NumberColumn", "Table", "numbers_from_text"]

MISSING_WORDS = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "none", "-", "--", "---"})


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """A column read as numbers: NaN where the cell was empty or not a number, and the text of the latter by row."""

    values: NDArray[np.float64]
    text: Mapping[int, str] = field(default_factory=dict)


def numbers_from_text(cells: Sequence[str] | NDArray[np.object_]) -> NumberColumn:
    """Numbers out of text cells; those that say neither a number nor "missing" are listed with their text."""
    import pandas as pd

    texts = pd.Series(list(cells), dtype=object).fillna("").map(lambda cell: str(cell).strip())
    values = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    odd = np.flatnonzero(np.isnan(values))
    return NumberColumn(values, {int(i): texts[i] for i in odd if texts[i].lower() not in MISSING_WORDS})


class Table(ABC):
    """A rectangle of cells in a file.

    Attributes
    ----------
    names : tuple of str
        Column names; `column 0`, `column 1`, ... where the file has none (`has_header` False).
    sample : list of list of str
        The first rows as text, to recognise columns by.
    device : str
        Name of the one device of this table when the file says it elsewhere than in a column, else ''.
    metadata : mapping of str to str
        What the file says about itself (`simulated`, `unit`, `layout`, ...), keys in lower case.
    """

    names: tuple[str, ...]
    has_header: bool
    sample: list[list[str]]
    device: str = ""
    metadata: Mapping[str, str]

    @abstractmethod
    def numbers(self, index: int) -> NumberColumn:
        """Column `index` as numbers."""

    def counts(self, index: int) -> NDArray[Any]:
        """Column `index` as whole numbers where the table holds it so, else as in `numbers`."""
        return self.numbers(index).values

    @abstractmethod
    def text(self, index: int) -> NDArray[np.object_]:
        """Column `index` as stripped text, '' where empty."""

    def codes(self, index: int) -> tuple[NDArray[np.int64], list[str]]:
        """Column `index` as codes into its distinct texts, in order of appearance; -1 where empty."""
        import pandas as pd

        cells = self.text(index)
        cells[cells == ""] = None
        codes, names = pd.factorize(cells)
        return np.asarray(codes, dtype=np.int64), [str(name) for name in names]

    @abstractmethod
    def as_is(self, index: int) -> NDArray[np.generic]:
        """Column `index` as numbers where all its cells are, otherwise as text."""

    def matrix(self, indices: Sequence[int]) -> tuple[NDArray[np.float64], dict[tuple[int, int], str]]:
        """Columns as one array, shape (rows, len(indices)), and the text cells by (row, position)."""
        columns = [self.numbers(index) for index in indices]
        texts = {(row, k): text for k, column in enumerate(columns) for row, text in column.text.items()}
        return np.column_stack([column.values for column in columns]), texts

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Rows of readings."""

    def line_of(self, row: int) -> int | None:
        """Line of the file that holds `row`, counted from 1, or None where a file has no lines."""
        return None


@dataclass(frozen=True, eq=False)
class FileContent:
    """All tables of one file, whether it says that it was simulated, and its SHA-256 where it is known already.

    `digest` is the SHA-256 where a thread is at it.
    """

    tables: Sequence[Table]
    simulated: bool = False
    how: str = ""
    sha256: str = ""
    digest: Future[str] | None = None
