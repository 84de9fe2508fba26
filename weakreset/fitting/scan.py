"""The best knee and steps of each device of a group, and the noise that they leave it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.design import design_of
from weakreset.fitting.device_fit import ScannedDevice
from weakreset.fitting.dictionary import Dictionary
from weakreset.fitting.group import Group
from weakreset.fitting.noise_fit import robust_alpha
from weakreset.fitting.step_search import Configuration, best_knees, search_knees_and_steps

__all__ = ["OWN_ALPHA_RATIO", "scan_group"]

Array = NDArray[np.float64]

OWN_ALPHA_RATIO = 1.3
"""A device this much noisier than the technology is judged by its own noise."""

_CALMER = 0.9


def scan_group(
    dictionary: Dictionary, group: Group, alpha: float | None, rtn: bool, projected: tuple[Array, Array] | None = None
) -> Iterator[ScannedDevice]:
    """Best configuration of each device; `alpha` None means each device's own noise.

    `projected` are whitened traces and products with the columns, where these are known.
    """
    rows = group.rows
    white, products = projected or dictionary.project(rows)
    plain = best_knees(dictionary, products)
    # missing reads leave nothing in the residuals
    full = white.shape[1] / rows.shape[1]
    own = full * robust_alpha(_residuals(dictionary, white, products, plain))
    used = own if alpha is None else np.where(own > OWN_ALPHA_RATIO * alpha, own, alpha)
    configurations = search_knees_and_steps(dictionary, products, used**2, plain) if rtn else plain
    if rtn:
        # telegraph steps are not noise: a device is as noisy as it is without them
        changed = [i for i, one in enumerate(configurations) if one is not plain[i]]
        if changed:
            stepped = _residuals(dictionary, white[changed], products[changed], [configurations[i] for i in changed])
            own = own.copy()  # `used` may be the same array
            own[changed] = full * robust_alpha(stepped)
        after = own if alpha is None else np.where(own > OWN_ALPHA_RATIO * alpha, own, alpha)
        again = np.flatnonzero(after < _CALMER * used)
        found = search_knees_and_steps(dictionary, products[again], after[again] ** 2, [plain[i] for i in again])
        for i, better in zip(again.tolist(), found, strict=True):
            configurations[i] = better
        used = after
    for i, configuration in enumerate(configurations):
        design = design_of(dictionary, products[i], configuration)
        freedom = len(rows[i]) - design.mix.shape[1] - 2 * (configuration.knee is not None)
        left = float(white[i] @ white[i]) - configuration.explained
        yield ScannedDevice(
            group.traces[i], rows[i], white[i], products[i], configuration, design,
            float(used[i]), float(np.sqrt(max(left, 0.0) / freedom)),
        )


def _residuals(
    dictionary: Dictionary, white: Array, products: Array, configurations: Sequence[Configuration]
) -> Array:
    """Whitened traces less their drift, telegraph steps left in."""
    left = np.empty_like(white)
    for i, configuration in enumerate(configurations):
        active = configuration.active(dictionary)
        left[i] = white[i] - dictionary.columns(active) @ dictionary.solve(products[i], active)[0]
    return left
