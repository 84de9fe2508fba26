"""What the page can ask for: each call is one of the library's, and its answer is plain JSON and files in `made`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from weakreset.app.exports import EXPORTS
from weakreset.app.results import Results, trace_options
from weakreset.errors import FitError, UsageError
from weakreset.report import Recipe, Twin
from weakreset.resources import write_atomically

if TYPE_CHECKING:
    from weakreset.traces import FileInspection

__all__ = ["Bench"]

Answer = dict[str, Any]

_SCREEN_DPI = 110
_RUNS_SHOWN = 40
_REASONS_SHOWN = 30


class Bench(Results):
    """The calls; what they make is kept in `Results`."""

    inspected: tuple[FileInspection, ...] = ()

    def call(self, name: str, arguments: Answer) -> Answer:
        """One of the methods below, by name."""
        # a list of names: getattr alone would reach everything that the object has
        known = ("inspect", "change_map", "fit", "validate", "compare", "simulate", "draw", "picture", "export")
        if name not in known:
            raise UsageError(f"no such call: {name}")
        answer: Answer = getattr(self, name)(**arguments)
        return answer

    def inspect(self, recipe: Answer) -> Answer:
        """What the files are taken for, and what a fit of them would use."""
        from weakreset.traces.find_files import find_files
        from weakreset.traces.inspection import inspect_lot

        asked = trace_options(Recipe.from_dict(recipe))
        lot = inspect_lot(find_files(asked.paths), asked.options, self.progress)
        self.inspected = lot.files
        return lot.to_dict() | {"files": [_file(item) for item in lot.files]}

    def change_map(self, file: int, columns: Sequence[int], role: str, unit: str) -> Answer:
        """The map that takes these columns of a file for something else."""
        from weakreset.traces.changed_map import changed_map

        layout = self.inspected[file].read_as
        if layout is None:
            raise UsageError("this file has no columns")
        return {"map": changed_map(layout, columns, role, unit)}

    def fit(self, recipe: Answer) -> Answer:
        """Every device, then the population, then the parameter file."""
        from weakreset.fitting import FitOptions, FitStatus, fit_devices
        from weakreset.plots.traces_with_fits import STATUS_WORDS
        from weakreset.population import export_parameters, fit_population
        from weakreset.report import ReportInput, build_devices
        from weakreset.report.exclusions import exclusion_table
        from weakreset.report.tables import law_table, noise_rows

        chosen = Recipe.from_dict(recipe)
        traces = self.traces(chosen)
        options = FitOptions(
            drift=chosen.drift, direction=chosen.direction, rtn=chosen.rtn, mixed_pulses=chosen.mixed_pulses
        )
        fits = fit_devices(traces, options, self.progress, jobs=0)
        why_not, population, params = "", None, None
        try:
            population = fit_population(fits, progress=self.progress)
            params = export_parameters(population, chosen.name, command=chosen.fit_command())
        except FitError as error:
            why_not = str(error)
        self.progress(0, 1, "page of devices")
        write_atomically(self.made / "devices.html", build_devices(fits, f"Devices of {chosen.name}"))
        self.fits, self.population, self.params, self.recipe = fits, population, params, chosen
        self.verdict = self.twin = self.comparison = None  # they belonged to the fit before
        content = ReportInput(chosen.name, fits=fits, population=population)
        counts = fits.counts()
        statuses = [[STATUS_WORDS[status], counts[status.value], status.sentence] for status in FitStatus]
        notes = list(fits.notes)
        notes += [*population.structure, *population.cycle_sentences()] if population is not None else []
        return {
            "counted": fits.counted, "caveat": fits.caveat, "method": fits.method, "why_not": why_not, "notes": notes,
            "statuses": [row for row in statuses if row[1]], "simulated": traces.simulated,
            "laws": _table(law_table(content)), "noise": [list(row) for row in noise_rows(content)],
            "excluded": _table(exclusion_table(content)), "parameter_file": chosen.parameter_file if params else "",
            "last_pulse": max(trace.n_pulses for trace in traces),
            "pictures": self._known(("all_traces", "fits", "laws", "spectrum")),
        }

    def validate(
        self, recipe: Answer, params: str, replicas: int, seed: int, unseen: bool, assume: str
    ) -> Answer:
        """Does a parameter file reproduce the traces?"""
        from weakreset.validation import validate

        chosen = Recipe.from_dict(recipe)
        verdict = validate(
            self.parameters(params, assume), self.traces(chosen), n_replicas=replicas, seed=seed, unseen=unseen,
            mixed_pulses=chosen.mixed_pulses, progress=self.progress,
        )
        self.verdict = verdict
        names = ("checks", "envelopes", "distributions", "spectrum_bands")
        return {
            "sentence": verdict.sentence, "passed": verdict.passed, "skipped": list(verdict.skipped),
            "columns": ["check", "outcome", "p", "p corrected", "measured", "replicas (95 %)", "in words"],
            "rows": [[*check.row(), check.sentence] for check in verdict.checks], "params": params, "unseen": unseen,
            "pictures": self._known(names),
        }

    def compare(self, a: str, b: str) -> Answer:
        """Two parameter files side by side."""
        from weakreset.comparison import COLUMNS, compare_parameters
        from weakreset.report import build_comparison

        comparison = compare_parameters(self.parameters(a), self.parameters(b))
        self.comparison = comparison
        write_atomically(self.made / "comparison.html", build_comparison(comparison))
        return {
            "sentence": comparison.sentence, "notes": list(comparison.notes), "columns": list(COLUMNS),
            "rows": [list(row) for row in comparison.table()], "a": a, "b": b, "pictures": self._known(("comparison",)),
        }

    def simulate(
        self, recipe: Answer, params: str, devices: int, pulses: int, seed: int, without: list[str], assume: str
    ) -> Answer:
        """Traces of the model, beside the measured ones where there are some."""
        from weakreset.traces import write_csv_long
        from weakreset.twin import simulate_traces

        twin = simulate_traces(self.parameters(params, assume), devices, pulses, seed, without)
        chosen = Recipe.from_dict(recipe)
        if chosen.files:
            self.traces(chosen)
        self.twin = twin
        write_csv_long(twin, self.made / "simulated.csv")
        return {"notes": list(twin.notes), "twin": Twin(params, devices, pulses, seed, tuple(without), assume).__dict__,
                "pictures": self._known(("twin",))}

    def draw(self, name: str) -> Answer:
        """A picture for the screen."""
        from weakreset.plots import figure_bytes

        path = self.made / f"{name}.png"
        write_atomically(path, figure_bytes(self.drawing(name).draw(None), "png", _SCREEN_DPI))
        return {"file": path.name}

    def picture(self, name: str, kind: str, width: str) -> Answer:
        """A picture for a paper."""
        return {"file": self.for_paper(name, kind, width).name}

    def export(self, what: str, recipe: Answer) -> Answer:
        """A file to take away: a name of `EXPORTS`."""
        chosen = Recipe.from_dict(recipe)
        return {"file": EXPORTS[what].write(self, chosen).name}

    def _known(self, names: Iterable[str]) -> list[Answer]:
        """Which of these pictures can be drawn; they are when somebody looks at them."""
        found = self.drawings()
        return [
            {"name": name, "alt": found[name].alt, "caption": found[name].caption} for name in names if name in found
        ]


def _table(table: Any) -> Answer:
    rows = [[cell.text for cell in row] for row in table.rows]
    return {"columns": list(table.columns), "rows": rows, "omitted": table.omitted}


def _file(item: FileInspection) -> Answer:
    """One file for the page: its columns in runs of alike ones."""
    layout = item.read_as
    columns = () if layout is None else layout.columns
    runs = [list(run) for _, run in itertools.groupby(columns, lambda c: (c.role, c.unit, c.confidence, c.reason))]
    shown = [
        {"columns": [column.index for column in run], "name": run[0].name, "last": run[-1].name, "role": run[0].role,
         "unit": run[0].unit.symbol if run[0].unit else "", "sure": round(100 * run[0].confidence),
         "why": run[0].reason}
        for run in runs[:_RUNS_SHOWN]
    ]
    plain = json.loads(json.dumps(item.to_dict(), default=str))
    kept = ("path", "format", "why", "simulated", "layout", "n_cycles", "pulse_range", "n_reads", "examples", "notes",
            "resistance_range_ohm", "n_devices", "n_devices_excluded", "sparkline", "typical_device", "counted_by",
            "limits", "problem", "map_line", "pulse_settings")
    more = {"devices": list(item.devices[:12]), "excluded": list(item.excluded.items())[:_REASONS_SHOWN]}
    return {key: plain[key] for key in kept} | more | {"runs": shown, "n_runs": len(runs)}


