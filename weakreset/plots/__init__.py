"""Figures, one a file: each takes data and an `ax` (or `figure`) and returns it; colour-blind-safe, with units.

    ax = weakreset.plots.residual_spectrum(fits)
    ax.figure.savefig("spectrum.pdf")

Without `ax` or `figure` a new `matplotlib.figure.Figure` is made; pyplot and the global settings are not touched.
"""

from weakreset.plots.ablation_bars import ablation_bars
from weakreset.plots.all_traces import all_traces
from weakreset.plots.d2d_laws import d2d_laws
from weakreset.plots.device_page import device_page
from weakreset.plots.endurance import LayerWear, endurance
from weakreset.plots.envelopes import envelopes
from weakreset.plots.law_comparison import law_comparison
from weakreset.plots.residual_spectrum import pooled_periodogram, residual_spectrum
from weakreset.plots.style import PALETTE, figure_bytes
from weakreset.plots.traces_with_fits import example_devices, traces_with_fits
from weakreset.plots.training_curves import TrainingRun, training_curves

__all__ = [
    "PALETTE",
    "LayerWear",
    "TrainingRun",
    "ablation_bars",
    "all_traces",
    "d2d_laws",
    "device_page",
    "endurance",
    "envelopes",
    "example_devices",
    "figure_bytes",
    "law_comparison",
    "pooled_periodogram",
    "residual_spectrum",
    "traces_with_fits",
    "training_curves",
]
