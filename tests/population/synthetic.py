"""Devices whose likelihoods are known directly: cheap stand-ins for fitted traces."""

from __future__ import annotations

import numpy as np
from scipy import special

from weakreset.fitting.likelihood_draws import LikelihoodDraws
from weakreset.model import TWO_SLOPE

NAMES = ("m1", "t_star", "c1", "m2")
ERRORS = {"m1": 1e-5, "t_star": 8.0, "c1": 0.008, "m2": 5e-6}
LAST = 1000.0


def correlated(**pairs):
    """Correlation matrix of (r0_ohm, m1, t_star, c1, m2); pairs as m1__t_star=0.6."""
    order = ("r0_ohm", *NAMES)
    matrix = np.eye(5)
    for key, value in pairs.items():
        i, j = (order.index(name) for name in key.split("__"))
        matrix[i, j] = matrix[j, i] = value
    return matrix


def wafer(rng, laws, n_devices, matrix=None, n_draws=60):
    """Likelihood draws with small normal errors, knees beyond LAST hidden, and the exact scores of R0."""
    z = rng.standard_normal((n_devices, 5)) @ np.linalg.cholesky(np.eye(5) if matrix is None else matrix).T
    true = {name: laws[name].ppf(special.ndtr(z[:, i + 1])) for i, name in enumerate(NAMES)}
    devices = []
    for i in range(n_devices):
        seen = {name: true[name][i] + ERRORS[name] * rng.standard_normal() for name in NAMES}
        draws = np.stack([seen[name] + ERRORS[name] * rng.standard_normal(n_draws) for name in NAMES], axis=1)
        hidden = true["t_star"][i] > LAST
        draws[:, 1] = rng.uniform(LAST - 50, LAST, n_draws) if hidden else np.clip(draws[:, 1], 42.0, LAST)
        beyond = np.stack([seen[name] + ERRORS[name] * rng.standard_normal(40) for name in ("c1", "m1")], axis=1)
        devices.append(LikelihoodDraws(TWO_SLOPE, NAMES, draws, -60.0 if hidden else 60.0, beyond, LAST))
    return devices, {"r0_ohm": z[:, 0]}
