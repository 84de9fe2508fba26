"""What was done with some files, as the commands and as the notebook that do it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Recipe", "Twin"]

Cell = tuple[str, str]


@dataclass(frozen=True)
class Twin:
    """Traces that were simulated beside the measured ones; arguments of `simulate_traces`."""

    params: str
    devices: int = 100
    pulses: int = 1000
    seed: int = 0
    without: tuple[str, ...] = ()
    assume: str = ""


@dataclass(frozen=True)
class Recipe:
    """From files to a parameter file, and what was looked at on the way.

    Attributes
    ----------
    files : tuple of str
        As they are called where the commands will run.
    name : str
        Of the technology; the parameter file is `NAME.json`.
    column_map, format, read_voltage_v, limits, where, pulses, skip
        How files are read, as the options of `weakreset fit`; '' and None are not given.
    drift, direction, rtn, mixed_pulses
        Options of the fit.
    validated : tuple of (str, bool)
        Parameter files that were validated against the traces, and whether as `unseen`.
    replicas, seed : int
        Of the validation.
    assume : str
        Numbers for what is not identifiable, for the validation: `t_star=500,m2=0`; a twin has its own.
    compared : tuple of str
        The two parameter files that were compared, or ().
    twin : Twin, optional
    """

    files: tuple[str, ...]
    name: str = "my-technology"
    column_map: str = ""
    format: str = ""
    read_voltage_v: float | None = None
    limits: str = ""
    where: str = ""
    pulses: str = ""
    skip: int = 0
    drift: str = "two-slope"
    direction: str = "auto"
    rtn: bool = True
    mixed_pulses: bool = False
    fitted: bool = True
    validated: tuple[tuple[str, bool], ...] = ()
    replicas: int = 999
    seed: int = 0
    assume: str = ""
    compared: tuple[str, ...] = ()
    twin: Twin | None = None

    @property
    def parameter_file(self) -> str:
        """Where the parameter file is written."""
        return f"{self.name}.json"

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Recipe:
        """The inverse of `to_dict`."""
        twin = plain.get("twin")
        made = Twin(**dict(twin, without=tuple(twin["without"]))) if twin else None
        validated = tuple((str(name), bool(unseen)) for name, unseen in plain.get("validated", ()))
        listed = {key: tuple(plain.get(key, ())) for key in ("files", "compared")}
        return cls(**dict(plain) | listed | {"validated": validated, "twin": made})

    def fit_command(self) -> str:
        """`weakreset fit ...`."""
        options = [*self._reading(), *(["--drift", self.drift] if self.drift != "two-slope" else [])]
        options += ["--direction", self.direction] if self.direction != "auto" else []
        options += [] if self.rtn else ["--no-rtn"]
        written = ["-o", self.parameter_file, "--devices", f"{self.name}.devices.csv", "--report", f"{self.name}.html"]
        return _line("fit", *self._paths(), *written, "--name", self.name, *options, *self._mixed())

    def commands(self) -> tuple[str, ...]:
        """The commands to be typed in the folder of the files, one a line."""
        lines = [self.fit_command()] if self.fitted else [_line("inspect", *self._paths(), *self._inspecting())]
        for params, unseen in self.validated:
            options = [*(["--unseen"] if unseen else []), "--replicas", str(self.replicas), "--seed", str(self.seed)]
            options += _assumed(self.assume)
            lines.append(_line("validate", params, *self._paths(), *options, *self._reading(), *self._mixed()))
        if self.compared:
            lines.append(_line("compare", *self.compared))
        if self.twin is not None:
            twin = self.twin
            sizes = ["--devices", str(twin.devices), "--pulses", str(twin.pulses), "--seed", str(twin.seed)]
            off = ["--without", ",".join(twin.without)] if twin.without else []
            lines.append(_line("simulate", twin.params, "-o", "simulated.csv", *sizes, *off, *_assumed(twin.assume)))
        return tuple(lines)

    def notebook(self) -> str:
        """The same as a Jupyter notebook (nbformat 4.5), without outputs."""
        cells: list[dict[str, Any]] = [
            {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text.splitlines(keepends=True)}
            | ({"execution_count": None, "outputs": []} if kind == "code" else {})
            for number, (kind, text) in enumerate(self._cells())
        ]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        book = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        return json.dumps(book, indent=1, ensure_ascii=False) + "\n"

    def _paths(self) -> list[str]:
        """A file called `-x.csv` would be taken for an option."""
        return [f"./{name}" if name.startswith("-") else name for name in self.files]

    def _mixed(self) -> list[str]:
        return ["--mixed-pulses"] if self.mixed_pulses else []

    def _inspecting(self) -> list[str]:
        given = {
            "--map": self.column_map, "--format": self.format, "--limits": self.limits, "--where": self.where,
            "--read-voltage": "" if self.read_voltage_v is None else repr(self.read_voltage_v),
            "--skip": str(self.skip or ""),
        }
        return [part for option, text in given.items() if text for part in (option, text)]

    def _reading(self) -> list[str]:
        return [*self._inspecting(), *(["--pulses", self.pulses] if self.pulses else [])]

    def _cells(self) -> list[Cell]:
        title = f"# {self.name}: from traces to a parameter file\n\nOf `weakreset app`; to be put beside the files."
        cells = [("markdown", title), ("code", f"import weakreset as wr\n\n{self._load()}")]
        cells += self._fit_cells() if self.fitted else []
        for params, unseen in self.validated:
            source = self._params(params, self.assume)
            more = ", mixed_pulses=True" if self.mixed_pulses else ""
            call = f"wr.validate({source}, traces, n_replicas={self.replicas}, seed={self.seed}, unseen={unseen}{more})"
            cells.append(("code", f"verdict = {call}\nverdict"))
        if self.compared:
            a, b = (f"wr.load_parameters({source})" for source in map(self._params, self.compared))
            cells.append(("code", f"wr.compare_parameters({a}, {b})"))
        if self.twin is not None:
            twin = self.twin
            sizes = f"n_devices={twin.devices}, n_pulses={twin.pulses}, seed={twin.seed}, without={twin.without!r}"
            drawn = "wr.plots.measured_and_simulated(traces, twin)"
            call = f"wr.simulate_traces({self._params(twin.params, twin.assume)}, {sizes})"
            cells.append(("code", f"twin = {call}\n{_shown(drawn)}"))
        return cells

    def _load(self) -> str:
        given: dict[str, Any] = {
            "column_map": self.column_map, "format": self.format, "where": self.where, "skip": self.skip,
            "read_voltage_v": self.read_voltage_v,
        }
        # repr: whatever is in a name, it stays a text of Python
        options = [f"{key}={value!r}" for key, value in given.items() if value]
        options += [f"limits=wr.ScreeningLimits.parse({self.limits!r})"] if self.limits else []
        load = f"traces = wr.load_traces({', '.join([repr(list(self.files)), *options])})"
        if self.pulses:
            first, last = (part.strip() or "None" for part in self.pulses.split(":"))
            load += f"\ntraces = traces.select_pulses({first}, {last})"
        return f"{load}\ntraces"

    def _fit_cells(self) -> list[Cell]:
        options = [f"{key}={getattr(self, key)!r}" for key in ("drift", "direction", "rtn")]
        options += ["mixed_pulses=True"] if self.mixed_pulses else []
        save = f"params.save({self.parameter_file!r})"
        return [
            ("code", f"fits = wr.fit_devices(traces, {', '.join(options)})\nfits"),
            ("code", _shown("wr.plots.traces_with_fits(fits)")),
            ("code", "population = wr.fit_population(fits)\npopulation"),
            ("code", _shown("wr.plots.d2d_laws(population)")),
            ("code", f"params = wr.export_parameters(population, {self.name!r})\n{save}\nparams"),
        ]

    def _params(self, source: str, assume: str = "") -> str:
        known = self.fitted and source == self.parameter_file
        if assume:
            numbers = ", ".join(f"{name.strip()!r}: {value}" for name, value in _pairs(assume))
            return f"wr.load_parameters({'params' if known else repr(source)}, assume={{{numbers}}})"
        return "params" if known else repr(source)


def _assumed(numbers: str) -> list[str]:
    return ["--assume", numbers] if numbers else []


def _pairs(assume: str) -> list[tuple[str, float]]:
    parts = (part.partition("=") for part in assume.split(","))
    return [(name, float(value)) for name, _, value in parts]


def _line(verb: str, *parts: str) -> str:
    return " ".join(["weakreset", verb, *map(shlex.quote, parts)])  # names of files come from strangers


def _shown(call: str) -> str:
    """A figure that pyplot does not know of shows itself where it is the last value of a cell."""
    return f"{call}.figure"
