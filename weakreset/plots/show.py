"""The usual figure of any result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weakreset.errors import UsageError
from weakreset.plots.ablation_bars import ablation_bars
from weakreset.plots.all_traces import all_traces
from weakreset.plots.check_overview import check_overview
from weakreset.plots.d2d_laws import d2d_laws
from weakreset.plots.device_over_pulses import device_over_pulses
from weakreset.plots.device_page import device_page
from weakreset.plots.drift_comparison import drift_comparison
from weakreset.plots.traces_with_fits import traces_with_fits
from weakreset.plots.training_curves import TrainingRun as Curve
from weakreset.plots.training_curves import training_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["show"]


def show(result: Any, ax: Axes | None = None) -> Axes:
    """Draw what is usually looked at first.

    Parameters
    ----------
    result : object
        TraceSet or PulseTrace: traces with their quantiles. FitSet: example devices with their fits. DeviceFit: the
        device in full. Population: its laws. ParameterFile: devices over pulses. Comparison: two files over pulses.
        Verdict: where each check finds the traces. Ablation: what each imperfection costs. TrainingRun: accuracy.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    UsageError
        Something else.

    Examples
    --------
    >>> wr.plots.show(fits).figure.savefig("fits.pdf")  # doctest: +SKIP
    """
    drawn = _drawn(result, ax)
    if drawn is None:
        raise UsageError(
            f"there is no figure of a {type(result).__name__}; show takes traces, fits, populations, parameter files, "
            "comparisons, verdicts, ablations and training runs"
        )
    return drawn


def _drawn(result: Any, ax: Axes | None) -> Axes | None:
    """By the kind of result, on the measured side first: torch is not loaded for it."""
    from weakreset.comparison import Comparison
    from weakreset.fitting import DeviceFit, FitSet
    from weakreset.parameter_file import ParameterFile
    from weakreset.population import Population
    from weakreset.traces import PulseTrace, TraceSet
    from weakreset.validation import Verdict

    if isinstance(result, TraceSet):
        return all_traces(result, ax)
    if isinstance(result, PulseTrace):
        return all_traces(TraceSet((result,)), ax)
    if isinstance(result, FitSet):
        return traces_with_fits(result, ax=ax)
    if isinstance(result, DeviceFit):
        return device_page(result, ax=ax)
    if isinstance(result, Population):
        return d2d_laws(result, ax)
    if isinstance(result, ParameterFile):
        return device_over_pulses(result, ax)
    if isinstance(result, Comparison):
        return drift_comparison((result.a, result.b), ax)
    if isinstance(result, Verdict):
        return check_overview(result, ax)
    return _of_training(result, ax)


def _of_training(result: Any, ax: Axes | None) -> Axes | None:
    from weakreset.ablation import Ablation
    from weakreset.training import TrainingRun

    if isinstance(result, Ablation):
        return ablation_bars(result.to_dict()["effects"], ax=ax)
    if isinstance(result, TrainingRun):
        return training_curves([Curve(str(result.config["data"]), tuple(result.metrics))], ax)
    return training_curves([result], ax) if isinstance(result, Curve) else None
