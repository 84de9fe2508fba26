"""Files of a run that were cut, changed or made by a stranger are refused with a paragraph."""

from __future__ import annotations

import json

import pytest
from safetensors.torch import load, save

from weakreset.cli import main

TRAIN = ["train", "majumdar2021", "--hidden", "8", "--epochs", "1", "--recipe", "ideal"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    assert main([*TRAIN, "-o", str(folder)]) == 0
    return (folder / "checkpoint.safetensors").read_bytes()


def _header(raw: bytes, change) -> bytes:
    """The checkpoint with another text in its header."""
    size = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8 : 8 + size])
    ours = json.loads(head["__metadata__"]["weakreset"])
    head["__metadata__"]["weakreset"] = change(ours)
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + raw[8 + size :]


def _accuracy(value):
    return _metric("test_accuracy", value)


def _metric(name, value):
    def change(ours):
        ours["notes"]["metrics"][0][name] = value
        return json.dumps(ours)

    return change


def _tensor(ending, change, checked=False):
    """The checkpoint with another tensor where its name ends so."""
    def damage(raw: bytes) -> bytes:
        size = int.from_bytes(raw[:8], "little")
        tensors = load(raw)
        key = next(key for key in sorted(tensors) if key.endswith(ending))
        notes = json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["weakreset"])
        if not checked:
            del notes["crc32"]
        return save(tensors | {key: change(tensors[key])}, {"weakreset": json.dumps(notes)})

    return damage


DAMAGE = {
    "cut": lambda raw: raw[: len(raw) // 2],
    "empty": lambda raw: b"",
    "text": lambda raw: b"not a checkpoint at all",
    "accuracy of 7": lambda raw: _header(raw, _accuracy(7)),
    "accuracy of words": lambda raw: _header(raw, _accuracy("good")),
    "reads in words": lambda raw: _header(raw, _metric("reads", "x")),
    "a loss that is yes or no": lambda raw: _header(raw, _metric("train_loss", True)),
    "no number of pulses": lambda raw: _header(raw, _metric("pulses_max", None)),
    "a list": lambda raw: _header(raw, lambda ours: "[]"),
    "deep": lambda raw: _header(raw, lambda ours: "[" * 100_000),
    "no notes": lambda raw: _header(raw, lambda ours: json.dumps(ours | {"notes": None})),
    "no metrics": lambda raw: _header(raw, lambda ours: json.dumps(
        ours | {"notes": {"config": ours["notes"]["config"], "metrics": {"a": 1}}})),
    "statistics of another shape": _tensor("running_mean", lambda old: old[:1].clone()),
    "a count of fractions": _tensor("num_batches_tracked", lambda old: old.double() + 0.5),
    "a bit": _tensor("running_mean", lambda old: old.nextafter(old + 1), checked=True),
    "another optimizer": lambda raw: _header(raw, lambda ours: json.dumps(ours | {"groups": [{}]})),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_refused(damage, checkpoint, tmp_path, capsys):
    (tmp_path / "checkpoint.safetensors").write_bytes(DAMAGE[damage](checkpoint))
    assert main([*TRAIN, "-o", str(tmp_path), "--resume"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "metrics.jsonl", "final.json", "study.json"])
def test_without_resume_no_results_are_overwritten(name, tmp_path):
    (tmp_path / name).write_text("{}")
    assert main([*TRAIN, "-o", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"parameters": 1, "settings": {}}', "[" * 100_000])
def test_a_damaged_study_is_refused(content, tmp_path, capsys):
    (tmp_path / "study.json").write_text(content)
    assert main(["ablate", "majumdar2021", "-o", str(tmp_path), "--epochs", "1"]) == 2
    assert "study.json" in capsys.readouterr().err
