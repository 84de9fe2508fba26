"""What takes more than a moment says how far it is."""

from __future__ import annotations

import io

from rich.console import Console

from tests import builders
from weakreset.cli import common
from weakreset.cli.common import progress_bar
from weakreset.population import fit_population
from weakreset.report import ReportInput, build_report
from weakreset.resources import bundled
from weakreset.traces import load_traces


class Said(list):
    """Calls of a callback; each step ends at its total and never goes back."""

    def __call__(self, done: int, total: int, what: str) -> None:
        self.append((done, total, what))

    def steps(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for done, total, what in self:
            assert 0 <= done <= total
            found.setdefault(what, []).append(done)
        assert all(counts == sorted(counts) for counts in found.values())
        return found


def test_reading_counts_the_files():
    said = Said()
    load_traces([bundled("data") / name for name in ("arc_one.csv", "arc_two.h5")], progress=said)
    assert said.steps() == {"files read": [0, 1, 2]}


def test_the_population_and_the_report_say_how_far_they_are():
    said = Said()
    population = fit_population(builders.small_fits(), progress=said)
    build_report(ReportInput("lot", population=population), said)
    steps = said.steps()
    assert steps["laws of the population"] == [0, 1, 2, 3]
    assert steps["pictures of the report"][0] == 0
    assert len(steps["pictures of the report"]) == said[-1][1] + 1 > 4


def shown(console: Console) -> str:
    return console.file.getvalue()


def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80)


def test_a_step_that_is_over_at_once_leaves_no_line(monkeypatch):
    for brief, left in ((1e9, False), (-1.0, True)):
        monkeypatch.setattr(common, "_BRIEF_S", brief)
        console = terminal()
        with progress_bar(console) as progress:
            progress(0, 2, "files read")
            progress(2, 2, "files read")
        last = shown(console).rsplit("\r", 1)[-1].rsplit("\x1b[2K", 1)[-1]
        assert ("files read" in last) is left, last
