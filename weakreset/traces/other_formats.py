"""Formats that are not read, and the command that writes of such a file one that is."""

from __future__ import annotations

from pathlib import Path

__all__ = ["way_from"]

_PANDAS = "python -c \"import pandas; pandas.{}.to_csv('FILE.csv', index=False)\""
_MAGIC = (
    (b"ARROW1", "Feather", _PANDAS.format("read_feather('FILE')")),
    (b"ORC", "ORC", _PANDAS.format("read_orc('FILE')")),
    (b"<stata_dta>", "Stata", _PANDAS.format("read_stata('FILE')")),
    (b"$FL2", "SPSS", _PANDAS.format("read_spss('FILE')")),
    (b"\x93NUMPY", "a NumPy array",
     "python -c \"import numpy; numpy.savetxt('FILE.csv', numpy.load('FILE'), delimiter=',')\" if it has two sides"),
    (b"SQLite format 3", "a database", "export the query as CSV (sqlite3 -header -csv FILE 'SELECT ...' > FILE.csv)"),
    (b"Rar!", "an archive", "unpack it, and give the folder"),
    (b"7z\xbc\xaf", "an archive", "unpack it, and give the folder"),
    (b"%PDF", "a PDF", "ask for the numbers as CSV or a workbook"),
)  # fmt: skip
_PICKLE = "python -c \"import pandas; pandas.read_pickle('FILE').to_csv('FILE.csv', index=False)\""
_STATA = ".dta"


def way_from(path: Path, head: bytes) -> str:
    """`Feather, which is not read. Write it as CSV: python -c ...`; '' for a file that we do not know either."""
    if head.startswith(b"PK\x03\x04"):
        return _of_archive(path)
    for magic, what, way in _MAGIC:
        if head.startswith(magic):
            return _words(what, way)
    if path.suffix.lower() == _STATA:
        return _words("Stata", _PANDAS.format("read_stata('FILE')"))
    if head[:1] == b"\x80" and path.suffix.lower() in (".pkl", ".pickle"):
        return (
            "a pickle, which can run anything and is never opened here. Whoever wrote it, or you if you trust it, can "
            f"write a CSV of it: {_PICKLE}"
        )
    return ""


def _words(what: str, way: str) -> str:
    return f"{what}, which is not read. {'Write it as CSV: ' if way.startswith('python') else ''}{way}"


def _of_archive(path: Path) -> str:
    """A zip: arrays of NumPy, or files."""
    if path.suffix.lower() == ".npz":
        return _words("arrays of NumPy", (
            "python -c \"import numpy, pandas; a = numpy.load('FILE'); print({k: a[k].shape for k in a}); "
            "pandas.DataFrame(a['NAME']).to_csv('FILE.csv', index=False)\" with the name of the array of readings"
        ))  # fmt: skip
    return "an archive, which is not opened. Unpack it, python -m zipfile -e FILE FOLDER, and give the folder"
