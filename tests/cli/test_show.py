"""`weakreset show`."""

import json

from weakreset.cli import main
from weakreset.parameter_file import majumdar2021


def test_the_page_says_what_the_file_is(capsys):
    assert main(["show", "majumdar2021"]) == 0
    out = capsys.readouterr().out
    for words in ("How devices differ", "Noise", "Validation", "IEEE Transactions on Electron Devices", "●"):
        assert words in out


def test_one_json_object_and_a_page(tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["show", "majumdar2021", "--report", str(page), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["report"] == str(page)
    assert [row[0] for row in said["sections"][1]["rows"]] == list(majumdar2021().parameters)
    assert "<script" not in page.read_text()


def test_a_name_cannot_command_the_terminal_nor_the_page(tmp_path, capsys):
    params = majumdar2021().model_copy(update={"name": "\x1b[31m[bold]<script>alert(1)</script>"})
    page = tmp_path / "page.html"
    assert main(["show", str(params.save(tmp_path / "file.json")), "--report", str(page)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]<script>" in out
    assert "<script>" not in page.read_text()
