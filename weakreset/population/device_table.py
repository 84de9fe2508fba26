"""A plain table of devices (r0_ohm, m1, t_star, ...) as fits: what somebody else's fit left, without traces."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import special

from weakreset.errors import ParameterFileError, TraceFormatError, UsageError
from weakreset.fitting.fit_rows import DRAWS_KEPT, FitRows
from weakreset.fitting.fit_set import FitSet, PooledNoise
from weakreset.fitting.likelihood_draws import LikelihoodDraws
from weakreset.fitting.result import DeviceFit, Estimate, FitStatus
from weakreset.model import DIRECTIONS, SHAPES, DriftShape, noise_kinds
from weakreset.parameter_file import ParameterFile
from weakreset.parameter_file.load_save import mistakes
from weakreset.parameter_file.new import noise_numbers
from weakreset.parameter_file.quantity_text import number_in
from weakreset.population.table_rows import read_rows
from weakreset.resources import display_path, sha256_of
from weakreset.traces import SourceFile, TraceSet

__all__ = ["read_device_table", "with_noise"]

Array = NDArray[np.float64]
Row = Mapping[str, str]

_DRAWS, _BEYOND_DRAWS = 100, 40
_SURE = 40.0  # ln of the odds that a knee lies where the table says, or not there
_95 = 2.0 * 1.959964
_ERRORS = ("_stderr", "_err", "_error", "_se", "_sigma")
_OTHERS = ("device", "status", "n_pulses", "alpha", "excluded_because")
_NOT_USABLE = {status.value: status for status in FitStatus if status not in (FitStatus.OK, FitStatus.KNEE_UNRESOLVED)}


def read_device_table(
    path: str | Path, drift: str = "two-slope", direction: str = "reset", empty_knee: str = "",
    seed: int | np.random.Generator = 0,
) -> FitSet:
    """The devices of a table, for `fit_population`.

    Parameters
    ----------
    path : str or path
        CSV with `,`, `;` or tabs, a row a device. Columns: `r0_ohm` and the numbers of the drift, with a unit in
        brackets where it is another (`r0 (kohm)`); `NAME_stderr` (or `_err`, `_se`), or `NAME_lo` and `NAME_hi`
        (95 %), where errors are known, else values are taken as exact; `device`, `n_pulses` (the last pulse), `status`,
        `excluded_because`, `alpha`.
    drift, direction : str
        What the numbers mean.
    empty_knee : str
        What a device without a knee means: "beyond", it lies beyond `n_pulses` for sure; "unknown", nothing, and the
        device is left out. A table does not hold how likely a knee was to be seen, so one of them has to be said.
    seed : int or numpy.random.Generator
        Of the draws that stand for the errors.

    Returns
    -------
    FitSet
        Devices that cannot be used are in it as excluded, with a reason; columns that were not used are in its notes.

    Raises
    ------
    UsageError
        No such drift shape or direction.
    TraceFormatError
        No such table; a number of the drift has no column; a cell is no number; a knee is empty and `empty_knee` does
        not say what that means.
    """
    if drift not in SHAPES:
        raise UsageError(f"drift {drift!r} is unknown; there are {', '.join(SHAPES)}")
    if direction not in DIRECTIONS:
        raise UsageError(f"direction {direction!r}: choose {' or '.join(DIRECTIONS)}")
    if empty_knee not in ("", "beyond", "unknown"):
        raise UsageError(f"empty knee {empty_knee!r}: choose beyond or unknown")
    shape, source = SHAPES[drift], Path(path)
    rows, units, comments = read_rows(source)
    key = seed if isinstance(seed, int) else int(seed.integers(1 << 32))
    table = _Table(shape, direction, units, str(source), empty_knee)
    table.check_columns()
    table.check_names(rows)
    fits = FitRows((table.fit(row, i, key) for i, row in enumerate(rows)), on_disk=len(rows) > DRAWS_KEPT)
    if not any(fit.status in (FitStatus.OK, FitStatus.KNEE_UNRESOLVED) for fit in fits):
        reasons = "; ".join(dict.fromkeys(fit.excluded_because for fit in fits))
        raise TraceFormatError(f"{source}: no device can be used ({reasons})")
    simulated = any(re.fullmatch(r"#\s*simulated:\s*true", line.strip(), re.IGNORECASE) for line in comments)
    file = SourceFile(display_path(source), sha256_of(source), "device-table", "a row a device", simulated)
    return FitSet(
        fits, table.noise(rows), shape, TraceSet((), sources=(file,)), "a table of devices",
        notes=tuple(table.notes(len(rows))), direction=direction,
    )


class _Table:
    """Columns of the table, and how a row becomes a fit."""

    def __init__(
        self, shape: DriftShape, direction: str, units: Mapping[str, str], where: str, empty_knee: str
    ) -> None:
        self.shape, self.direction, self.units, self.where = shape, direction, units, where
        self.empty_knee = empty_knee
        self.wanted = {"r0_ohm": "ohm", **shape.units}

    def check_columns(self) -> None:
        missing = [name for name in self.wanted if name not in self.units]
        if missing:
            raise TraceFormatError(
                f"{self.where}: no column for {', '.join(missing)}; the {self.shape.name} drift has "
                f"{', '.join(self.wanted)}, the table has {', '.join(self.units)}. Another shape: --drift"
            )

    def check_names(self, rows: Sequence[Row]) -> None:
        """Two rows of one name would count as one device, and one of them for nothing."""
        first: dict[str, int] = {}
        for i, row in enumerate(rows):
            if (name := row.get("device", "")) and first.setdefault(name, i) != i:
                raise TraceFormatError(
                    f"{self.where}: rows {first[name] + 1} and {i + 1} are both device {name!r}. Give each device a "
                    f"name of its own; cycles of one device are {name}#1, {name}#2, ..."
                )

    def notes(self, n_rows: int) -> list[str]:
        own = {f"{name}{end}" for name in self.wanted for end in (*_ERRORS, "_lo", "_hi", "_status")}
        unused = [name for name in self.units if name not in self.wanted and name not in own and name not in _OTHERS]
        said = [f"laws of {n_rows} rows of {self.where}, not of traces"]
        exact = [name for name in self.shape.parameters if not self._has_error(name)]
        said += [f"no errors given of {', '.join(exact)}: values are taken as exact"] if exact else []
        if self.empty_knee == "unknown":
            said.append(
                f"devices without {self.shape.knee} were excluded: late and faint knees are missing, so knees are too "
                "early on average and slopes before them too steep"
            )
        return [*said, *([f"columns not used: {', '.join(unused)}"] if unused else [])]

    def noise(self, rows: Sequence[Row]) -> PooledNoise:
        """1/f amplitude of the median device; the rest a table of devices does not hold."""
        known = [value for i, row in enumerate(rows) if (value := self._number(row, "alpha", "ln R", i)) is not None]
        note = "the exponent of 1/f noise and telegraph rates are not in a table of devices"
        alpha = float(np.median(known)) if known else 0.0
        return PooledNoise(alpha, 1.0, n_devices=len(known), note=note)

    def fit(self, row: Row, index: int, key: int) -> DeviceFit:
        name = row.get("device") or f"row {index + 1}"
        values = {number: self._number(row, number, unit, index) for number, unit in self.wanted.items()}
        last = self._number(row, "n_pulses", "pulse", index)
        said = row.get("excluded_because", "").strip()
        status, reason = self._status(row, values, last, said)
        head, sign, tail = name.rpartition("#")
        parent = head if sign and tail.isdigit() else name
        if reason:
            empty = np.empty(0)
            return DeviceFit(
                name, FitStatus.EXCLUDED, {}, self.shape, empty.astype(np.int64), empty, {}, excluded_because=reason,
                parent=parent,
            )
        errors = {name: self._error(row, name, index) for name in self.shape.parameters}
        # a digest of the numbers: neither names nor the order of rows decide what is drawn, or which devices are
        fingerprint = hashlib.sha256(repr([values, errors, last]).encode()).digest()[:16]
        rng = np.random.default_rng([key, *np.frombuffer(fingerprint, np.uint32).tolist()])
        knee = self.shape.knee
        end = last if last is not None else max(values.get(knee) or 0.0, 1.0)
        return DeviceFit(
            name, status, self._estimates(values, errors, status), self.shape,
            np.array([0, math.ceil(end)], dtype=np.int64), np.empty(0),
            self._curve(values, end),
            alpha=self._number(row, "alpha", "ln R", index), first_read_ohm=float(values["r0_ohm"] or math.nan),
            draws=self._draws(values, errors, end, status, rng), parent=parent, fingerprint=fingerprint,
            knee_profile=(np.zeros(1), np.ones(1)) if knee else None,
        )

    def _curve(self, values: Mapping[str, float | None], end: float) -> dict[str, float]:
        """Numbers of the device; of a knee that was not seen the last pulse."""
        stand_in = {self.shape.knee: end}
        known = {key: values[key] for key in self.shape.parameters}
        return {key: stand_in.get(key, 0.0) if value is None else value for key, value in known.items()}

    def _status(
        self, row: Row, values: Mapping[str, float | None], last: float | None, said: str
    ) -> tuple[FitStatus, str]:
        """Status and, where the device cannot be used, why."""
        word = row.get("status", "").strip()
        if said or word in _NOT_USABLE:
            return FitStatus.EXCLUDED, said or f"status {word}: {_NOT_USABLE[word].sentence}"
        if not (values["r0_ohm"] or 0.0) > 0:
            return FitStatus.EXCLUDED, f"r0_ohm is {row.get('r0_ohm') or 'empty'}"
        missing = [key for key in self.shape.parameters if values[key] is None]
        scan = self.shape.scan
        hidden = set() if scan is None or not scan.beyond else set(self.shape.parameters) - set(scan.beyond)
        if self.shape.knee in missing and hidden.issuperset(missing):
            if not self.empty_knee:
                raise TraceFormatError(
                    f"{self.where}: {self.shape.knee} of {row.get('device') or 'a row'} is empty. A table does not say "
                    "whether it lies beyond the last pulse or was too faint to be seen: choose --empty-knee beyond, or "
                    "--empty-knee unknown, which leaves such devices out; `weakreset fit` of the traces needs neither"
                )
            if self.empty_knee == "unknown":
                return FitStatus.EXCLUDED, f"{self.shape.knee} is empty"
            if last is None:
                return FitStatus.EXCLUDED, f"{self.shape.knee} is empty, and n_pulses does not say up to where"
            return FitStatus.KNEE_UNRESOLVED, ""
        if missing:
            return FitStatus.EXCLUDED, f"{', '.join(missing)} empty"
        return self._possible(row, values)

    def _possible(self, row: Row, values: Mapping[str, float | None]) -> tuple[FitStatus, str]:
        """A number that no device of this shape and direction can have, and that has no error, fits no law."""
        for key in self.shape.parameters:
            value = self.shape.sign(key, self.direction) * float(values[key] or 0.0)
            low, high = self.shape[key].bounds
            if not low <= value <= high and not self._has_error(key):
                way = "R rises" if self.direction == "reset" else "R falls"
                return FitStatus.EXCLUDED, f"{key} is {row.get(key)}, which is none where {way} (--direction)"
        return FitStatus.OK, ""

    def _estimates(
        self, values: Mapping[str, float | None], errors: Mapping[str, float | None], status: FitStatus
    ) -> dict[str, Estimate]:
        made = {"r0_ohm": Estimate(values["r0_ohm"])}
        seen = self.shape.scan.beyond if self.shape.scan else ()
        for key in self.shape.parameters:
            value, error = values[key], errors[key]
            hidden = status is FitStatus.KNEE_UNRESOLVED and key not in seen
            why = FitStatus.KNEE_UNRESOLVED.value
            made[key] = Estimate(None, status=why) if hidden else Estimate(value, error, *_ends(value, error))
        return made

    def _draws(
        self, values: Mapping[str, float | None], errors: Mapping[str, float | None], last: float, status: FitStatus,
        rng: np.random.Generator,
    ) -> LikelihoodDraws:
        """Normal likelihoods, cut to where a number may lie; a knee that was not seen lies beyond the last pulse."""
        names, scan = self.shape.parameters, self.shape.scan
        seen = status is not FitStatus.KNEE_UNRESOLVED
        stand_in = {key: last if key == self.shape.knee else 1e-3 * abs(values[self.shape.trend] or 1e-6)
                    for key in names if values[key] is None}
        inside = np.column_stack([
            self._sample(key, values[key] if values[key] is not None else stand_in[key], errors[key], _DRAWS, rng)
            for key in names
        ])
        beyond = None
        if scan is not None and scan.beyond:
            beyond = np.column_stack([
                self._sample(key, values[key] or 0.0, errors[key], _BEYOND_DRAWS, rng) for key in scan.beyond
            ])
        return LikelihoodDraws(self.shape, names, inside, _SURE if seen else -_SURE, beyond, last)

    def _sample(self, key: str, value: float | None, error: float | None, n: int, rng: np.random.Generator) -> Array:
        size = self.shape.sign(key, self.direction) * float(value or 0.0)
        if not error:
            return np.full(n, size)
        low, high = self.shape[key].bounds
        ends = special.ndtr((np.array([low, high]) - size) / error)
        even = ends[0] + (ends[1] - ends[0]) * (rng.permutation(n) + 0.5) / n
        return np.asarray(np.clip(size + error * special.ndtri(np.clip(even, 1e-300, 1 - 1e-16)), low, high))

    def _number(self, row: Row, key: str, unit: str, index: int) -> float | None:
        text = row.get(key, "").strip()
        if text.lower() in ("", "nan", "none", "null", "-", "–", "na", "n/a"):
            return None
        given = self.units.get(key, "")
        try:
            return number_in(f"{text} {given}", unit, f"{self.where}, row {index + 1}, {key}")
        except UsageError as error:
            raise TraceFormatError(str(error)) from None

    def _error(self, row: Row, key: str, index: int) -> float | None:
        for end in _ERRORS:
            if f"{key}{end}" in self.units:
                found = self._number(row, f"{key}{end}", self.wanted[key], index)
                return abs(found) if found else None
        low, high = (self._number(row, f"{key}_{end}", self.wanted[key], index) for end in ("lo", "hi"))
        return None if low is None or high is None or not high > low else (high - low) / _95

    def _has_error(self, key: str) -> bool:
        return f"{key}_lo" in self.units or any(f"{key}{end}" in self.units for end in _ERRORS)


def _ends(value: float | None, error: float | None) -> tuple[float | None, float | None]:
    """95 %."""
    return (None, None) if value is None or not error else (value - _95 / 2 * error, value + _95 / 2 * error)


def with_noise(
    params: ParameterFile, fits: FitSet, noise: Mapping[str, Any], cite: str = ""
) -> tuple[ParameterFile, list[str]]:
    """The file of a table with the noise that a table does not hold, and what was assumed of it.

    Parameters
    ----------
    params : ParameterFile
        As exported from a population of `fits`.
    noise : mapping
        Numbers of kinds of noise by name, as `new_parameters` takes them.
    cite : str
        Where the table comes from.
    """
    raw: dict[str, Any] = params.model_dump(by_alias=True)
    said = []
    for kind in noise_kinds().values():
        if kind.name in noise:
            had = raw["noise"].get(kind.name) or {}
            own = {key: value for key, value in had.items() if value is not None} if had.get("enabled") else {}
            raw["noise"][kind.name] = noise_numbers(kind, own | dict(noise[kind.name]))
        elif kind.name in raw["noise"] and kind.enabled and not raw["noise"][kind.name]["enabled"]:
            said.append(f"{kind.label} is off: the table does not hold it; --set {kind.name}.NUMBER=VALUE")
    if unknown := [name for name in noise if name not in noise_kinds()]:
        raise UsageError(f"no kind of noise {unknown[0]!r}; there are {', '.join(noise_kinds())}")
    raw["provenance"] |= {"citation": cite or None, "notes": [*raw["provenance"]["notes"], *said]}
    try:
        return ParameterFile.model_validate(raw), said
    except ValidationError as error:
        raise ParameterFileError(f"{params.name}: {mistakes(error)}") from None
