"""Figures, one a file: each takes data and an `ax` and returns it; colour-blind-safe, with units.

    ax = weakreset.plots.residual_spectrum(fits)
    ax.figure.savefig("spectrum.pdf")

Without `ax` a new `matplotlib.figure.Figure` is made; pyplot and the global settings are not touched. Figures of
several panels divide the place of `ax` among them.
"""

from weakreset.plots.ablation_bars import ablation_bars
from weakreset.plots.all_traces import all_traces
from weakreset.plots.check_overview import check_overview
from weakreset.plots.d2d_laws import d2d_laws
from weakreset.plots.device_over_pulses import device_over_pulses
from weakreset.plots.device_page import device_page
from weakreset.plots.distributions import distributions
from weakreset.plots.drift_comparison import drift_comparison
from weakreset.plots.endurance import LayerWear, endurance
from weakreset.plots.envelopes import envelopes
from weakreset.plots.excluded_traces import excluded_traces
from weakreset.plots.law_comparison import law_comparison
from weakreset.plots.lot_curves import lot_curves
from weakreset.plots.measured_and_simulated import measured_and_simulated
from weakreset.plots.paper import COLUMN_MM, paper_bytes
from weakreset.plots.residual_spectrum import pooled_periodogram, residual_spectrum
from weakreset.plots.show import show
from weakreset.plots.spectrum_bands import spectrum_bands
from weakreset.plots.style import PALETTE, figure_bytes
from weakreset.plots.traces_with_fits import example_devices, traces_with_fits
from weakreset.plots.training_curves import TrainingRun, training_curves
from weakreset.plots.wafer_map import die_map, wafer_map

__all__ = [
    "COLUMN_MM",
    "PALETTE",
    "LayerWear",
    "TrainingRun",
    "ablation_bars",
    "all_traces",
    "check_overview",
    "d2d_laws",
    "device_over_pulses",
    "device_page",
    "die_map",
    "distributions",
    "drift_comparison",
    "endurance",
    "envelopes",
    "example_devices",
    "excluded_traces",
    "figure_bytes",
    "law_comparison",
    "lot_curves",
    "measured_and_simulated",
    "paper_bytes",
    "pooled_periodogram",
    "residual_spectrum",
    "show",
    "spectrum_bands",
    "traces_with_fits",
    "training_curves",
    "wafer_map",
]
