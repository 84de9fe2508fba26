"""Characters that keyboards of other languages and word processors write, as the plain ones that mean the same."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["plain_number", "plain_text"]

# Full-width forms (`（ｋΩ）`, `１２`) and units in one character (`㏀`, `㎂`). Signs that would part cells, quote them
# or begin a comment stay: a table must not change its shape by being read.
_WIDE = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0xFF01, 0xFF5F), 0x3000, *range(0x3380, 0x33E0))
    if chr(code) not in "＂＃＇，；｜"
}
_PLAIN = _WIDE | {
    0x2212: "-", 0x2010: "-", 0x2011: "-", 0xFE63: "-",  # signs of minus; dashes between words are none of ours
    0x3010: "[", 0x3011: "]", 0x3014: "[", 0x3015: "]",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWER = re.compile(r"^([-+]?\d+(?:[.,]\d*)?)\s*[x×·*⋅]\s*10(?:\s*\^\s*\(?([-+]?\d{1,3})\)?|([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))$")


def plain_text(text: str) -> str:
    """The text with such characters as plain ones; all others, accents and Greek letters too, as they are."""
    return text if text.isascii() else text.translate(_PLAIN)


def plain_number(text: str) -> str:
    """The same for a cell that may be a number: `−1.5`, `１２．５` and `4.2×10⁵` as `-1.5`, `12.5` and `4.2e5`."""
    text = plain_text(text)
    if "10" not in text or (match := _POWER.match(text.strip())) is None:
        return text
    return f"{match[1]}e{match[2] or match[3].translate(_SUPERSCRIPTS)}"
