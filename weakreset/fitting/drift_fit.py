"""lmfit on whitened residuals, started at the best configuration of the scan."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import Basis, basis_of
from weakreset.fitting.result import DeviceFit
from weakreset.fitting.whitening import Whitener
from weakreset.model import SHAPES

__all__ = ["WhitenedModel", "lmfit_problem", "run_lmfit"]

Array = NDArray[np.float64]

_WINDOW = 60  # candidates on either side that the local minimum is looked for in, not the whole grid again
_TOLERANCE = 1e-5  # relative, of the sum of squares and of the numbers: digits that no table prints


@dataclass(frozen=True)
class WhitenedModel:
    """The whitened model of one device, in units of alpha.

    Between two neighbouring candidates the two-slope ramp is exactly the linear interpolation of their
    ramps, so the whitened model at any real knee needs no further whitening.

    Attributes
    ----------
    white : ndarray, shape (n,)
        Whitened trace.
    columns : ndarray, shape (n, p + q)
        Whitened base columns, then telegraph columns.
    profiles : ndarray, shape (n, k)
        Whitened profiles; k = 0 where nothing is scanned.
    grid : ndarray, shape (k,)
        Their scanned values.
    names : tuple of str, length q
        Names of the telegraph amplitudes.
    alpha : float
    """

    basis: Basis
    white: Array
    columns: Array
    profiles: Array
    grid: Array
    names: tuple[str, ...]
    alpha: float
    _known: dict[str, tuple[tuple[float, ...], Array]] = field(default_factory=dict, init=False, repr=False)

    def _once(self, what: str, values: dict[str, float], work: Callable[[dict[str, float]], Array]) -> Array:
        """MINPACK, what calls it and lmfit each ask for the same point; those last worked out are kept."""
        at = tuple(values.values())
        if what not in self._known or self._known[what][0] != at:
            self._known[what] = at, work(values)
        return self._known[what][1]

    def _profile(self, k: float) -> tuple[Array, Array]:
        """Profile at k, and its derivative by k: at a candidate, where it jumps, the mean of both sides."""
        grid = self.grid
        j = min(max(int(np.searchsorted(grid, k, side="right")) - 1, 0), len(grid) - 2)
        left = self.profiles[:, j]
        if k == grid[j] and j > 0:
            return left, (self.profiles[:, j + 1] - self.profiles[:, j - 1]) / (grid[j + 1] - grid[j - 1])
        slope = (self.profiles[:, j + 1] - left) / (grid[j + 1] - grid[j])
        return left + (k - grid[j]) * slope, slope

    def _coefficients(self, values: dict[str, float]) -> tuple[Array, float]:
        """Coefficients of `columns`, and of the profile."""
        p = self.columns.shape[1] - len(self.names)
        b = self.basis.inverse @ [values[name] for name in self.basis.linear]
        fixed = np.concatenate([b[:p], [values[name] for name in self.names]])
        return fixed, float(b[p]) if self.basis.scanned else 0.0

    def residual(self, params: Any) -> Array:
        """(data - model)/alpha, whitened; shape (n,)."""
        return self._once("residual", params.valuesdict(), self._residual)

    def _residual(self, values: dict[str, float]) -> Array:
        fixed, added = self._coefficients(values)
        model = self.columns @ fixed
        if self.basis.scanned:
            model += added * self._profile(values[self.basis.scanned])[0]
        return np.asarray((self.white - model) / self.alpha)

    def jacobian(self, params: Any) -> Array:
        """d residual / d parameter in the order of `params`; shape (n_parameters, n)."""
        return self._once("jacobian", params.valuesdict(), self._jacobian)

    def _jacobian(self, values: dict[str, float]) -> Array:
        p = self.columns.shape[1] - len(self.names)
        linear = [self.columns[:, :p]]
        rows: dict[str, Array] = {}
        if self.basis.scanned:
            profile, slope = self._profile(values[self.basis.scanned])
            linear.append(profile[:, None])
            rows[self.basis.scanned] = self._coefficients(values)[1] * slope
        by_number = np.hstack(linear) @ self.basis.inverse
        rows |= dict(zip(self.basis.linear, by_number.T, strict=True))
        rows |= dict(zip(self.names, self.columns[:, p:].T, strict=True))
        return np.stack([rows[name] for name in values]) / -self.alpha


def run_lmfit(model: WhitenedModel, start: dict[str, float]) -> tuple[Any, Any]:
    """Fit one device.

    Slopes are not bounded: a bound at 0 would take away the standard error of every device whose slope
    cannot be told from 0. The scanned number stays between its candidates, the telegraph amplitude >= 0.

    Parameters
    ----------
    model : WhitenedModel
    start : dict of str to float
        Drift numbers and telegraph amplitudes by name.

    Returns
    -------
    minimizer, result : lmfit.Minimizer, lmfit.minimizer.MinimizerResult
        `lmfit.conf_interval(minimizer, result)` works on them.
    """
    import lmfit

    low, high = (float(model.grid[0]), float(model.grid[-1])) if model.basis.scanned else (0.0, 1.0)
    params = copy.deepcopy(_empty_parameters(tuple(start), model.basis.scanned, low, high))
    margin = 1e-3 * (high - low)
    for name, value in start.items():
        params[name].value = min(max(value, low + margin), high - margin) if name == model.basis.scanned else value
    minimizer = lmfit.Minimizer(model.residual, params, scale_covar=False, nan_policy="propagate")
    # it starts at the optimum of an exact scan, so there is next to nothing left to gain
    result = minimizer.leastsq(Dfun=model.jacobian, col_deriv=1, ftol=_TOLERANCE, xtol=_TOLERANCE)
    # the result would keep every whitened column alive through the Jacobian it was called with
    result.call_kws = {name: value for name, value in result.call_kws.items() if not callable(value)}
    return minimizer, result


@lru_cache(maxsize=64)
def _empty_parameters(names: tuple[str, ...], scanned: str, low: float, high: float) -> Any:
    """Parameters with their limits, no values yet: to be copied, which is faster than adding them one by one."""
    from weakreset.fitting.parameters import parameters_kind

    limits = {scanned: (low, high), "rtn_amplitude": (0.0, np.inf)}
    params = parameters_kind()()
    for name in names:
        least, most = limits.get(name, (-np.inf, np.inf))
        params.add(name, value=max(least, 0.0), min=least, max=most)
    return params


def lmfit_problem(fit: DeviceFit) -> tuple[Any, Any]:
    """The minimizer and result of a device's fit, rebuilt for `lmfit.conf_interval` and its relatives.

    Examples
    --------
    >>> minimizer, result = lmfit_problem(fits["dev01"])          # doctest: +SKIP
    >>> print(lmfit.ci_report(lmfit.conf_interval(minimizer, result)))   # doctest: +SKIP
    """
    shape = SHAPES[fit.fitted_as]
    basis = basis_of(shape, shared=tuple((name, fit.numbers[name]) for name in shape.shared))
    whitener = Whitener(fit.pulses, fit.colour)
    t = fit.pulses.astype(np.float64)
    grid = basis.grid(fit.pulses)
    start = {name: parameter.value for name, parameter in fit.result.params.items()}
    if basis.scanned:
        at = int(np.abs(grid - start[basis.scanned]).argmin())
        grid = grid[max(at - _WINDOW, 0) : at + _WINDOW]
    names = tuple(name for name in start if name.startswith("rtn_"))
    model = WhitenedModel(
        basis,
        whitener.columns(fit.log_ratio - fit.grown(fit.pulses, fit.rtn.growth)),
        whitener.columns(np.hstack([basis.columns(t), _telegraph_columns(fit)])),
        whitener.columns(basis.profile(t, grid)),
        grid,
        names,
        fit.alpha_used,
    )
    return run_lmfit(model, start)


def _telegraph_columns(fit: DeviceFit) -> Array:
    rtn = fit.rtn
    if rtn.status == "ok":
        return rtn.high(fit.pulses).astype(np.float64)[:, None]
    return (fit.pulses[:, None] >= np.asarray(rtn.steps, dtype=np.int64)[None, :]).astype(np.float64)
