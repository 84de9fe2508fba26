"""Files to take away."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from weakreset.app.results import Results
from weakreset.display import csv_for_people
from weakreset.errors import UsageError
from weakreset.report import Recipe
from weakreset.resources import all_or_none, whole_or_nothing, write_atomically

__all__ = ["EXPORTS", "Export"]


@dataclass(frozen=True)
class Export:
    """What it is called on the page, and how it is written."""

    label: str
    write: Callable[[Results, Recipe], Path]
    needs_laws: bool = False


def _parameters(results: Results, recipe: Recipe) -> Path:
    if results.params is None:
        raise UsageError("no parameter file: the fit gave none")
    return results.params.save(results.made / recipe.parameter_file)


def _devices(results: Results, recipe: Recipe) -> Path:
    if results.fits is None:
        raise UsageError("nothing was fitted yet")
    from weakreset.report.device_files import device_files

    table = results.made / f"{recipe.name}.devices.csv"
    all_or_none({**device_files(results.fits, table)})
    return table


def _laws(results: Results, recipe: Recipe) -> Path:
    from weakreset.exports import write_datapackage
    from weakreset.parameter_file.tables import LAW_WORDS, write_laws

    if results.params is None:
        raise UsageError("no laws: the fit gave no parameter file")
    table = write_laws(results.params, results.made / f"{recipe.name}.laws.csv")
    write_datapackage(table, {}, f"laws of {recipe.name}", bool(results.params.provenance.simulated), LAW_WORDS)
    return table


def _excluded(results: Results, recipe: Recipe) -> Path:
    from weakreset.exports import write_datapackage

    traces = results.traces(recipe)
    frame = traces.excluded
    table = write_atomically(results.made / f"{recipe.name}.excluded.csv", csv_for_people(frame))
    words = tuple(name for name in frame.columns if frame[name].dtype.kind not in "iuf")
    write_datapackage(table, {"pulse": "pulse"}, f"what was excluded of {recipe.name}", traces.simulated, words)
    return table


def _report(results: Results, recipe: Recipe) -> Path:
    from weakreset.report import ReportInput, build_report

    content = ReportInput(
        f"Fit of {recipe.name}", fits=results.fits, population=results.population, params=results.params,
        verdict=results.verdict, commands=recipe.commands(),
    )
    return write_atomically(results.made / f"{recipe.name}.html", build_report(content, results.progress))


def _commands(results: Results, recipe: Recipe) -> Path:
    # a negative verdict (1) is a result, and what comes after it is wanted all the same
    steps = [f"{line} || [ $? -eq 1 ]" if line.startswith("weakreset validate") else line for line in recipe.commands()]
    lines = ["#!/bin/sh", "# To be run in the folder of the files.", "set -e", *steps]
    return write_atomically(results.made / f"{recipe.name}.sh", "\n".join(lines) + "\n")


def _notebook(results: Results, recipe: Recipe) -> Path:
    return write_atomically(results.made / f"{recipe.name}.ipynb", recipe.notebook())


def _everything(results: Results, recipe: Recipe) -> Path:
    """All but the pictures, which take their time."""
    rest = [export for name, export in EXPORTS.items() if name not in ("everything", "pictures")]
    written = [item.write(results, recipe) for item in rest if results.params is not None or not item.needs_laws]
    written += [described for path in written if (described := path.with_suffix(".datapackage.json")).is_file()]
    return _packed(results.made / f"{recipe.name}.zip", written)


def _pictures(results: Results, recipe: Recipe) -> Path:
    """Every picture as PDF, as wide as it has panels for."""
    written = []
    widths = results.picture_widths()
    for done, (name, width) in enumerate(widths.items()):
        results.progress(done, len(widths), "pictures")
        written.append(results.for_paper(name, "pdf", width))
    return _packed(results.made / f"{recipe.name}.pictures.zip", written)


def _packed(path: Path, written: list[Path]) -> Path:
    with whole_or_nothing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in written:
            archive.write(file, file.name)
    return path


EXPORTS = {
    "parameters": Export("Parameter file (JSON)", _parameters, needs_laws=True),
    "devices": Export("Table of devices (CSV)", _devices),
    "laws": Export("Table of laws (CSV)", _laws, needs_laws=True),
    "excluded": Export("What was excluded (CSV)", _excluded),
    "report": Export("Report (HTML)", _report),
    "commands": Export("Commands that repeat it (sh)", _commands),
    "notebook": Export("Notebook that repeats it (ipynb)", _notebook),
    "everything": Export("All of these (zip)", _everything),
    "pictures": Export("All pictures (PDF, zip)", _pictures),
}
