"""Names come from strangers' files: what a terminal would obey in them is shown, not sent."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str, *, line_ends: bool = False) -> str:
    """The text with signs that a terminal would obey, or that cannot be seen, written as escapes.

    Parameters
    ----------
    text : str
    line_ends : bool
        Whether line ends stay: in what was laid out in lines already, never in a single name.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or (line_ends and sign == "\n") else sign.encode("unicode_escape").decode()
        for sign in text
    )
