"""`where`: choose reads by the columns of a file, in a small language of its own; nothing is evaluated as code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import UsageError
from weakreset.traces.trace import Exclusion, PulseTrace
from weakreset.traces.trace_set import TraceSet
from weakreset.traces.units import split_name
from weakreset.traces.vocabulary import is_pulse_setting

__all__ = ["Condition", "parse_where", "select_where"]

_AND = re.compile(r"""\s+and\s+(?=(?:[^'"]*['"][^'"]*['"])*[^'"]*$)""", re.IGNORECASE)
_CONDITION = re.compile(
    r"""^\s*(?P<column>[^=!<>]+?)\s*(?P<op>==|!=|<=|>=|<|>|=)\s*(?P<value>"[^"]*"|'[^']*'|[^\s=!<>'"]+)\s*$"""
)
_LONGEST = 1000  # characters of a condition; longer ones are no condition
_DIGITS = 1e-6  # relative: 0.9 in a file of single precision is 0.8999999
_OWN = ("device", "cycle", "pulse", "resistance_ohm")
_ORDERED: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """`column operator value`; the value is a number where it looks like one and is not quoted."""

    column: str
    operator: str
    value: str
    number: float | None

    def __str__(self) -> str:
        return f"{self.column}{self.operator}{self.value if self.number is not None else repr(self.value)}"

    def holds(self, cells: NDArray[Any]) -> NDArray[np.bool_]:
        """Where the cells of a column meet the condition; numbers are equal if they agree in six digits.

        Raises
        ------
        UsageError
            A number asked of text, an order of texts, or text asked of numbers.
        """
        if cells.dtype.kind not in "iufb":
            return self._holds_text(cells)
        if self.number is None:
            raise UsageError(f"where {self}: column {self.column!r} holds numbers such as {cells[0]:g}")
        close = np.isclose(cells.astype(np.float64), self.number, rtol=_DIGITS, atol=0.0)
        if self.operator in ("==", "!="):
            return np.asarray(close if self.operator == "==" else ~close)
        strict = _ORDERED[self.operator[0]](cells, self.number)
        return np.asarray(strict | close if len(self.operator) == 2 else strict & ~close)

    def _holds_text(self, cells: NDArray[Any]) -> NDArray[np.bool_]:
        texts = [str(cell) for cell in cells.tolist()]
        if self.operator in ("==", "!="):
            equal = np.array([text == self.value or _same_number(text, self.number) for text in texts], dtype=bool)
            return equal if self.operator == "==" else ~equal
        try:
            return replace(self).holds(np.array([float(text or "nan") for text in texts]))
        except ValueError:
            raise UsageError(f"where {self}: {self.column!r} holds text, which has no order; use == or !=") from None


def _same_number(text: str, number: float | None) -> bool:
    try:
        return number is not None and abs(float(text) - number) <= _DIGITS * abs(number)
    except ValueError:
        return False


def parse_where(text: str) -> tuple[Condition, ...]:
    """Conditions joined by `and`: `v_sl==0.9 and cycle<3 and die=='d 1'`.

    Operators are == != < <= > >=. Columns are device, cycle, pulse, resistance_ohm and the extra columns of the file.

    Raises
    ------
    UsageError
        Anything else.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"where is {len(text)} characters long; {_LONGEST} are read")
    return tuple(_condition(part, text) for part in _AND.split(text))


def _condition(part: str, text: str) -> Condition:
    match = _CONDITION.match(part)
    if not match:
        raise UsageError(
            f"where {text!r}: {part.strip()!r} is not a condition. Write column, operator (== != < <= > >=) and a "
            "number or quoted text, joined by `and`: v_sl==0.9 and die=='d1'"
        )
    if match["op"] == "=":
        raise UsageError(f"where {text!r}: compare with ==, as in {match['column']}=={match['value']}")
    column, value = match["column"].strip("`'\""), match["value"]
    if value[0] in "'\"":
        return Condition(column, match["op"], value[1:-1], None)
    try:
        return Condition(column, match["op"], value, float(value))
    except ValueError:
        return Condition(column, match["op"], value, None)


def select_where(traces: TraceSet, where: str, *, part: bool = False) -> TraceSet:
    """The reads that meet `where`; the others are counted among the exclusions, a line a trace.

    A read of pulse 0 whose setting is empty or 0 stays with the pulses that follow it. `notes` say how many reads
    were left out, and where other pulses lie before or between the selected ones. In a `part` of a whole, there may be
    nothing to select.

    Raises
    ------
    UsageError
        `where` makes no sense, or no trace has such a column (near names are suggested).
    """
    conditions = parse_where(where)
    if traces.traces:
        _check_columns(traces, conditions)
    kept: list[PulseTrace] = []
    left_out: list[Exclusion] = []
    mixed: list[str] = []
    n_reads = 0
    for trace in traces:
        mask = _mask(trace, conditions)
        n_out = len(trace) - int(mask.sum())
        n_reads += n_out
        if n_out:
            left_out.append(_exclusion(trace, mask, where, n_out))
        if n_out < len(trace):
            kept.append(trace.select_reads(mask) if n_out else trace)
            mixed += _others(trace, mask)
    if not kept and not part:
        raise UsageError(f"where {where!r} selects nothing: {_offer(traces, conditions[0])}")
    total = sum(len(trace) for trace in traces)
    notes = [f"where {where}: {total - n_reads} of {total} reads selected, {n_reads} excluded"]
    if part:
        notes = [f"where {where}: reads that are not selected are counted among the exclusions"]
    if mixed:
        more = f", and {len(mixed) - 1} more traces" if len(mixed) > 1 else ""
        notes.append(f"where {where}: the selected pulses are not contiguous: {mixed[0]}{more}")
    return replace(
        traces, traces=tuple(kept), exclusions=(*traces.exclusions, *left_out), notes=(*traces.notes, *notes)
    )


def _mask(trace: PulseTrace, conditions: tuple[Condition, ...]) -> NDArray[np.bool_]:
    mask = np.ones(len(trace), dtype=bool)
    settings = []
    for condition in conditions:
        name = _find(trace, condition.column)
        if name is None:
            return np.zeros(len(trace), dtype=bool)
        mask &= condition.holds(_cells(trace, name))
        settings.append(is_pulse_setting(name))
        if settings[-1] and len(trace) > 1 and trace.pulses[0] == 0 and _is_blank(_cells(trace, name)[0]):
            mask[0] = mask[1]
    return mask


def _cells(trace: PulseTrace, name: str) -> NDArray[Any]:
    own = {"cycle": trace.cycle, "device": trace.device}
    if name in own:
        return np.full(len(trace), own[name], dtype=object if name == "device" else np.int64)
    return np.asarray(getattr(trace, {"pulse": "pulses"}.get(name, name)) if name in _OWN else trace.extras[name])


def _is_blank(cell: object) -> bool:
    return str(cell).strip().lower() in {"", "nan", "none", "0", "0.0"}


def _find(trace: PulseTrace, column: str) -> str | None:
    """The column of that name, or the one whose name without unit is."""
    if column in _OWN or column in trace.extras:
        return column
    return next((name for name in trace.extras if split_name(name)[0] == column), None)


def _check_columns(traces: TraceSet, conditions: tuple[Condition, ...]) -> None:
    for condition in conditions:
        if not any(_find(trace, condition.column) for trace in traces):
            names = [*_OWN, *dict.fromkeys(name for trace in traces for name in trace.extras)]
            near = difflib.get_close_matches(condition.column, names, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            shown = ", ".join(names[:20])
            raise UsageError(f"where {condition}: no column is called {condition.column!r}{hint} There are {shown}")


def _exclusion(trace: PulseTrace, mask: NDArray[np.bool_], where: str, n_out: int) -> Exclusion:
    first = None if n_out == len(trace) else int(trace.pulses[~mask][0])
    return Exclusion(
        trace.device, f"not selected by where {where}", trace.cycle, pulse=first, file=trace.source, n_readings=n_out
    )


def _others(trace: PulseTrace, mask: NDArray[np.bool_]) -> list[str]:
    """Words on unselected pulses before or between the selected ones, if there are any."""
    chosen = np.flatnonzero(mask)
    between = int(np.count_nonzero(~mask[chosen[0] : chosen[-1]]))
    before = int(np.count_nonzero(trace.pulses[: chosen[0]] > 0))
    if not between and not before:
        return []
    words = [f"{before} reads of other pulses come before"] if before else []
    words += [f"{between} lie between"] if between else []
    return [f"in {trace.words}, {' and '.join(words)} pulses {trace.pulses[chosen[0]]} and {trace.pulses[chosen[-1]]}"]


def _offer(traces: TraceSet, condition: Condition) -> str:
    """The values there are."""
    values: dict[str, None] = {}
    for trace in traces:
        if (name := _find(trace, condition.column)) is not None:
            cells = _cells(trace, name)
            values |= dict.fromkeys(f"{cell:g}" if cells.dtype.kind in "iuf" else str(cell) for cell in cells[:200])
        if len(values) > 10:
            break
    shown = list(values)[:10]
    return f"{condition.column} is {', '.join(shown)}{', ...' if len(values) > 10 else ''}"
