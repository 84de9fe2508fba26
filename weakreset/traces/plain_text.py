"""Characters that keyboards of other languages and word processors write, as the plain ones that mean the same."""

from __future__ import annotations

import unicodedata

__all__ = ["plain_text"]

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


def plain_text(text: str) -> str:
    """The text with such characters as plain ones; all others, accents and Greek letters too, as they are."""
    return text if text.isascii() else text.translate(_PLAIN)
