"""Every kind of ordinary lab file, on every format that can hold it, is read right or refused."""

from __future__ import annotations

import pytest

from tests.lab_files.judge import CRASHED, WRONG, judge
from tests.lab_files.kinds import KINDS, make
from tests.lab_files.known_wrong import KNOWN_WRONG

SEED = 0
LEFT_TO_FUZZ = {"parquet": "csv", "xls": "xlsx"}
"""On these formats the fuzz run alone tries what the other format holds as well: a Parquet file takes half a second."""


MANY = ("kinds_scales", "kinds_tables")
"""Of these kinds there are hundreds, most of them names: one format is tried here, the others by the fuzz run."""


def _pairs() -> list[tuple[str, str]]:
    return [
        (kind.name, reader)
        for kind in KINDS.values()
        for reader in kind.readers
        if LEFT_TO_FUZZ.get(reader) not in kind.readers
        and (reader == kind.readers[0] or not kind.make.__module__.endswith(MANY))
    ]


@pytest.mark.parametrize(("name", "reader"), _pairs(), ids=lambda part: part.replace(" ", "_").replace(",", ""))
def test_right_or_refused(name, reader, tmp_path):
    verdict = judge(make(name, reader, SEED, tmp_path / "lab"))
    if reader in KNOWN_WRONG.get(name, "").split():
        assert verdict.word in (WRONG, CRASHED), f"{name!r} on {reader} is {verdict.word}: take it off KNOWN_WRONG"
    else:
        assert verdict.word not in (WRONG, CRASHED), f"{verdict.cause}: {verdict.why}"


def test_known_wrong_names_kinds_that_exist():
    pairs = set(_pairs())
    assert all((name, reader) in pairs for name, readers in KNOWN_WRONG.items() for reader in readers.split())
