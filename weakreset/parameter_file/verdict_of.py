"""A stored verdict counts for the numbers that it was reached with, and for no others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["KEY", "numbers_sha256", "verdict_with"]

KEY = "numbers_sha256"
_NOT_NUMBERS = ("schema", "schema_version", "name", "provenance", "validation")


def numbers_sha256(content: Mapping[str, Any]) -> str:
    """Digest of all that makes simulated devices what they are, and of how well it is known.

    Parameters
    ----------
    content : mapping
        The whole file as plain values, without nulls and without what equals its default: a later schema, which knows
        more keys, gives the same digest.
    """
    # name and provenance may change without changing what devices do
    numbers = {key: value for key, value in content.items() if key not in _NOT_NUMBERS}
    return hashlib.sha256(json.dumps(numbers, sort_keys=True, allow_nan=False).encode()).hexdigest()


def verdict_with(summary: Mapping[str, Any], assumed: Mapping[str, float]) -> dict[str, Any]:
    """What is stored of a verdict: its summary, which says what was assumed where something was."""
    if not assumed:
        return dict(summary)
    words = ", ".join(f"{name} = {value:g}" for name, value in assumed.items())
    sentence = f"{summary.get('sentence', '')} Assumed for this verdict, not fitted: {words}.".strip()
    return {**summary, "sentence": sentence, "assumed": dict(assumed)}
