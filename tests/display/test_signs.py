"""Signs that a terminal would obey."""

from __future__ import annotations

import pytest

from weakreset.cli import main
from weakreset.display import printable

OBEYED = "a\x1b[2Jb\u202ec\x9bd\u2066e\u2028f\rg\x7f\x00"


def test_what_a_terminal_would_obey_is_shown():
    shown = r"a\x1b[2Jb\u202ec\x9bd\u2066e\u2028f\rg\x7f\x00"
    assert printable(OBEYED) == printable(OBEYED, line_ends=True) == shown
    assert printable("Ω ü 漢\n") == r"Ω ü 漢\n"
    assert printable("Ω ü 漢\n", line_ends=True) == "Ω ü 漢\n"


@pytest.mark.parametrize("verb", [["show"], ["train", "majumdar2021", "--data"], ["inspect"]])
def test_no_command_sends_it(verb, capfd):
    assert main([*verb, OBEYED.rstrip("\x00")]) == 2
    assert not set("\x1b\u202e\x9b\u2066\u2028\r\x7f") & set("".join(capfd.readouterr()))
