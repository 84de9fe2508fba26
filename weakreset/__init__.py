"""weakreset: from measured weak-RESET traces of resistive memory to fitted devices and trained networks.

    import weakreset as wr
    traces = wr.load_traces("lab/*.csv")
    fits   = wr.fit_devices(traces)
    pop    = wr.fit_population(fits)
    params = wr.export_parameters(pop, name="my-hfox")
    twin   = wr.simulate_traces(params, n_devices=512, n_pulses=1500, seed=0)
    verdict = wr.validate(params, traces)

The PyTorch devices are in `weakreset.simulation`, the training in `weakreset.training`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from weakreset.version import __version__

if TYPE_CHECKING:
    from weakreset.errors import WeakResetError, WeakResetWarning
    from weakreset.fitting import DeviceFit, FitSet, fit_devices, fit_stream, lmfit_problem
    from weakreset.parameter_file import (
        ParameterFile,
        load_parameters,
        preset_names,
        save_parameters,
    )
    from weakreset.population import Population, export_parameters, fit_population
    from weakreset.report import make_report
    from weakreset.traces import PulseTrace, ScreeningLimits, TraceSet, inspect_traces, load_traces, stream_traces
    from weakreset.twin import simulate_traces
    from weakreset.validation import Verdict, validate

_HOME = {
    "WeakResetError": "errors",
    "WeakResetWarning": "errors",
    "DeviceFit": "fitting",
    "FitSet": "fitting",
    "fit_devices": "fitting",
    "fit_stream": "fitting",
    "lmfit_problem": "fitting",
    "ParameterFile": "parameter_file",
    "export_parameters": "population",
    "load_parameters": "parameter_file",
    "preset_names": "parameter_file",
    "save_parameters": "parameter_file",
    "Population": "population",
    "fit_population": "population",
    "make_report": "report",
    "PulseTrace": "traces",
    "ScreeningLimits": "traces",
    "TraceSet": "traces",
    "inspect_traces": "traces",
    "load_traces": "traces",
    "stream_traces": "traces",
    "simulate_traces": "twin",
    "Verdict": "validation",
    "validate": "validation",
}

__all__ = [
    "DeviceFit",
    "FitSet",
    "ParameterFile",
    "Population",
    "PulseTrace",
    "ScreeningLimits",
    "TraceSet",
    "Verdict",
    "WeakResetError",
    "WeakResetWarning",
    "__version__",
    "export_parameters",
    "fit_devices",
    "fit_population",
    "fit_stream",
    "inspect_traces",
    "lmfit_problem",
    "load_parameters",
    "load_traces",
    "make_report",
    "preset_names",
    "save_parameters",
    "simulate_traces",
    "stream_traces",
    "validate",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562): `import weakreset` stays fast."""
    if name in _HOME:
        return getattr(importlib.import_module(f"weakreset.{_HOME[name]}"), name)
    raise AttributeError(f"module 'weakreset' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
