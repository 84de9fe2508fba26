"""Every layout that docs/readers.md shows is written by `template` and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from weakreset.cli import main
from weakreset.cli.template import _LAYOUTS
from weakreset.traces import load_traces
from weakreset.traces.example_layouts import LAYOUTS
from weakreset.twin import simulate_traces

PAGE = Path(__file__).parents[2] / "docs" / "readers.md"


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_read_back(tmp_path, name):
    assert main(["template", name, "-o", str(tmp_path)]) == 0
    traces = load_traces(tmp_path)
    assert traces.simulated
    rows = {round(float(np.log(trace.resistance_ohm[0])), 6): trace for trace in traces}
    written = simulate_traces("majumdar2021", 4, 60, 1)
    wanted = written.traces[:1] if name == "one-device" else written.traces
    assert len(traces) == len(wanted)
    for trace in wanted:
        read = rows[round(float(np.log(trace.resistance_ohm[0])), 6)]
        assert np.array_equal(read.pulses, trace.pulses)
        assert read.resistance_ohm == pytest.approx(trace.resistance_ohm, rel=1e-7)
    cycles = {"row-a-read-cycles": 2, "column-a-cycle": 4}.get(name, 1)
    assert max(trace.cycle for trace in traces) == cycles - 1


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_page_shows_the_first_lines_as_they_are_written(name):
    text = LAYOUTS[name](simulate_traces("majumdar2021", 4, 60, 1))
    header = next(line for line in text.splitlines() if not line.startswith("#"))
    shown = header if len(header) < 80 else header[:20]
    assert f"`{name}`" in PAGE.read_text("utf-8")
    assert shown in PAGE.read_text("utf-8")


def test_the_command_and_the_writers_name_the_same_layouts():
    assert list(_LAYOUTS) == list(LAYOUTS)
