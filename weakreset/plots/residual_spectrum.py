"""Spectrum of what the fits leave over, against the fitted 1/f law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting import FitSet
from weakreset.model import spectrum
from weakreset.plots.style import PALETTE, new_axes, styled, tag_simulated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["pooled_periodogram", "residual_spectrum"]

Array = NDArray[np.float64]

_BINS_PER_DECADE = 8  # as dense as dots can be told apart on a page
_FEWEST_READS = 32  # a spectrum of fewer is less than three octaves of noise


def pooled_periodogram(fits: FitSet) -> tuple[Array, Array, Array, int]:
    """Two-sided power density of the residuals, log-binned and averaged over devices.

    Devices read after every pulse, or nearly so (up to 10 % missing reads are interpolated), take part. A Hann
    window keeps leakage of the steep end away from the flat one.

    Returns
    -------
    frequency : ndarray, shape (n,)
        Bin centres, 1/pulse.
    density : ndarray, shape (n,)
        Mean over devices, (ln R)^2 pulse.
    stderr : ndarray, shape (n,)
        Of that mean, from the spread between devices; NaN with one device.
    n_devices : int
    """
    spectra = [item for item in (_periodogram(fit.pulses, fit.residuals) for fit in fits.usable) if item is not None]
    if not spectra:
        return np.empty(0), np.empty(0), np.empty(0), 0
    lowest = min(frequency[0] for frequency, _ in spectra)
    n_bins = max(1, round(_BINS_PER_DECADE * np.log10(0.5 / lowest)))
    edges = np.geomspace(lowest * 0.999, 0.5001, n_bins + 1)
    rows = np.full((2, len(spectra), n_bins), np.nan)
    for row, (frequency, power) in enumerate(spectra):
        bins = np.digitize(frequency, edges) - 1
        count = np.bincount(bins, minlength=n_bins)
        for k, weights in enumerate((np.log(frequency), power)):
            total = np.bincount(bins, weights=weights, minlength=n_bins)
            rows[k, row] = np.divide(total, count, out=np.full(n_bins, np.nan), where=count > 0)
    filled = np.isfinite(rows[1]).any(axis=0)
    centre, density = (np.nanmean(values[:, filled], axis=0) for values in rows)
    n = np.isfinite(rows[1][:, filled]).sum(axis=0)
    squares = np.nansum((rows[1][:, filled] - density) ** 2, axis=0)
    variance = np.divide(squares, n * (n - 1), out=np.full(len(n), np.nan), where=n > 1)
    return np.exp(centre), density, np.sqrt(variance), len(spectra)


def _periodogram(pulses: NDArray[np.int64], residuals: Array) -> tuple[Array, Array] | None:
    if len(pulses) < _FEWEST_READS:
        return None
    regular = np.arange(pulses[0], pulses[-1] + 1)
    if len(pulses) < 0.9 * len(regular):
        return None
    series = np.interp(regular, pulses, residuals)
    window = np.hanning(len(series))
    series = (series - np.average(series, weights=window)) * window
    power = np.abs(np.fft.rfft(series)) ** 2 / np.sum(window**2)
    frequency = np.fft.rfftfreq(len(series))
    # the first two harmonics are what drift and window leave least of
    return np.asarray(frequency[2:], dtype=np.float64), np.asarray(power[2:], dtype=np.float64)


@styled
def residual_spectrum(fits: FitSet, ax: Axes | None = None) -> Axes:
    """Pooled periodogram of the residuals with alpha^2 (2 sin(pi f))^-beta plus read noise.

    Parameters
    ----------
    fits : FitSet
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(ax)
    frequency, density, stderr, n_devices = pooled_periodogram(fits)
    ax.set(xlabel="frequency (1/pulse)", ylabel="power density ((ln R)$^2$ pulse)")
    if not n_devices:
        ax.text(0.5, 0.5, "no device was read after every pulse", transform=ax.transAxes, ha="center")
        return ax
    error = np.where(np.isfinite(stderr), 2.0 * stderr, 0.0)
    ax.errorbar(
        frequency, density, yerr=np.stack([np.minimum(error, 0.9 * density), error]), fmt="o", ms=3.5, lw=0.9,
        color=PALETTE["black"], label=f"residuals of {n_devices} devices (mean, 95 % interval)",
    )
    noise = fits.noise
    if noise.alpha is not None and noise.exponent is not None:
        f = np.geomspace(frequency[0], 0.5, 200)
        pink = noise.alpha**2 * spectrum(f, noise.exponent)
        label = rf"$\alpha^2 (2\,\sin \pi f)^{{-\beta}}$, $\alpha$ = {noise.alpha:.4f}, $\beta$ = {noise.exponent:.3f}"
        if noise.read_sd > 0:
            label += f", read noise {noise.read_sd:.2g}"
        ax.plot(f, pink + noise.read_sd**2, color=PALETTE["vermillion"], label=label)
        if noise.read_sd > 0:
            ax.axhline(noise.read_sd**2, color=PALETTE["blue"], ls=":", lw=1.0, label="read noise alone")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.legend(loc="lower left")
    if fits.traces.simulated:
        tag_simulated(ax)
    return ax
