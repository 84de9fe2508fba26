"""Fit results as rows of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from weakreset.fitting.result import DeviceFit, Estimate

__all__ = ["device_columns", "device_rows"]


def device_columns(names: Sequence[str], fits: Iterable[DeviceFit] = ()) -> tuple[str, ...]:
    """Heads of the columns of `device_rows`; of the noise, too, where one of `fits` stands out by it."""
    return ("device", "status", *names, "rtn steps", *(["noise"] if _some_stand_out(fits) else []))


def device_rows(
    fits: Iterable[DeviceFit], names: Sequence[str], among: Iterable[DeviceFit] = ()
) -> list[tuple[str, ...]]:
    """A row a device of a set: each of `names` with its standard error, empty where not identifiable."""
    noise = _some_stand_out(among)
    return [
        (
            fit.device, fit.status.value, *(_cell(fit.estimates.get(name)) for name in names),
            str(len(fit.rtn.steps)), *([f"{fit.noise_ratio:.2g} x" if fit.noise_ratio else ""] if noise else []),
        )
        for fit in fits
    ]


def _some_stand_out(fits: Iterable[DeviceFit]) -> bool:
    return any(fit.noise_ratio is not None for fit in fits)


def _cell(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return ""
    return f"{estimate.value:.3g}" + (f" +- {estimate.stderr:.1g}" if estimate.stderr is not None else "")
