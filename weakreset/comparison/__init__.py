"""Two technologies, or two lots, side by side: what differs, and what is not shown to."""

from weakreset.comparison.compare import Comparison, compare_parameters
from weakreset.comparison.quantities import COLUMNS, SHORT_COLUMNS, Difference, Quantity

__all__ = ["COLUMNS", "SHORT_COLUMNS", "Comparison", "Difference", "Quantity", "compare_parameters"]
