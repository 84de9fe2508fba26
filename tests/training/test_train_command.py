import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from weakreset.cli.train import train_command
from weakreset.errors import UsageError

app = typer.Typer()
app.command()(train_command)


def test_the_command_trains_reports_and_resumes(tmp_path: Path) -> None:
    base = ["majumdar2021", "--hidden", "8", "--epochs", "1", "-o", str(tmp_path / "run")]
    result = CliRunner().invoke(app, [*base, "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["final"]["epoch"] == 1
    assert answer["config"]["data"] == "digits"
    result = CliRunner().invoke(app, [*base, "--resume"])
    assert "final epoch" in result.output
    assert str(tmp_path / "run")[:20] in result.output
    refused = CliRunner().invoke(app, base)
    assert isinstance(refused.exception, UsageError)


@pytest.mark.parametrize("option", [("--without", "gravity"), ("--recipe", "magic"), ("--data", "imagenet")])
def test_bad_options_raise_an_error_the_app_explains(tmp_path: Path, option: tuple[str, str]) -> None:
    from weakreset.errors import WeakResetError

    result = CliRunner().invoke(app, ["majumdar2021", *option, "-o", str(tmp_path)])
    assert isinstance(result.exception, WeakResetError)
