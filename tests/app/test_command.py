"""`weakreset app` as a command: what it says where it cannot start."""

from __future__ import annotations

import importlib.util
import socket

import pytest

from weakreset.cli import main


def test_without_the_extra_the_line_that_installs_it_is_the_error(monkeypatch, capsys):
    known = importlib.util.find_spec
    found = {"nicegui": None}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: found.get(name, known) and known(name, *rest))
    assert main(["app"]) == 2
    assert "pip install 'weakreset[app]'" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(capsys):
    pytest.importorskip("nicegui", reason="pip install 'weakreset[app]'")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        assert main(["app", "--port", str(number), "--no-browser"]) == 2
    assert f"port {number} cannot be used" in capsys.readouterr().err


def test_it_cannot_be_told_to_listen_elsewhere(capsys):
    assert main(["app", "--host", "0.0.0.0"]) == 2
    assert "No such option" in capsys.readouterr().err
