"""Fit results as rows of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from weakreset.fitting.result import DeviceFit, Estimate

__all__ = ["device_columns", "device_rows"]


def device_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Heads of the columns of `device_rows`."""
    return ("device", "status", *names, "rtn steps")


def device_rows(fits: Iterable[DeviceFit], names: Sequence[str]) -> list[tuple[str, ...]]:
    """A row a device: each of `names` with its standard error, empty where not identifiable."""
    return [
        (fit.device, fit.status.value, *(_cell(fit.estimates.get(name)) for name in names), str(len(fit.rtn.steps)))
        for fit in fits
    ]


def _cell(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return ""
    return f"{estimate.value:.3g}" + (f" +- {estimate.stderr:.1g}" if estimate.stderr is not None else "")
