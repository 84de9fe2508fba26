"""What the bench has read and made so far."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from weakreset.app.pictures import Drawing, drawings
from weakreset.cli.trace_options import TraceOptions
from weakreset.errors import UsageError
from weakreset.progress import Progress
from weakreset.report import Recipe
from weakreset.resources import write_atomically

if TYPE_CHECKING:
    from weakreset.comparison import Comparison
    from weakreset.fitting import FitSet
    from weakreset.parameter_file import ParameterFile
    from weakreset.population import Population
    from weakreset.traces import TraceSet
    from weakreset.validation import Verdict

__all__ = ["Results", "trace_options"]



class Results:
    """One of each kind: a new fit takes the place of the last.

    Parameters
    ----------
    folder : Path
        With `files` (the working directory) and `made`.
    progress : callable
        Called as progress(done, total, what).
    """

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.made, self.progress = folder / "made", progress
        self.read: tuple[object, TraceSet] | None = None
        self.fits: FitSet | None = None
        self.population: Population | None = None
        self.params: ParameterFile | None = None
        self.verdict: Verdict | None = None
        self.comparison: Comparison | None = None
        self.twin: TraceSet | None = None
        self.recipe: Recipe | None = None

    def traces(self, recipe: Recipe) -> TraceSet:
        """As the recipe reads them; read once."""
        asked = trace_options(recipe)
        about = [Path(path).stat() for path in asked.paths if Path(path).exists()]
        key = (asked, tuple((item.st_size, item.st_mtime_ns) for item in about))  # a file may come again, changed
        if self.read is None or self.read[0] != key:
            self.read = (key, asked.load(progress=self.progress)[0])
        return self.read[1]

    def parameters(self, source: str, assume: str = "") -> ParameterFile:
        """What was fitted here, a file that was given, or a preset; never a path."""
        from weakreset.parameter_file import assumed_numbers, load_parameters, preset_names

        numbers = assumed_numbers(assume)
        if self.params is not None and self.recipe is not None and source == self.recipe.parameter_file:
            return load_parameters(self.params, numbers)
        # the name of an upload, and no way out of its folder
        if Path(source).name != source or not (source in preset_names() or Path(source).is_file()):
            raise UsageError(f"there is no parameter file {source!r} here")
        return load_parameters(source, numbers)

    def drawings(self) -> dict[str, Drawing]:
        """Every picture that there can be now."""
        return drawings(
            None if self.read is None else self.read[1], self.fits, self.population, self.verdict, self.comparison,
            self.twin,
        )

    def drawing(self, name: str) -> Drawing:
        """One of them.

        Raises
        ------
        UsageError
            There is none of that name.
        """
        found = self.drawings().get(name)
        if found is None:
            raise UsageError(f"there is no picture {name!r} yet")
        return found

    def picture_widths(self) -> dict[str, str]:
        """Pictures that can be drawn now, and how wide they want to be."""
        return {name: "double" if drawing.wide else "single" for name, drawing in self.drawings().items()}

    def for_paper(self, name: str, kind: str, width: str) -> Path:
        """A picture as wide as a column of a paper."""
        from weakreset.plots import paper_bytes

        data = paper_bytes(self.drawing(name).draw, kind, width)
        return write_atomically(self.made / f"{name}_{width}.{kind}", data)


def trace_options(recipe: Recipe) -> TraceOptions:
    """Of a recipe, those on reading.

    Raises
    ------
    UsageError
        There are no files.
    """
    if not recipe.files:
        raise UsageError("there are no trace files yet: drop some on the page")
    return TraceOptions(
        list(recipe.files), recipe.column_map, recipe.format, recipe.read_voltage_v, recipe.limits, recipe.where,
        recipe.pulses, skip=recipe.skip,
    )
