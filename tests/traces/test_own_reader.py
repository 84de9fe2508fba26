"""The example reader of docs/readers.md, found by its entry point as a user's would be."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

from weakreset.errors import TraceFormatError, UsageError
from weakreset.traces import inspect_traces, load_traces
from weakreset.traces.recognise import readers

DOCS = Path(__file__).parents[2] / "docs" / "readers.md"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A folder that is a package as pip would install it, built from the two blocks of the page."""
    text = DOCS.read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    groups = tomllib.loads(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1])["project"]["entry-points"]
    folder = tmp_path / "site"
    (folder / "lab_reader-1.0.dist-info").mkdir(parents=True)
    (folder / "lab_reader.py").write_text(code)
    (folder / "lab_reader-1.0.dist-info" / "METADATA").write_text("Name: lab_reader\nVersion: 1.0\n")
    (folder / "lab_reader-1.0.dist-info" / "entry_points.txt").write_text(
        "".join(f"[{group}]\n{name} = {value}\n" for group, items in groups.items() for name, value in items.items())
    )
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    readers.cache_clear()
    yield code
    readers.cache_clear()
    sys.modules.pop("lab_reader", None)


def test_the_example_is_short_and_reads(installed, tmp_path):
    assert len([line for line in installed.splitlines() if line.strip() and not line.startswith("#")]) <= 20
    path = tmp_path / "a.lablog"
    path.write_text("LABLOG\n" + "".join(f"<b>;{i};{5000 + i}\n" for i in range(40)))
    (inspection,) = inspect_traces(path)
    assert (inspection.format, inspection.devices) == ("lablog", ("<b>",))
    assert load_traces(path)["<b>"].resistance_ohm.tolist() == [5000 + i for i in range(40)]
    path.write_text("LABLOG\nA;0\n")
    with pytest.raises(TraceFormatError, match="three cells"):
        load_traces(path)


def test_an_entry_point_that_is_no_reader_is_named(installed, tmp_path):
    (tmp_path / "site" / "lab_reader.py").write_text("LabReader = dict\n")
    with pytest.raises(UsageError, match="lablog = lab_reader:LabReader is not a reader"):
        readers()


def test_a_reader_that_cannot_be_imported_is_named(installed, tmp_path):
    (tmp_path / "site" / "lab_reader.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(UsageError, match=r"lablog = lab_reader:LabReader cannot be loaded.*nothing_of_that_name"):
        readers()


def test_the_page_names_every_reader_and_no_other():
    table = DOCS.read_text().split("| `--format` |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) == sorted(readers())
