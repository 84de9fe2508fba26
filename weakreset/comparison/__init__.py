"""Two technologies, or two lots, side by side: what differs, and what is not shown to."""

from weakreset.comparison.compare import Comparison, compare_parameters
from weakreset.comparison.quantities import COLUMNS, Difference, Quantity

__all__ = ["COLUMNS", "Comparison", "Difference", "Quantity", "compare_parameters"]
