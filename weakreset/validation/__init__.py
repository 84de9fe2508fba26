"""Does the model reproduce the measurement? Replicas of the measured set, compared by permutation tests."""

from weakreset.validation.run import validate
from weakreset.validation.verdict import Check, Envelope, Verdict

__all__ = ["Check", "Envelope", "Verdict", "validate"]
