"""The content of a parameter file as text: JSON that people can read and compare line by line."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["json_text"]


def json_text(content: dict[str, Any]) -> str:
    """JSON with short lists on one line; laws show their truncation, even if null.

    Parameters
    ----------
    content : dict
        As `ParameterFile.model_dump` gives it without nulls; completed in place.
    """
    blocks = (content["parameters"], *content["noise"].values())
    for law in (entry for block in blocks for entry in block.values() if isinstance(entry, dict) and "family" in entry):
        law.setdefault("truncation", [None, None])
    return _short_lists(json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False)) + "\n"


def _short_lists(text: str) -> str:
    """Put lists of plain numbers on one line."""
    return re.sub(
        r"\[\s*((?:-?[0-9][^\[\]{}\",]*?|null)(?:,\s*(?:-?[0-9][^\[\]{}\",]*?|null))*)\s*\]",
        lambda match: "[" + re.sub(r"\s*,\s*", ", ", match.group(1).strip()) + "]",
        text,
    )
