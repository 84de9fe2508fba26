"""Parquet: one table of named columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from weakreset.errors import TraceFormatError
from weakreset.traces.column_role import VALUES
from weakreset.traces.contract import ColumnsTable, FileContent, Recognition, column_of, says_simulated, unique_names
from weakreset.traces.readers.isolated import read_isolated
from weakreset.traces.readers.stated_units import units_of_keys
from weakreset.traces.vocabulary import role_of

__all__ = ["ParquetReader"]

_MAGIC = b"PAR1"
_PROGRAMS = ("pandas", "ARROW:", "PARQUET:", "org.apache")
_LONGEST_WORDS = 300  # of a description that are looked at
_MOST_CELLS = 400_000_000  # 3.2 GB of numbers
_MOST_COLUMNS = 100_000  # a matrix of more is transposed


class ParquetReader:
    """Columns as pandas, polars or DuckDB write them, through pyarrow. Lists of numbers in cells are the reads
    of the row's device; structs and other lists are left out.

    `simulated` in the key-value metadata of the file is understood.
    """

    name = "parquet"
    suffixes: tuple[str, ...] = (".parquet", ".pq")
    packages = ("pyarrow.parquet",)

    def recognise(self, path: Path, head: bytes) -> Recognition | None:
        """By the signature that every Parquet file begins with."""
        if head.startswith(_MAGIC):
            return Recognition(1.0, "it begins with the Parquet signature")
        return Recognition(0.2, f"its name ends in {path.suffix}") if path.suffix.lower() in self.suffixes else None

    def read(self, path: Path) -> FileContent:
        """One table."""
        return read_isolated(self, path)

    def parse(self, path: Path) -> FileContent:
        """What `read` does, in a process of its own."""
        import pyarrow.parquet as pq
        import pyarrow.types as types

        with pq.ParquetFile(str(path)) as opened:
            about, schema = opened.metadata, opened.schema_arrow
            if about.num_columns > _MOST_COLUMNS or about.num_rows * about.num_columns > _MOST_CELLS:
                shape = f"{about.num_rows} rows of {about.num_columns} columns"
                raise TraceFormatError(f"{shape} are more than the {_MOST_CELLS} cells we read")
            lists = _lists_of_reads(schema, types)
            flat = [item.name for item in schema if not types.is_nested(item.type) or item.name in lists]
            if len(set(schema.names)) < len(schema.names):
                raise TraceFormatError("two columns have the same name")
            table = opened.read(columns=flat, use_threads=False)
        stated = schema.metadata or {}
        left_out = [name for name in schema.names if name not in flat and not name.startswith("__index_level_")]
        how = f"{table.num_rows} rows" + (f"; left out (not single values): {', '.join(left_out)}" if left_out else "")
        kept = [name for name in table.column_names if not name.startswith("__index_level_")]
        if not kept or not table.num_rows:
            raise TraceFormatError("the table has no rows, or no columns of single values")
        if lists:
            table = _a_row_a_read(table, lists)
        columns = [_cells(table.column(name), types) for name in kept]
        simulated = says_simulated(stated.get(b"simulated", b"").decode("utf-8", errors="replace"))
        units = [units_of_keys(_decoded(table.schema.field(name).metadata)) for name in kept]
        general = units_of_keys(_decoded(stated))
        about = {"unit": general} if general else {}
        hints = {"description of it": " ; ".join(_descriptions(schema, kept))}
        table = ColumnsTable(unique_names(kept), columns, "", about, units=units, hints=hints)
        return FileContent([table], simulated, how)


def _lists_of_reads(schema: Any, types: Any) -> list[str]:
    """Columns of lists, where the readings are among them; beside a column of readings they are something else."""
    lists = [item.name for item in schema if _is_list_of_numbers(item.type, types)]
    reads = {item.name for item in schema if role_of(item.name) in VALUES}
    return lists if reads and reads <= set(lists) else []


def _is_list_of_numbers(kind: Any, types: Any) -> bool:
    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(lists and (types.is_integer(kind.value_type) or types.is_floating(kind.value_type)))


def _a_row_a_read(table: Any, lists: Sequence[str]) -> Any:
    """Rows that hold a device each, its reads as lists in cells, as rows of a read; other cells hold for all reads.

    Raises
    ------
    TraceFormatError
        The lists of a row are of different lengths.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = [pc.fill_null(pc.list_value_length(table.column(name)), 0) for name in lists]
    for name, length in zip(lists[1:], lengths[1:], strict=True):
        unlike = pc.index(pc.not_equal(pc.cast(length, pa.int64()), pc.cast(lengths[0], pa.int64())), True).as_py()
        if unlike >= 0:
            raise TraceFormatError(
                f"row {unlike}: {lengths[0][unlike].as_py()} values in {lists[0]!r} and {length[unlike].as_py()} in "
                f"{name!r}; the lists of a row are the reads of a device, one for one"
            )
    parent = pc.list_parent_indices(table.column(lists[0]).combine_chunks())
    if len(parent) * table.num_columns > _MOST_CELLS:
        raise TraceFormatError(f"{len(parent)} reads are more than we read")
    columns = {
        name: pc.list_flatten(table.column(name).combine_chunks()) if name in lists else table.column(name).take(parent)
        for name in table.column_names
    }
    fields = [pa.field(n, c.type, metadata=table.schema.field(n).metadata) for n, c in columns.items()]
    return pa.table(list(columns.values()), schema=pa.schema(fields, metadata=table.schema.metadata))


def _descriptions(schema: Any, names: Sequence[str]) -> list[str]:
    """What the metadata of the file and of its fields say in words, without what programs keep there for themselves."""
    said = [schema.metadata, *(schema.field(name).metadata for name in names)]
    return [
        text[:_LONGEST_WORDS]
        for about in said
        for key, text in _decoded(about).items()
        if not key.startswith(_PROGRAMS)
    ]


def _decoded(metadata: Any) -> dict[str, str]:
    """Metadata of a schema or a field as text."""
    return {
        key.decode("utf-8", errors="replace"): value.decode("utf-8", errors="replace")
        for key, value in (metadata or {}).items()
    }


def _cells(column: Any, types: Any) -> Any:
    kind = column.type
    if (types.is_integer(kind) and column.null_count == 0) or types.is_floating(kind):
        return column.to_numpy()
    if types.is_integer(kind) or types.is_decimal(kind):
        return column_of([None if cell is None else float(cell) for cell in column.to_pylist()])
    if types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    cells = (cell.decode("utf-8", errors="replace") if isinstance(cell, bytes) else cell for cell in column.to_pylist())
    return column_of(["" if cell is None else str(cell) for cell in cells])
