"""Laws that too few devices inform: left out with a reason, or with wider errors."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import special

from weakreset.fitting.fit_rows import those
from weakreset.fitting.result import DeviceFit, FitStatus
from weakreset.model import DriftShape
from weakreset.parameter_file import NotIdentifiable

__all__ = ["informing", "left_out", "student_factor"]

_MANY = 30  # of so many a law is fitted, and the list of values would tell less
_MOST_SHOWN = 5  # values that fit in a sentence


def informing(name: str, usable: Sequence[DeviceFit], drift: DriftShape) -> Sequence[DeviceFit]:
    """Devices whose own estimate says something of a number."""

    def tells(fit: DeviceFit) -> bool:
        if name == drift.nonnegative and fit.status is FitStatus.KNEE_UNRESOLVED:
            return False
        return name in fit.estimates and fit.estimates[name].value is not None

    return those(usable, tells)


def left_out(
    name: str, drift: DriftShape, usable: Sequence[DeviceFit], known: Sequence[DeviceFit]
) -> NotIdentifiable:
    """The entry of a number that `known` of the `usable` devices inform, too few for a law."""
    unit, n = drift.units[name], len(usable)
    longest = max(float(fit.pulses[-1]) for fit in usable)
    lower = longest if name == drift.knee and not known else None
    if known:
        shown = ", ".join(f"{float(fit.estimates[name].value or 0.0):.3g}" for fit in known[:_MOST_SHOWN])
        verb = "tells" if len(known) == 1 else "tell"
        note = f"{len(known)} of {n} devices {verb} of it ({shown}), too few for a law"
    elif lower is not None:
        note = f"no knee stands out in {n} devices read up to pulse {longest:.0f}"
    else:
        note = f"not one of {n} devices tells of it"
    return NotIdentifiable(unit=unit, lower=lower, n_devices=n, n_informative=len(known), note=note)


def student_factor(n: int) -> float:
    """How much wider 95 % of Student's t with n - 1 degrees of freedom are than those of the normal law."""
    if n >= _MANY or n < 2:
        return 1.0
    return float(special.stdtrit(n - 1, 0.975) / special.ndtri(0.975))
