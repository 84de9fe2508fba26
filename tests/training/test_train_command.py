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


def test_ctrl_c_keeps_the_finished_epochs_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weakreset.training.loop import Trainer

    run_epoch = Trainer.run_epoch

    def interrupted(self: Trainer, epoch: int, progress: object) -> object:
        if epoch == 2:
            raise KeyboardInterrupt
        return run_epoch(self, epoch, None)

    options = ["majumdar2021", "--hidden", "8", "--epochs", "3", "-o", str(tmp_path)]
    monkeypatch.setattr(Trainer, "run_epoch", interrupted)
    stopped = CliRunner().invoke(app, options)
    assert stopped.exit_code == 130
    assert "go on with --resume" in stopped.stderr
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 1
    monkeypatch.undo()
    assert CliRunner().invoke(app, [*options, "--resume"]).exit_code == 0
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 3


def test_the_page_shows_where_the_pulses_went_and_what_they_cost(tmp_path: Path) -> None:
    options = ["--recipe", "published", "--hidden", "8", "--epochs", "1", "--lr", "30", "-o", str(tmp_path)]
    result = CliRunner().invoke(app, ["majumdar2021", *options])
    assert "comparisons of a pair" in result.output
    page = (tmp_path / "report.html").read_text()
    assert "Pulses by device, and by input of the first layer" in page
    assert "99th percentile" in page
    assert json.loads((tmp_path / "config.json").read_text())["recipe"]["lr"] == 30


@pytest.mark.parametrize("option", [("--without", "gravity"), ("--recipe", "magic"), ("--data", "imagenet")])
def test_bad_options_raise_an_error_the_app_explains(tmp_path: Path, option: tuple[str, str]) -> None:
    from weakreset.errors import WeakResetError

    result = CliRunner().invoke(app, ["majumdar2021", *option, "-o", str(tmp_path)])
    assert isinstance(result.exception, WeakResetError)
