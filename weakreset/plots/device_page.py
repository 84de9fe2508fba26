"""One device in full: trace and fit, residuals, their autocorrelation, where the knee may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import toeplitz

from weakreset.fitting import DeviceFit, PooledNoise
from weakreset.model import autocovariance
from weakreset.plots.style import PALETTE, axis_label, panel_place, styled, tag_simulated_figure
from weakreset.plots.traces_with_fits import STATUS_WORDS, draw_fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["device_page"]

_MOST_LAGS = 100  # the white remainder shows its memory within these or not at all
_LONGEST_EXPECTED = 3000  # reads: the expected curve needs a dense matrix of them


@styled
def device_page(
    fit: DeviceFit, noise: PooledNoise | None = None, ax: Axes | None = None, *, simulated: bool = False
) -> Axes:
    """Four panels on one device.

    Parameters
    ----------
    fit : DeviceFit
    noise : PooledNoise, optional
        `FitSet.noise`: draws the autocorrelation that 1/f noise of this exponent would have.
    ax : matplotlib.axes.Axes, optional
        Its place is divided into panels.
    simulated : bool

    Returns
    -------
    matplotlib.axes.Axes
    """
    frame, place = panel_place(ax, 8.0, 5.4)
    panels = place.subplots(2, 2, width_ratios=(1.5, 1.0))
    draw_fit(panels[0, 0], fit)
    panels[0, 0].set(ylabel="ln(R/R$_0$)", xlabel="RESET pulses since SET")
    panels[0, 0].legend(loc="best", markerscale=3)
    panels[0, 0].set_title(f"{fit.device}: {STATUS_WORDS[fit.status]}", loc="left", parse_math=False)
    if fit.numbers:
        _residuals(panels[1, 0], fit)
        _autocorrelation(panels[1, 1], fit, noise)
    _knee(panels[0, 1], fit)
    if simulated:
        tag_simulated_figure(place)
    return frame


def _residuals(ax: Axes, fit: DeviceFit) -> None:
    ax.axhline(0, color=PALETTE["black"], lw=0.7)
    ax.plot(fit.pulses, fit.residuals, ".", ms=1.8, color=PALETTE["grey"], rasterized=len(fit.pulses) > 200)
    ax.set(xlabel="RESET pulses since SET", ylabel="residual in ln R")
    ax.set_title("what drift and telegraph noise leave", loc="left")


def _autocorrelation(ax: Axes, fit: DeviceFit, noise: PooledNoise | None) -> None:
    """Of residuals on consecutive pulses; pairs with a missing read are left out."""
    position = np.asarray(fit.pulses - fit.pulses[0])
    series = np.full(int(position[-1]) + 1, np.nan)
    series[position] = fit.residuals - fit.residuals.mean()
    n_lags = min(_MOST_LAGS, len(series) // 3)
    variance = np.nanvar(series)
    pairs = [series[: len(series) - lag] * series[lag:] for lag in range(1, n_lags + 1)]
    lags = [lag for lag, pair in enumerate(pairs, 1) if np.isfinite(pair).any() and variance > 0]
    ax.bar(lags, [float(np.nanmean(pairs[lag - 1]) / variance) for lag in lags], color=PALETTE["sky"], width=0.8)
    ax.axhline(0, color=PALETTE["black"], lw=0.7)
    if noise is not None and noise.exponent is not None and noise.alpha is not None and lags:
        expected = _expected(fit, noise.alpha, noise.exponent, noise.read_sd)
        if expected is not None:
            label = f"1/f noise, exponent {noise.exponent:.2f}, same fit"
            ax.plot(lags, expected[lags], color=PALETTE["vermillion"], label=label)
            ax.legend(loc="upper right")
    ax.set(xlabel="lag (pulses)", ylabel="autocorrelation")
    ax.set_title("are residuals 1/f?", loc="left")


def _expected(fit: DeviceFit, alpha: float, exponent: float, read_sd: float) -> NDArray[np.float64] | None:
    """Autocorrelation of 1/f noise after a straight line with this knee was fitted to it.

    The fit takes the slowest part of the noise with it, so the bare autocovariance would be the wrong yardstick.
    """
    n = int(fit.pulses[-1] - fit.pulses[0]) + 1
    if n > _LONGEST_EXPECTED:
        return None
    t = np.arange(n, dtype=np.float64)
    columns = [np.ones(n), t]
    if fit.knee is not None:
        columns.append(np.maximum(t + fit.pulses[0] - fit.numbers[fit.drift.knee], 0.0))
    basis = np.linalg.qr(np.stack(columns, axis=1))[0]
    covariance = alpha**2 * toeplitz(autocovariance(exponent, n)) + read_sd**2 * np.eye(n)
    half = covariance - basis @ (basis.T @ covariance)
    left = half - (half @ basis) @ basis.T
    diagonals = np.array([left.diagonal(lag).mean() for lag in range(min(n, _MOST_LAGS + 1))])
    return np.asarray(diagonals / diagonals[0])


def _knee(ax: Axes, fit: DeviceFit) -> None:
    scan, word = fit.drift.scan, "knee" if fit.drift.knee else "scanned number"
    ax.set_title(f"where the {word} may be", loc="left")
    if fit.knee_profile is None or scan is None:
        ax.text(0.5, 0.5, f"no {word} profile", transform=ax.transAxes, ha="center")
        ax.set_axis_off()
        return
    candidates, probability = fit.knee_profile
    total = float(np.sum(probability))
    share = probability / total if total > 0 else probability
    ax.fill_between(candidates, share, step="mid", color=PALETTE["orange"], alpha=0.5, lw=0)
    ax.plot(candidates, share, drawstyle="steps-mid", color=PALETTE["orange"], lw=1.0)
    likely = candidates[share > 1e-4 * share.max()]
    if len(likely):
        pad = max(5.0 if fit.drift.knee else 0.0, 0.3 * float(likely[-1] - likely[0]))
        ax.set_xlim(max(0.0, float(likely[0]) - pad), float(likely[-1]) + pad)
    knee = fit.knee
    if knee is not None and knee.low is not None and knee.high is not None:
        ax.axvspan(knee.low, knee.high, color=PALETTE["grey"], alpha=0.25, lw=0)
        ax.set_title(f"knee {knee.value:.0f}, 95 % in {knee.low:.0f} to {knee.high:.0f}", loc="left")
    label = axis_label(scan.number, fit.drift.units[scan.number])
    ax.set(xlabel=f"knee {label}" if fit.drift.knee else label)
    ax.set(ylabel="probability a pulse" if fit.drift.knee else "probability of each candidate")
    ax.set_ylim(bottom=0)
