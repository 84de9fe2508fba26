"""The usual figure of any result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weakreset.errors import UsageError

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
    from weakreset import plots
    from weakreset.comparison import Comparison
    from weakreset.fitting import DeviceFit, FitSet
    from weakreset.parameter_file import ParameterFile
    from weakreset.population import Population
    from weakreset.traces import PulseTrace, TraceSet
    from weakreset.validation import Verdict

    if isinstance(result, TraceSet):
        return plots.all_traces(result, ax)
    if isinstance(result, PulseTrace):
        return plots.all_traces(TraceSet((result,)), ax)
    if isinstance(result, FitSet):
        return plots.traces_with_fits(result, ax=ax)
    if isinstance(result, DeviceFit):
        return plots.device_page(result, ax=ax)
    if isinstance(result, Population):
        return plots.d2d_laws(result, ax)
    if isinstance(result, ParameterFile):
        return plots.device_over_pulses(result, ax)
    if isinstance(result, Comparison):
        return plots.drift_comparison((result.a, result.b), ax)
    if isinstance(result, Verdict):
        return plots.check_overview(result, ax)
    return _of_training(result, ax)


def _of_training(result: Any, ax: Axes | None) -> Axes | None:
    from weakreset import plots
    from weakreset.ablation import Ablation
    from weakreset.training import TrainingRun

    if isinstance(result, Ablation):
        return plots.ablation_bars(result.to_dict()["effects"], ax=ax)
    if isinstance(result, TrainingRun):
        return plots.training_curves([plots.TrainingRun(str(result.config["data"]), tuple(result.metrics))], ax)
    return plots.training_curves([result], ax) if isinstance(result, plots.TrainingRun) else None
