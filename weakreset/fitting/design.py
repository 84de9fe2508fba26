"""From the steps that were found to telegraph states: which columns a device is fitted with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.step_search import Configuration

__all__ = ["Design", "design_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """Columns of a device besides its scanned profile: columns[:, fixed] @ mix.

    Attributes
    ----------
    fixed : list of int
        Dictionary columns: base, then steps.
    mix : ndarray, shape (len(fixed), p + q)
        Identity on the base; one telegraph column (1 in the high state) where the steps alternate,
        otherwise one a step.
    names : tuple of str
        Names of the q telegraph amplitudes.
    status : str
        As `RtnFit.status`.
    starts_high : bool
    steps : tuple of int
        Read indices of the steps.
    signs : ndarray
        +1 for a step up, -1 for a step down.
    """

    fixed: list[int]
    mix: Array
    names: tuple[str, ...]
    status: str
    starts_high: bool
    steps: tuple[int, ...]
    signs: Array

    def normal(self, dictionary: Dictionary, products: Array) -> tuple[Array, Array]:
        """Inverse Gram matrix of the columns, and their products with the trace."""
        gram = self.mix.T @ dictionary.gram[np.ix_(self.fixed, self.fixed)] @ self.mix
        return np.asarray(np.linalg.inv(gram), dtype=np.float64), self.mix.T @ products[self.fixed]

    def raw(self, dictionary: Dictionary, configuration: Configuration) -> Array:
        """The same columns before whitening, with the profile; shape (n, k). For the noise estimate."""
        t = dictionary.whitener.pulses.astype(np.float64)
        steps = (np.arange(len(t))[:, None] >= np.asarray(self.steps, dtype=np.int64)[None, :]).astype(np.float64)
        columns = [np.hstack([dictionary.basis.columns(t), steps]) @ self.mix]
        if configuration.knee is not None:
            at = configuration.knee - dictionary.profiles.start
            beside = at + 1 if at + 1 < len(dictionary.grid) else at - 1
            profiles = dictionary.basis.profile(t, dictionary.grid[[at, beside]])
            columns.append(profiles[:, :1])
            if dictionary.basis.scan.knee:  # how the profile changes with its knee: a step where that is sharp
                columns.append(profiles[:, :1] - profiles[:, 1:])
        return np.hstack(columns)


def design_of(dictionary: Dictionary, products: Array, configuration: Configuration) -> Design:
    """Decide whether the steps alternate between two levels, and which level comes first."""
    p, steps = len(dictionary.base), list(configuration.steps)
    fixed = [*dictionary.base, *steps]
    reads = tuple(int(dictionary.step_reads[step - dictionary.steps.start]) for step in steps)
    if not steps:
        return Design(fixed, np.eye(p), (), "not_detected", False, (), np.empty(0))
    coefficients, _, _ = dictionary.solve(products, configuration.active(dictionary))
    signs = np.sign(coefficients[-len(steps) :])
    if np.any(signs[1:] == signs[:-1]):
        names = tuple(f"rtn_step_{i + 1}" for i in range(len(steps)))
        return Design(fixed, np.eye(p + len(steps)), names, "not_two_level", False, reads, signs)
    starts_high = bool(signs[0] < 0)
    mix = np.zeros((p + len(steps), p + 1))
    mix[:p, :p] = np.eye(p)
    mix[p:, p] = signs
    mix[0, p] = float(starts_high)  # the first base column is the constant
    return Design(fixed, mix, ("rtn_amplitude",), "ok", starts_high, reads, signs)
