from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from tests.shared_data import shared
from weakreset.cli.inspect import inspect_command
from weakreset.cli.template import template_command
from weakreset.errors import UsageError
from weakreset.traces import inspect_traces, load_traces


@pytest.fixture
def run():
    app = typer.Typer()
    app.command("inspect")(inspect_command)
    app.command("template")(template_command)

    def call(*arguments, code=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return call


@pytest.fixture
def lab(tmp_path):
    rows = "".join(f"A,{i},{1 + i / 1000}\n" for i in range(40))
    (tmp_path / "lab.csv").write_text("device,pulse,R [kohm]\n" + rows + "A,40,0\nB,0,x\nB,1,1.02\n")
    return tmp_path / "lab.csv"


def test_people_see_format_columns_units_exclusions_and_a_map(run, lab):
    out = run("inspect", lab).stdout
    for words in (
        "comma-separated, with header", "name and unit say resistance", "kohm", "pulses 0 to 39", "1000 to 1039 ohm",
        "1 device to use (A)", "1 x zero reading", "1 x not a number", "1 x too few reads", "line 43",
        "--map device=0,pulse=1,resistance=2[kohm]", "▁", "█",
    ):  # fmt: skip
        assert words in out, words


def test_json_is_one_object_on_stdout_and_words_go_to_stderr(run, lab):
    result = run("inspect", lab, "--json")
    (file,) = json.loads(result.stdout)["files"]
    assert file["devices"] == ["A"]
    assert file["excluded"] == {"zero reading": 1, "not a number": 1, "too few reads": 1}
    assert file["pulse_range"] == [0, 39]
    assert file["columns"][2]["unit"] == "kohm"
    assert file["map_line"].startswith("--map ")
    assert "comma-separated" in result.stderr


def test_the_map_line_reads_the_file_the_same_way(lab):
    (guessed,) = inspect_traces(lab)
    (mapped,) = inspect_traces(lab, column_map=guessed.map_line.removeprefix("--map "))
    assert (mapped.devices, mapped.n_reads, mapped.resistance_range_ohm) == (
        guessed.devices,
        guessed.n_reads,
        guessed.resistance_range_ohm,
    )


def test_a_file_that_cannot_be_read_gives_its_reason_and_exit_code_2(run, tmp_path, lab):
    (tmp_path / "bad.csv").write_text("5\t6\n7\t8\n")
    result = run("inspect", lab, tmp_path / "bad.csv", "--json", code=2)
    good, bad = json.loads(result.stdout)["files"]
    assert not good["problem"]
    assert "no header line" in bad["problem"]
    assert "no header line" in result.stderr
    assert bad["format"] == "delimited"


def test_columns_that_are_alike_share_a_line(run, tmp_path):
    header = "pulse," + ",".join(f"dev{i:03d}" for i in range(300))
    rows = "".join(f"{k}," + ",".join(["900", *["800"] * 298, "70"]) + "\n" for k in range(3))
    (tmp_path / "w.csv").write_text(header + "\n" + rows)
    out = run("inspect", tmp_path / "w.csv", code=2).stdout  # three reads of each: no device is left
    assert "1 to 300" in out
    assert "dev000 to dev299" in out
    assert len(out.splitlines()) < 20


def test_many_files_get_a_line_each(run, tmp_path):
    for i in range(8):
        (tmp_path / f"f{i}.csv").write_text("pulse,R\n" + "".join(f"{k},{100 + k + i}\n" for k in range(40)))
    out = run("inspect", tmp_path).stdout
    assert sum(f"f{i}.csv" in out for i in range(8)) == 8


def test_markup_in_names_is_shown_not_obeyed(run, tmp_path):
    rows = "".join(f"[/b],{i},{5000 + i},1\n" for i in range(40))
    (tmp_path / "m.csv").write_text("device,pulse,R,[bold]x[/bold]\n" + rows)
    out = run("inspect", tmp_path / "m.csv").stdout
    assert "[bold]x[/bold]" in out
    assert "[/b]" in out


def test_a_map_is_taken(run, tmp_path):
    (tmp_path / "h.tsv").write_text("".join(f"7\t{i}\t{900 + i}\n" for i in range(40)))
    out = run("inspect", tmp_path / "h.tsv", "--map", "device='cell A',pulse=1,resistance=2").stdout
    assert "1 device to use (cell A)" in out


@pytest.mark.parametrize("format_", ["csv-long", "csv-wide", "hdf5"])
def test_templates_are_simulated_and_read_back(run, tmp_path, format_):
    run("template", format_, "-o", tmp_path)
    (path,) = tmp_path.iterdir()
    traces = load_traces(path)
    assert traces.simulated
    assert len(traces) == 4
    with pytest.raises(UsageError, match="there already"):
        run("template", format_, "-o", tmp_path)


def test_all_templates_agree_and_unknown_ones_are_refused(run, tmp_path):
    run("template", "-o", tmp_path)
    sets = [load_traces(path) for path in tmp_path.iterdir()]
    assert len(sets) == 3
    for traces in sets[1:]:
        assert traces.to_frame().equals(sets[0].to_frame())
    with pytest.raises(UsageError, match="csv-long"):
        run("template", "word", "-o", tmp_path)


@pytest.mark.parametrize("format_", ["b1500a", "keithley-4200", "smu-csv", "arc-one", "arc-two", "matlab", "excel"])
def test_templates_of_instruments_are_read_back(run, tmp_path, format_):
    out = run("template", format_, "-o", tmp_path).stdout
    (path,) = tmp_path.iterdir()
    traces = load_traces(path, column_map="pulse=Item" if "--map pulse=Item" in out else None)
    assert traces.simulated
    assert len(traces) >= 3


@pytest.mark.shared_data
def test_a_real_file_is_inspected(run):
    out = run("inspect", shared("measured/cmos-rram-conductance/pulse-conductance.csv")).stdout
    assert "800 reads" in out
    assert "1 x no pulse number" in out


def test_very_many_files_share_a_line_and_every_problem_is_named(run, tmp_path):
    for i in range(60):
        (tmp_path / f"f{i:02d}.csv").write_text("pulse,R\n" + "".join(f"{k},{100 + k + i}\n" for k in range(40)))
    (tmp_path / "g.csv").write_text("5\t6\n7\t8\n")
    result = run("inspect", tmp_path, code=2)
    assert len(result.stdout.splitlines()) < 12
    assert "61 files, 1 cannot be read; 60 devices to use; 2400 reads" in result.stdout
    assert "100 to 198" in result.stdout
    assert "g.csv: no header line" in result.stderr


def test_limits_and_where_change_what_is_shown(run, lab):
    assert "open_ohm=1e+07" in run("inspect", lab).stdout
    out = run("inspect", lab, "--limits", "min_reads=2", "--where", "pulse<10", code=2).stdout  # too few for a fit
    assert "min_reads=2" in out
    assert "reads selected" in out
    assert "pulses counted by column 'pulse'" in out


def test_amplitudes_and_read_noise_are_shown(run, tmp_path):
    rows = "".join(f"{k // 2},{7000 + k // 2 + (k % 2) * 70},{0.9 if k < 60 else 1.0}\n" for k in range(100))
    (tmp_path / "t.csv").write_text("pulse,R,v_sl\n" + rows)
    out = run("inspect", tmp_path / "t.csv", code=2).stdout  # as `fit`, which takes one of them
    assert 'pulse setting v_sl: 0.9 (29 reads), 1 (20 reads); fit takes one of them: --where "v_sl==0.9"' in out
    assert "read noise 0.007" in out
    (file,) = json.loads(run("inspect", tmp_path / "t.csv", "--json", code=2).stdout)["files"]
    assert file["pulse_settings"] == {"v_sl": {"0.9": 29, "1": 20}}
    assert file["read_noise"]["freedom"] == 50


def test_what_a_terminal_would_obey_in_a_name_is_shown(run, tmp_path):
    rows = "".join(f"a\x1b[31mred,{i},{7000 + i}\n" for i in range(40))
    (tmp_path / "n\x1b[32m.csv").write_text("device,pulse,resistance_ohm\n" + rows)
    for file in tmp_path.iterdir():
        result = run("inspect", file)
        assert "\x1b" not in result.stdout + result.stderr
        assert r"\x1b[31mred" in result.stdout
