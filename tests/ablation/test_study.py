"""A tiny study on digits: resumed, refused, and the same in one process and in two."""

from __future__ import annotations

import json
import os
import signal

import pytest

from weakreset.ablation import (
    Condition,
    StudySettings,
    ablate_part,
    all_conditions,
    nominal_conditions,
    run_study,
    run_target,
)
from weakreset.ablation.study_runs import StudyRun, finished
from weakreset.cli.app import run
from weakreset.errors import OutputError, UsageError
from weakreset.locks import held
from weakreset.parameter_file import load_parameters

SETTINGS = StudySettings(recipe="device-aware", hidden=16, epochs=1, batch_size=200)
SOME = (Condition("all on"), Condition("without rtn", without=("rtn",)), Condition("ideal", ideal=True))


@pytest.fixture(scope="module")
def params():
    return load_parameters("majumdar2021")


@pytest.fixture(scope="module")
def first(params, tmp_path_factory):
    """A study in one process: its folder, its result, and what it said of its progress."""
    folder, seen = tmp_path_factory.mktemp("study"), []
    result = run_study(params, folder, SETTINGS, seeds=(0, 1), conditions=SOME, progress=lambda *a: seen.append(a))
    return folder, result, seen


def test_a_study_that_is_run_again_repeats_nothing(params, first, monkeypatch):
    folder, result, seen = first
    assert seen[0] == (0, 6, "runs")
    assert seen[-1] == (6, 6, "runs")
    assert not list(folder.rglob("*.safetensors"))
    monkeypatch.setattr("weakreset.training.train", None)
    again = run_study(params, folder, SETTINGS, seeds=(0, 1), conditions=SOME)
    assert again.to_dict() == result.to_dict()
    with pytest.raises(UsageError, match="other settings"):
        run_study(params, folder, StudySettings(hidden=17), conditions=SOME)


def test_two_processes_give_the_same_numbers(params, first, tmp_path):
    two = run_study(params, tmp_path, SETTINGS, seeds=(0, 1), conditions=SOME, jobs=2)
    assert two.to_dict() == first[1].to_dict()


def test_a_cluster_gives_the_same_numbers_though_a_worker_is_killed(params, tmp_path):
    distributed = pytest.importorskip("distributed", reason="no Dask here: pip install 'weakreset[dask]'")
    one = run_study(params, tmp_path / "one", SETTINGS, seeds=(0, 1), conditions=SOME[:1]).to_dict()
    killed = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        def kill(done, total, what):
            if done and not killed:
                killed.append(next(iter(cluster.workers.values())).pid)
                os.kill(killed[0], signal.SIGKILL)

        two = run_study(
            params, tmp_path / "two", SETTINGS, seeds=(0, 1), conditions=SOME[:1], progress=kill,
            address=cluster.scheduler_address,
        ).to_dict()
    assert killed
    assert two == one


def test_a_cluster_that_is_not_there_or_not_safe_is_refused_and_a_study_that_is_done_needs_none(params, tmp_path):
    pytest.importorskip("distributed", reason="no Dask here: pip install 'weakreset[dask]'")
    dask = pytest.importorskip("dask")
    done = run_study(params, tmp_path / "done", SETTINGS, seeds=(0,), conditions=SOME[:1])
    nobody = "tcp://127.0.0.1:9"
    again = run_study(params, tmp_path / "done", SETTINGS, seeds=(0,), conditions=SOME[:1], address=nobody)
    assert again.to_dict() == done.to_dict()
    short = dask.config.set({"distributed.comm.timeouts.connect": "0.2s"})
    with short, pytest.raises(UsageError, match="0 of 1 runs were finished"):
        run_study(params, tmp_path / "new", SETTINGS, seeds=(0,), conditions=SOME[:1], address=nobody)
    with pytest.raises(UsageError, match="pickles"):
        run_study(params, tmp_path / "new", SETTINGS, seeds=(0,), conditions=SOME[:1], address="tcp://10.0.0.5:8786")


def test_every_condition_of_the_issue_is_there_and_has_its_own_devices(params):
    conditions = all_conditions(params)
    names = [condition.name for condition in conditions]
    assert len(names) == len(set(names)) == 16
    off = next(c for c in conditions if c.name == "all off")
    assert off.without == ("pink", "rtn")
    assert set(off.parameters(params, "median").d2d.scale.values()) == {0.0}
    alone = next(c for c in conditions if c.name == "d2d of t_star alone").parameters(params, "mean")
    assert alone.d2d.nominal == "mean"
    assert alone.d2d.scale["t_star"] == 1.0
    assert alone.d2d.scale["m1"] == alone.d2d.scale["rtn_amplitude"] == 0.0


def test_the_nominal_device_and_the_rate_can_differ_from_the_usual(params, tmp_path):
    median, mean = nominal_conditions(params)
    assert mean.parameters(params, "median").d2d.nominal == "mean"
    assert median.parameters(params, "mean") == all_conditions(params)[2].parameters(params, "median")
    options = {"recipe": "device-aware", "hidden": 16, "epochs": 1, "batch_size": 200}
    slow, fast = (StudySettings(**options, lr=lr) for lr in (1.5, 60.0))
    results = [
        run_study(params, tmp_path / str(number), settings, seeds=(0,), conditions=(*SOME[:1], mean))
        for number, settings in enumerate((SETTINGS, slow, fast))
    ]
    usual, slower, faster = (result.row("all on") for result in results)
    assert 2 * slower.pulses_mean < usual.pulses_mean < faster.pulses_mean  # bursts are cut at 14 pulses
    assert 0 <= usual.past_knee < faster.past_knee < 1
    note = json.loads((tmp_path / "0" / "study.json").read_text())
    del note["settings"]["lr"], note["settings"]["shrink"]  # as written before there were these settings
    (tmp_path / "0" / "study.json").write_text(json.dumps(note))
    run_study(params, tmp_path / "0", SETTINGS, seeds=(0,), conditions=SOME[:1])


def test_a_target_that_is_already_reached_or_out_of_reach_is_said_in_words(params, tmp_path):
    easy, hard = (
        run_target(params, tmp_path, target, SETTINGS, seeds=(0,), parameters=("m1",))[0] for target in (0.02, 0.999)
    )
    assert easy.factor == 1.0
    assert "as things are" in easy.sentence
    assert hard.factor is None
    assert "not reached" in hard.sentence


def test_the_command_writes_table_json_and_picture(tmp_path, capsys):
    options = ["--epochs", "1", "--hidden", "16", "--seeds", "2", "--jobs", "1", "--only", "without d2d", "--json"]
    assert run(["ablate", "majumdar2021", "-o", str(tmp_path), *options]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [row["condition"] for row in printed["rows"]] == ["all on", "without d2d"]
    endings = {path.name.partition(".")[2] for path in tmp_path.glob("ablation.*")}
    assert endings == {"csv", "datapackage.json", "json", "png"}
    assert run(["ablate", "majumdar2021", "-o", str(tmp_path), "--only", "nothing"]) == 2
    assert "choose from ideal, all on" in capsys.readouterr().err


def test_a_study_without_results_does_not_refuse_the_corrected_command(tmp_path):
    options = ["ablate", "majumdar2021", "-o", str(tmp_path), "--epochs", "1", "--seeds", "1", "--jobs", "1"]
    options += ["--only", "ideal", "--hidden", "4"]
    assert run([*options, "--network", "typo"]) == 2
    assert run(options) == 0


def test_parts_make_the_study_that_one_command_makes(params, tmp_path, monkeypatch):
    whole = run_study(params, tmp_path / "whole", SETTINGS, seeds=(0, 1), conditions=SOME[:2])
    options = {"seeds": (0, 1), "conditions": SOME[:2]}
    done = [ablate_part(params, tmp_path / "parts", (i, 3), SETTINGS, **options) for i in (3, 1, 2)]
    assert [(d.part_finished, d.part_total, d.finished, d.total) for d in done] == [
        (1, 1, 1, 4), (2, 2, 3, 4), (1, 1, 4, 4),
    ]
    monkeypatch.setattr("weakreset.training.train", None)
    assert run_study(params, tmp_path / "parts", SETTINGS, **options).to_dict() == whole.to_dict()
    assert not list((tmp_path / "parts").rglob(".weakreset*"))


def test_the_same_part_twice_and_a_run_that_another_part_does_are_refused(params, tmp_path):
    with held(tmp_path / "part-1-of-2"), pytest.raises(OutputError, match="another run of weakreset"):
        ablate_part(params, tmp_path, (1, 2), SETTINGS, seeds=(0,), conditions=SOME[:1])
    with held(folder=tmp_path / "all-on" / "seed-0"), pytest.raises(OutputError, match="another run of weakreset"):
        ablate_part(params, tmp_path, (1, 1), SETTINGS, seeds=(0,), conditions=SOME[:1])
    with pytest.raises(UsageError, match="1 <= i <= n"):
        ablate_part(params, tmp_path, (3, 2), SETTINGS)


def test_the_command_does_a_part(tmp_path, capsys):
    options = ["ablate", "majumdar2021", "-o", str(tmp_path), "--epochs", "1", "--seeds", "1", "--jobs", "1"]
    options += ["--only", "without d2d", "--hidden", "4"]
    assert run([*options, "--part", "2/2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["part"], found["finished"], found["total"]) == ([2, 2], 1, 2)
    assert not list(tmp_path.glob("ablation.*"))
    for wrong in ("3/2", "0/2", "two", "1/0"):
        assert run([*options, "--part", wrong]) == 2
    assert run([*options, "--part", "1/2", "--target", "0.9"]) == 2
    assert run(options) == 0
    assert (tmp_path / "ablation.csv").exists()


def test_what_makes_no_study_is_refused_before_the_first_run(params, tmp_path):
    study = lambda **more: run_study(params, tmp_path / "s", SETTINGS, **{"conditions": SOME, **more})  # noqa: E731
    twice = (SOME[0], Condition("a b", without=("rtn",)), Condition("a-b", without=("pink",)))
    for more, message in (
        ({"conditions": SOME[1:]}, "'all on' must be among"), ({"seeds": ()}, "seeds"),
        ({"seeds": (0, 0)}, "each once"),
        ({"jobs": -1}, "jobs must be"), ({"conditions": twice}, "'a-b' stands for two"),
    ):
        with pytest.raises(UsageError, match=message):
            study(**more)
    assert not list(tmp_path.rglob("seed-*"))


def test_a_run_of_another_condition_of_the_same_name_is_not_taken_for_it(params, tmp_path):
    """Its folder and the settings of the study are the same."""
    weak = SOME[0], Condition("weak", without=("rtn",))
    run_study(params, tmp_path, SETTINGS, seeds=(0,), conditions=weak)
    run_study(params, tmp_path, SETTINGS, seeds=(0,), conditions=weak)
    with pytest.raises(UsageError, match="another condition of the name 'weak'"):
        run_study(params, tmp_path, SETTINGS, seeds=(0,), conditions=(SOME[0], Condition("weak", without=("pink",))))


@pytest.mark.parametrize(
    "damage", [{"test_accuracy": 7}, {"pulses_mean": "x"}, {"pulses_max": None}, {"activity_rtn": [1]}, {"lr": True}]
)
def test_a_result_that_is_no_numbers_is_refused_by_name(damage, tmp_path):
    fine = {"test_accuracy": 0.9, "pulses_mean": 1.5, "pulses_p99": 4.0, "pulses_max": 7, "lr": 0.1}
    one = StudyRun(Condition("all on"), 0, tmp_path)
    (tmp_path / "final.json").write_text(json.dumps(fine))
    assert finished(one, own_score=False) == fine
    for content in (fine | damage, {key: fine[key] for key in fine if key not in damage and key != "pulses_p99"}):
        (tmp_path / "final.json").write_text(json.dumps(content))
        with pytest.raises(UsageError, match=r"final\.json"):
            finished(one, own_score=False)
