"""Devices whose noise is far from that of the others: a bad contact, another kind of cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from weakreset.fitting.fit_rows import changed, those
from weakreset.fitting.result import DeviceFit

__all__ = ["far_noise_in_words", "with_far_noise"]

_LEAST_DEVICES = 5  # a median of fewer is itself one of the strange ones
_FAR = float(np.log(2.0))
_SPREADS = 4.0  # robust spreads of ln noise; lots differ by less, bad contacts by much more
_NAMED = 8  # as many as fit in a note; the table has them all


def with_far_noise(fits: Sequence[DeviceFit]) -> Sequence[DeviceFit]:
    """Mark devices more than twice as noisy as most, or less than half, and outside the spread of the others."""
    log_alpha = np.log([fit.alpha for fit in fits if fit.alpha])
    if len(log_alpha) < _LEAST_DEVICES:
        return fits
    middle = float(np.median(log_alpha))
    limit = max(_FAR, _SPREADS * 1.4826 * float(np.median(np.abs(log_alpha - middle))))

    def marked(fit: DeviceFit) -> DeviceFit:
        away = float(np.log(fit.alpha)) - middle if fit.alpha else 0.0
        return replace(fit, noise_ratio=float(np.exp(away))) if abs(away) > limit else fit

    return changed(fits, marked)


def far_noise_in_words(fits: Sequence[DeviceFit]) -> list[str]:
    """A sentence on the devices that were marked."""
    far = those(fits, lambda fit: fit.noise_ratio is not None)
    if not far:
        return []
    named = ", ".join(f"{fit.device} ({fit.noise_ratio:.2g} x)" for fit in far[:_NAMED])
    more = f" and {len(far) - _NAMED} more" if len(far) > _NAMED else ""
    return [f"noise far from that of most devices, no part of the pooled noise: {named}{more}"]
