"""Does the model reproduce the measurement? Replicas of the measured set, compared by permutation tests."""

from weakreset.validation.bands import Distribution, Envelope, Spectrum
from weakreset.validation.run import validate
from weakreset.validation.verdict import Check, Figure, Verdict

__all__ = ["Check", "Distribution", "Envelope", "Figure", "Spectrum", "Verdict", "validate"]
