"""Fit results as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from weakreset.fitting.fit_set import FitSet
from weakreset.fitting.result import DeviceFit, Estimate

__all__ = ["summary_lines", "text_table"]


def summary_lines(fits: FitSet) -> list[str]:
    """How many devices have which status, and the pooled noise."""
    counts = ", ".join(f"{count} {status}" for status, count in fits.counts().items() if count)
    noise = fits.noise
    return [
        f"{len(fits.fits)} devices, {fits.drift.name} drift: {counts}",
        f"noise of all: alpha {_number(noise.alpha)}, exponent {_number(noise.exponent)}, "
        f"read {_number(noise.read_sd)}, p_up {_number(noise.p_up)}, p_down {_number(noise.p_down)}",
    ]


def text_table(fits: Sequence[DeviceFit], names: Sequence[str], n_rows: int) -> str:
    """A row a device: each of `names` with its standard error, empty where not identifiable."""
    header = ["device", "status", *names, "rtn steps"]
    rows = [
        [fit.device, fit.status.value, *(_cell(fit.estimates.get(name)) for name in names), str(len(fit.rtn.steps))]
        for fit in fits[:n_rows]
    ]
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    ]
    left = len(fits) - len(rows)
    return "\n".join([*lines, *([f"... and {left} more"] if left > 0 else [])])


def _number(value: float | None) -> str:
    return "not identifiable" if value is None else f"{value:.3g}"


def _cell(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return ""
    return f"{estimate.value:.3g}" + (f" +- {estimate.stderr:.1g}" if estimate.stderr is not None else "")
