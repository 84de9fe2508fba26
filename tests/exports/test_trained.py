"""Trained runs as ONNX, beside torch, and as bare weights."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch

from weakreset.cli.app import run as command
from weakreset.errors import UsageError
from weakreset.exports.onnx_network import onnx_of_run
from weakreset.exports.trained import read_run, weights_files
from weakreset.simulation import DifferentialPair, save_checkpoint
from weakreset.training import Dataset, train
from weakreset.training.run_folder import CHECKPOINT


def images(shape, n=80):
    generator = torch.Generator().manual_seed(5)
    labels = torch.arange(n) % 4
    pictures = torch.randn(n, *shape, generator=generator) + labels.view(-1, 1, 1, 1) - 1.5
    return Dataset("digits", pictures, labels, pictures[:40], labels[:40], n_classes=4)


KINDS = {"mlp": (1, 6, 10), "vgg": (3, 8, 16)}
SIZES = {"mlp": {"hidden": 12}, "vgg": {"width": 0.02}}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each network on devices, and one without; each is a folder and its model."""
    made = {}
    for network, recipe in (("mlp", "latent"), ("vgg", "latent"), ("mlp", "ideal")):
        folder = tmp_path_factory.mktemp("runs") / f"{network}-{recipe}"
        own = SIZES[network] | {"epochs": 1, "batch_size": 20}
        done = train(
            "majumdar2021", images(KINDS[network]), network=network, recipe=recipe, run_dir=folder, **own
        )
        made[folder.name] = (folder, done.model.eval(), images(KINDS[network]).test_images)
    return made


@pytest.mark.parametrize("name", ["vgg-latent", "mlp-ideal"])
def test_an_onnx_network_answers_as_torch_does(tmp_path, runs, name):
    onnx = pytest.importorskip("onnx", reason="no ONNX here: pip install 'weakreset[onnx]'")
    pytest.importorskip("onnxscript", reason="no ONNX here: pip install 'weakreset[onnx]'")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs the exported network, is not here")
    folder, model, pictures = runs[name]
    target = tmp_path / "net.onnx"
    assert command(["export", str(folder), "--to", "onnx", "-o", str(target)]) == 0
    network = onnx.load(target)
    weights = {t.name: onnx.numpy_helper.to_array(t) for t in network.graph.initializer}
    binary = [value for value in weights.values() if value.dtype == np.int8]
    assert len(binary) == (9 if "vgg" in name else 2)
    assert all(set(np.unique(value)) == {-1, 1} for value in binary)
    session = runtime.InferenceSession(target.read_bytes(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        for some in (pictures, pictures[:1]):
            theirs = session.run(None, {session.get_inputs()[0].name: some.numpy()})[0]
            ours = model(some).numpy()
            assert np.abs(theirs - ours).max() <= 1e-5 * max(1.0, np.abs(ours).max())
    assert {p.key: p.value for p in network.metadata_props}["simulated"] == "true"


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_bare_weights_are_those_of_the_model_with_the_pulses_of_each_cell(tmp_path, runs, ending):
    folder, model, _ = runs["vgg-latent"]
    target = tmp_path / f"w.{ending}"
    assert command(["export", str(folder), "--to", "weights", "-o", str(target)]) == 0
    if ending == "npz":
        arrays = dict(np.load(target, allow_pickle=False))
    else:
        from safetensors.numpy import load_file

        arrays = load_file(target)
    pairs = {name.removesuffix(".pair"): pair for name, pair in model.named_modules()
             if isinstance(pair, DifferentialPair)}
    assert {*arrays} == {f"{name}.{part}" for name in pairs for part in ("weight", "pulses")}
    for name, pair in pairs.items():
        assert arrays[f"{name}.weight"].dtype == np.int8
        assert (arrays[f"{name}.weight"] == pair.signs().numpy()).all()
        assert (arrays[f"{name}.pulses"] == pair.array.pulse_count.numpy()).all()
    manifest = json.loads(target.with_suffix(".manifest.json").read_text())
    assert manifest["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert manifest["simulated"] is True
    assert [layer["name"] for layer in manifest["layers"]] == [*pairs]
    assert sum(layer["weights"] for layer in manifest["layers"]) == sum(pair.n_weights for pair in pairs.values())
    assert manifest["layers"][0]["pulses_a_device"]["max"] == int(arrays["0.pulses"].max())
    assert "program" in manifest["pulses"]


def test_weights_without_devices_say_so(tmp_path, runs):
    folder, model, _ = runs["mlp-ideal"]
    assert command(["export", str(folder), "--to", "weights", "-o", str(tmp_path / "w.npz")]) == 0
    arrays = dict(np.load(tmp_path / "w.npz", allow_pickle=False))
    assert {*arrays} == {"1.weight", "5.weight"}
    assert (arrays["1.weight"] == model[1].weight.detach().numpy()).all()
    assert "no devices" in json.loads((tmp_path / "w.manifest.json").read_text())["pulses"]


def refused(capsys, *arguments):
    assert command(["export", *map(str, arguments)]) == 2
    return " ".join(capsys.readouterr().err.split())


def test_what_is_no_run_is_refused(tmp_path, runs, capsys):
    folder = runs["mlp-latent"][0]
    said = refused(capsys, tmp_path, "--to", "onnx", "-o", tmp_path / "n.onnx")
    assert "weakreset train -o RUN" in said
    assert "weakreset train -o RUN" in refused(capsys, "majumdar2021", "--to", "weights", "-o", tmp_path / "w.npz")
    assert ".npz or .safetensors" in refused(capsys, folder, "--to", "weights", "-o", tmp_path / "w.csv")
    assert "no use for --pulses" in refused(capsys, folder, "--to", "onnx", "--pulses", 3, "-o", tmp_path / "n.onnx")
    assert "no use for --devices" in refused(capsys, "majumdar2021", "--devices", 3, "-o", tmp_path / "l.csv")
    assert [*tmp_path.iterdir()] == []


def test_a_damaged_run_is_refused(tmp_path, runs, capsys):
    from safetensors import safe_open
    from safetensors.torch import save_file

    damaged = tmp_path / "run"
    shutil.copytree(runs["mlp-latent"][0], damaged)
    with safe_open(damaged / "checkpoint.safetensors", "pt") as file:
        tensors, about = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118
    tensors["model/1.weight"][0, 0] = 0.5
    save_file(tensors, damaged / "checkpoint.safetensors", about)
    said = refused(capsys, damaged, "--to", "weights", "-o", tmp_path / "w.npz")
    assert "its numbers are not those that were saved" in said


def test_a_network_of_ones_own_is_refused_as_onnx_with_what_to_do(tmp_path, capsys):
    pytest.importorskip("onnxscript", reason="no ONNX here: pip install 'weakreset[onnx]'")
    with torch.random.fork_rng(devices=[]):
        own = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(60, 4), torch.nn.BatchNorm1d(4))
        other = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(61, 4))
    data = images(KINDS["mlp"])
    done = train("majumdar2021", data, network=own, epochs=1, batch_size=20, run_dir=tmp_path / "run")
    assert "--to weights" in refused(capsys, tmp_path / "run", "--to", "onnx", "-o", tmp_path / "n.onnx")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime, which runs the exported network, is not here")
    session = runtime.InferenceSession(onnx_of_run(read_run(tmp_path / "run"), own))
    with torch.no_grad():
        theirs = session.run(None, {session.get_inputs()[0].name: data.test_images.numpy()})[0]
        np.testing.assert_allclose(theirs, done.model.eval()(data.test_images).numpy(), atol=1e-4)
    with pytest.raises(UsageError, match="do not go with"):
        onnx_of_run(read_run(tmp_path / "run"), other)
    assert command(["export", str(tmp_path / "run"), "--to", "weights", "-o", str(tmp_path / "w.npz")]) == 0


def test_a_model_that_is_one_layer_has_weights_without_a_name(tmp_path):
    pictures = images((1, 4, 4))
    flat = (pictures.train_images.flatten(1), pictures.train_labels)
    with torch.random.fork_rng():
        layer = torch.nn.Linear(16, 4)
    train("majumdar2021", flat, holdout=0.2, network=layer, epochs=1, batch_size=20, run_dir=tmp_path)
    run = read_run(tmp_path)
    files = weights_files(run, tmp_path / "out.npz")
    (tmp_path / "out.npz").write_bytes(files[tmp_path / "out.npz"])
    assert sorted(np.load(tmp_path / "out.npz").files) == ["pulses", "weight"]


@pytest.mark.parametrize("moving", [torch.zeros(3, 3, 2, 4), torch.zeros((), dtype=torch.int32)])
def test_devices_that_are_none_and_names_that_only_look_like_numbers_are_refused(tmp_path, moving):
    with torch.random.fork_rng(), torch.no_grad():
        broken = torch.nn.ModuleDict({"²": torch.nn.Linear(3, 3)})
        broken["²"].weight.fill_(1.0)
    broken["²"].register_module("pair", torch.nn.Module())
    broken["²"].pair.register_module("array", torch.nn.Module())
    broken["²"].pair.array.register_buffer("moving", moving)
    save_checkpoint(tmp_path / CHECKPOINT, broken, notes={"config": {}, "metrics": [{}]})
    with pytest.raises(UsageError, match="do not go with its weights"):
        read_run(tmp_path)
