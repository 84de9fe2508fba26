"""Per-device fits: drift, knee, telegraph noise and 1/f noise, with honest intervals."""

from weakreset.fitting.distributed import fit_distributed
from weakreset.fitting.drift_fit import lmfit_problem
from weakreset.fitting.fit_devices import fit_devices
from weakreset.fitting.fit_options import FitOptions
from weakreset.fitting.fit_set import FitSet, PooledNoise
from weakreset.fitting.result import DeviceFit, Estimate, FitStatus
from weakreset.fitting.rtn_fit import RtnFit
from weakreset.fitting.stream import fit_stream

__all__ = [
    "DeviceFit",
    "Estimate",
    "FitOptions",
    "FitSet",
    "FitStatus",
    "PooledNoise",
    "RtnFit",
    "fit_devices",
    "fit_distributed",
    "fit_stream",
    "lmfit_problem",
]
