"""Drift of ln(R/R0) with the number of weak RESET pulses t: one file a shape, `shape.py` for what a shape is."""

from weakreset.model.drift.power_law import POWER_LAW
from weakreset.model.drift.saturating import SATURATING
from weakreset.model.drift.shape import DIRECTIONS, SHAPES, DriftNumber, DriftScan, DriftShape, register_shape
from weakreset.model.drift.single_slope import SINGLE_SLOPE
from weakreset.model.drift.smooth_knee import SMOOTH_KNEE
from weakreset.model.drift.three_slopes import THREE_SLOPES
from weakreset.model.drift.two_slope import TWO_SLOPE, two_slope

__all__ = [
    "BUILT_IN",
    "DIRECTIONS",
    "POWER_LAW",
    "SATURATING",
    "SHAPES",
    "SINGLE_SLOPE",
    "SMOOTH_KNEE",
    "THREE_SLOPES",
    "TWO_SLOPE",
    "DriftNumber",
    "DriftScan",
    "DriftShape",
    "register_shape",
    "two_slope",
]

_SHAPES = (TWO_SLOPE, SINGLE_SLOPE, POWER_LAW, SATURATING, SMOOTH_KNEE, THREE_SLOPES)
BUILT_IN = tuple(register_shape(shape) for shape in _SHAPES)
"""The shapes of this package."""
