"""Fits of all devices of a set, and the noise they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weakreset.display import ROWS_SHOWN, Shown, Summary, text_table
from weakreset.fitting.drift_test import DriftTest
from weakreset.fitting.fit_rows import FitRows, device_names, taken
from weakreset.fitting.result import DeviceFit, Estimate, FitStatus
from weakreset.fitting.table import device_columns, device_rows, is_text
from weakreset.model import DriftShape, noise_kind
from weakreset.traces import Exclusion, TraceSet
from weakreset.traces.group_labels import group_labels
from weakreset.traces.lot_sentence import counted_devices

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FitSet", "PooledNoise", "excluded_fits"]


@dataclass(frozen=True)
class PooledNoise:
    """Noise of the technology, from all devices together; None where it cannot be known.

    `alpha` multiplies unit-variance driving noise, `exponent` is beta of 1/f^beta.
    """

    alpha: float | None
    exponent: float | None
    alpha_stderr: float | None = None
    exponent_stderr: float | None = None
    read_sd: float = 0.0
    p_up: float | None = None
    p_down: float | None = None
    n_devices: int = 0
    n_transitions: int = 0
    note: str = ""
    p_up_stderr: float | None = None
    p_down_stderr: float | None = None
    rtn_share: float | None = None
    rtn_share_stderr: float | None = None
    rtn_growth: float = 0.0
    """By how much telegraph steps grow per unit of ln(R/R0), as a share of them; 0 where none is seen."""
    rtn_growth_stderr: float | None = None
    alpha_spread: float = 0.0
    """Standard deviation of ln alpha between devices; 0 where it is not seen."""
    alpha_spread_stderr: float | None = None
    alpha_middle: float | None = None
    """Median alpha of the devices, and the standard error of its logarithm."""
    alpha_middle_stderr: float | None = None
    exponent_spread: float = 0.0
    """Standard deviation of the exponent between devices; 0 where it is not seen."""
    exponent_spread_stderr: float | None = None
    exponent_middle: float | None = None
    """Where the exponents of the devices lie, where they differ: the pooled one leans to the steepest."""
    n_own_noise: int = 0
    """Devices that inform these spreads."""
    own_noise_note: str = ""
    wander_sd: float = 0.0
    """By how much the baseline of a device walks in one pulse, in ln R; 0 where that is not seen."""
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Blocks of kinds of noise from elsewhere, as their estimators found them."""

    def __str__(self) -> str:
        """The numbers in a line."""
        names = {"alpha": "alpha", "exponent": "exponent", "read_sd": "read", "p_up": "p_up", "p_down": "p_down"}
        ours = ", ".join(f"{word} {_number(getattr(self, name))}" for name, word in names.items())
        others = (f"; {noise_kind(name).label}: {_numbers(block)}" for name, block in self.others.items())
        return f"noise of all: {ours}{''.join(others)}"


@dataclass(frozen=True, eq=False, repr=False)
class FitSet(Shown):
    """Fits of all devices, the excluded ones among them, and their pooled noise."""

    fits: Sequence[DeviceFit]
    noise: PooledNoise
    drift: DriftShape
    traces: TraceSet
    method: str = ""
    caveat: str = ""
    notes: tuple[str, ...] = ()
    drift_test: DriftTest | None = None
    direction: str = "reset"
    """"reset" where R rises, "set" where it falls."""
    shared: Mapping[str, Estimate] = field(default_factory=dict)
    """Numbers of the drift that all devices share."""
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Where devices sit, as `group_labels` has it, of a set that does not hold its traces."""

    def __len__(self) -> int:
        return len(self.fits)

    @property
    def aic(self) -> float:
        """Akaike's criterion of the whole set: sum of the deviances + 2 for every number fitted.

        Of shapes fitted to the same traces only where noise was the same too; `drift="auto"` sees to that.
        """
        known = (fit for fit in self if fit.status not in (FitStatus.NOT_CONVERGED, FitStatus.EXCLUDED))
        return float(sum(fit.deviance + 2.0 * fit.n_numbers for fit in known))

    def __iter__(self) -> Iterator[DeviceFit]:
        return iter(self.fits)

    def __getitem__(self, device: str) -> DeviceFit:
        return self.fits[self._by_name[device]]

    @cached_property
    def _by_name(self) -> dict[str, int]:
        names = self.fits.names() if isinstance(self.fits, FitRows) else [fit.device for fit in self.fits]
        return {name: len(names) - 1 - i for i, name in enumerate(reversed(names))}

    @cached_property
    def labels(self) -> Mapping[str, Mapping[str, str]]:
        """By column (lot, wafer, die, ...): the group of each device that has one."""
        return self.groups or group_labels(self.traces)

    def size(self, name: str, value: float) -> float:
        """Size of a drift number: what laws and parameter files hold of slopes of devices that fall."""
        return self.drift.sign(name, self.direction) * value if name in self.drift.parameters else value

    @cached_property
    def _statuses(self) -> list[FitStatus]:
        return [fit.status for fit in self.fits]

    @cached_property
    def usable(self) -> Sequence[DeviceFit]:
        """Fits of devices that were neither excluded nor failed, and whose telegraph noise could be followed."""
        failed = (FitStatus.RESTLESS, FitStatus.NOT_CONVERGED, FitStatus.EXCLUDED)
        return taken(self.fits, [i for i, status in enumerate(self._statuses) if status not in failed])

    def counts(self) -> dict[str, int]:
        """How many devices (cycles, where they have several) have each status."""
        counted = Counter(self._statuses)
        return {status.value: counted[status] for status in FitStatus}

    @property
    def detailed(self) -> tuple[DeviceFit, ...]:
        """Usable fits that still hold their trace (all of them, unless they came from `fit_stream`)."""
        return tuple(fit for fit in self.usable if len(fit.log_ratio))

    @property
    def counted(self) -> str:
        """`5 devices`, or `5 devices, 40 cycles`: of all fits, the excluded ones among them."""
        return counted_devices(len(device_names(self.fits)), len(self))

    def __str__(self) -> str:
        """Counts, pooled noise, and a table of the first devices."""
        return "\n".join([*self._sentences(), self.to_table()])

    def _sentences(self) -> list[str]:
        counts = ", ".join(f"{count} {status}" for status, count in self.counts().items() if count)
        falling = ", R falls (SET)" if self.direction == "set" else ""
        return [f"{self.counted}, {self.drift.name} drift{falling}: {counts}", str(self.noise)]

    def _shown(self) -> Summary:
        counts, names = self.counts(), self.drift.parameters
        known = [status for status in FitStatus if counts[status.value]]
        reasons = Counter(fit.excluded_because for fit in self.fits if fit.excluded_because).most_common(ROWS_SHOWN)
        return Summary(
            f"FitSet of {self._sentences()[0]}{' (simulated traces)' if self.traces.simulated else ''}",
            (str(self.noise), *filter(None, [self.caveat])),
            device_columns(names, self.fits), device_rows(self.fits[:ROWS_SHOWN], names, self.fits), len(self),
            (
                *(f"{status.value}: {status.sentence}" for status in known),
                *(f"excluded, {count} of {len(self)}: {reason}" for reason, count in reasons), *self.notes,
            ),
        )

    def to_table(self, n_rows: int = 12) -> str:
        """Text table: a row a device, each number with its standard error, empty where not identifiable."""
        names = self.drift.parameters
        rows = device_rows(self.fits[:n_rows], names, self.fits)
        return text_table(device_columns(names, self.fits), rows, len(self))

    def to_frame(self) -> pd.DataFrame:
        """A row a device, the columns of DEVICES.csv; unknowable numbers are empty."""
        import pandas as pd

        frame = pd.DataFrame([fit.row() for fit in self.fits])
        for column, of in self.labels.items():
            frame[column] = [of.get(name) for name in frame["device"]]
        for name in frame.columns:
            if frame[name].isna().any() and not is_text(name):
                frame[name] = frame[name].astype(float)
        return frame


def _number(value: float | None) -> str:
    return "not identifiable" if value is None else f"{value:.3g}"


def _numbers(block: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in block.items() if isinstance(value, float))


def _reads(item: Exclusion) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What was read of a device that was left out: it is the one to look at."""
    if item.trace is None or not len(item.trace):
        return np.empty(0, dtype=np.int64), np.empty(0)
    pulses, log_ratio = item.trace.log_ratio()
    good = np.isfinite(log_ratio)
    return pulses[good], log_ratio[good]


def excluded_fits(exclusions: tuple[Exclusion, ...], drift: DriftShape) -> list[DeviceFit]:
    """Rows for devices that were left out whole, so that no device disappears from the table."""
    return [
        DeviceFit(
            item.device if not item.cycle else f"{item.device}#{item.cycle}",
            FitStatus.EXCLUDED,
            {},
            drift,
            *_reads(item),
            {},
            excluded_because=item.reason,
            parent=item.device,
        )
        for item in exclusions
        if item.pulse is None and item.line is None and item.device
    ]
