"""weakreset: from measured weak-RESET traces of resistive memory to fitted devices and trained networks.

    import weakreset as wr
    traces = wr.load_traces("lab/*.csv")
    fits   = wr.fit_devices(traces)
    pop    = wr.fit_population(fits)
    params = wr.export_parameters(pop, name="my-hfox")
    twin   = wr.simulate_traces(params, n_devices=512, n_pulses=1500, seed=0)
    verdict = wr.validate(params, traces)
    run    = wr.train(params, "digits")

The PyTorch devices are in `wr.simulation`, what belongs to training in `wr.training`, the figures in `wr.plots`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from weakreset.version import __version__

if TYPE_CHECKING:  # for type checkers and editors; a test holds it to be the table below
    from weakreset import ablation as ablation
    from weakreset import comparison as comparison
    from weakreset import fitting as fitting
    from weakreset import model as model
    from weakreset import parameter_file as parameter_file
    from weakreset import plots as plots
    from weakreset import population as population
    from weakreset import report as report
    from weakreset import simulation as simulation
    from weakreset import traces as traces
    from weakreset import training as training
    from weakreset import validation as validation
    from weakreset.ablation import Ablation as Ablation
    from weakreset.ablation import StudySettings as StudySettings
    from weakreset.ablation import ablate as ablate
    from weakreset.comparison import Comparison as Comparison
    from weakreset.comparison import compare_parameters as compare_parameters
    from weakreset.errors import WeakResetError as WeakResetError
    from weakreset.errors import WeakResetWarning as WeakResetWarning
    from weakreset.fitting import DeviceFit as DeviceFit
    from weakreset.fitting import FitOptions as FitOptions
    from weakreset.fitting import FitSet as FitSet
    from weakreset.fitting import FitStatus as FitStatus
    from weakreset.fitting import fit_devices as fit_devices
    from weakreset.fitting import fit_distributed as fit_distributed
    from weakreset.fitting import fit_stream as fit_stream
    from weakreset.fitting import lmfit_problem as lmfit_problem
    from weakreset.parameter_file import ParameterFile as ParameterFile
    from weakreset.parameter_file import load_parameters as load_parameters
    from weakreset.parameter_file import preset_names as preset_names
    from weakreset.parameter_file import save_parameters as save_parameters
    from weakreset.population import Population as Population
    from weakreset.population import export_parameters as export_parameters
    from weakreset.population import fit_population as fit_population
    from weakreset.report import make_report as make_report
    from weakreset.traces import PulseTrace as PulseTrace
    from weakreset.traces import ScreeningLimits as ScreeningLimits
    from weakreset.traces import TraceSet as TraceSet
    from weakreset.traces import inspect_traces as inspect_traces
    from weakreset.traces import load_traces as load_traces
    from weakreset.traces import stream_traces as stream_traces
    from weakreset.training import TrainingRun as TrainingRun
    from weakreset.training import train as train
    from weakreset.twin import simulate_traces as simulate_traces
    from weakreset.validation import Verdict as Verdict
    from weakreset.validation import validate as validate

_HOMES = {
    "ablation": "Ablation StudySettings ablate",
    "comparison": "Comparison compare_parameters",
    "errors": "WeakResetError WeakResetWarning",
    "fitting": "DeviceFit FitOptions FitSet FitStatus fit_devices fit_distributed fit_stream lmfit_problem",
    "parameter_file": "ParameterFile load_parameters preset_names save_parameters",
    "population": "Population export_parameters fit_population",
    "report": "make_report",
    "traces": "PulseTrace ScreeningLimits TraceSet inspect_traces load_traces stream_traces",
    "training": "TrainingRun train",
    "twin": "simulate_traces",
    "validation": "Verdict validate",
}
_STAGES = (
    "ablation", "comparison", "fitting", "model", "parameter_file", "plots", "population", "report", "simulation",
    "traces", "training", "validation",
)
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = ["__version__", *_HOME, *_STAGES]


if not TYPE_CHECKING:  # a type checker that saw it would believe every misspelt name

    def __getattr__(name: str) -> Any:
        """Load a public name when it is first used (PEP 562): `import weakreset` stays fast."""
        if name in _STAGES:
            return importlib.import_module(f"weakreset.{name}")
        if name in _HOME:
            return getattr(importlib.import_module(f"weakreset.{_HOME[name]}"), name)
        raise AttributeError(f"module 'weakreset' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
