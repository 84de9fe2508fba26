"""What a training run ended with, read from its folder: binary weights, and the pulses that its devices had."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import UsageError
from weakreset.version import __version__

__all__ = ["BinaryLayer", "TrainedRun", "read_run", "weights_files"]

_FORMAT = "weakreset-binary-weights-1"
_LATENT = ".parametrizations.weight.original"
_STATE = ".pair.array.moving"


@dataclass(frozen=True, eq=False)
class BinaryLayer:
    """Weights of one layer.

    Attributes
    ----------
    name : str
        Of the module in the network.
    signs : ndarray of int8, shape of the weight
        -1 or +1.
    pulses : ndarray of int32, shape (*shape, 2), or None
        RESET pulses of BL and BLb since the last SET, on the simulated chip of the run; None of a run without devices.
    """

    name: str
    signs: NDArray[np.int8]
    pulses: NDArray[np.int32] | None


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """A run as its folder has it; `digital` holds biases and batch norm by name, as torch has them."""

    folder: Path
    config: Mapping[str, Any]
    last: Mapping[str, Any]
    layers: tuple[BinaryLayer, ...]
    digital: Mapping[str, Any]


def read_run(folder: Path) -> TrainedRun:
    """The last epoch of the run in `folder`.

    Raises
    ------
    UsageError
        It is no folder of a run, a run of an ablation (which keep no weights), or its weights are damaged.
    SimulationError
        A damaged checkpoint.
    """
    from weakreset.simulation.checkpoint import read_checkpoint
    from weakreset.training.run_folder import CHECKPOINT

    path = folder / CHECKPOINT
    if not path.is_file():
        raise UsageError(
            f"{folder} is no folder of a training run (no {CHECKPOINT} in it): make one with weakreset train -o RUN. "
            "Runs of weakreset ablate keep no weights"
        )
    tensors, header = read_checkpoint(path)
    model = {name.removeprefix("model/"): value for name, value in tensors.items() if name.startswith("model/")}
    config, metrics = (header["notes"].get(key) for key in ("config", "metrics"))
    last = metrics[-1] if isinstance(metrics, list) and metrics else None
    if not isinstance(config, dict) or not isinstance(last, dict):
        raise UsageError(f"{path}: does not say how it was trained; it was not written by weakreset train")
    layers = tuple(sorted(_layers(model, path), key=lambda layer: _place(layer.name)))
    if not layers:
        raise UsageError(f"{path}: there are no binary weights in it")
    # all of a layer but what devices hold: its bias is digital
    mine = {f"{layer.name}." if layer.name else "" for layer in layers}
    inside = ("pair.", "weight", "parametrizations.")
    digital = {
        name: value for name, value in model.items()
        if not any(name.startswith(f"{prefix}{part}") for prefix in mine for part in inside)
    }
    return TrainedRun(folder, config, last, layers, digital)


def _place(name: str) -> list[tuple[int, str]]:
    """Layer 10 comes after layer 9, as in the network."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]


def _layers(model: Mapping[str, Any], path: Path) -> Any:
    from weakreset.simulation.moving_rows import state_of

    for full, value in model.items():
        key = f".{full}"  # a model that is one layer has no name before its first point
        if key.endswith(_STATE):
            name = key.removesuffix(_STATE).removeprefix(".")
            signs = _signs(model.get(f"{name}.weight" if name else "weight"), name, path)
            rows = str(value.dtype) == "torch.int32" and value.ndim > 1 and value.shape[-1] > 1
            pulses = (state_of(value) >> 1).numpy() if rows else np.zeros(0, np.int32)
            if pulses.shape != (*signs.shape, 2):
                raise UsageError(f"{path}: devices of layer {name!r} do not go with its weights; the file is damaged")
            yield BinaryLayer(name, signs, pulses)
        elif key.endswith(_LATENT):
            # the sign of a latent weight of zero is +1, as in training
            signs = np.where(value.float().numpy() >= 0, 1, -1).astype(np.int8)
            yield BinaryLayer(key.removesuffix(_LATENT).removeprefix("."), signs, None)


def _signs(weight: Any, name: str, path: Path) -> NDArray[np.int8]:
    values = None if weight is None else weight.float().numpy()
    if values is None or not np.isin(values, (-1.0, 1.0)).all():
        raise UsageError(f"{path}: weights of layer {name!r} are not all -1 or +1; the file was changed or damaged")
    return np.asarray(values, dtype=np.int8)


def weights_files(run: TrainedRun, output: Path) -> dict[Path, str | bytes]:
    """Signs (int8) and pulses (int32) of every layer as `output` (.npz, .safetensors), and a manifest beside it."""
    arrays: dict[str, Any] = {_key(layer, "weight"): np.ascontiguousarray(layer.signs) for layer in run.layers}
    arrays |= {
        _key(layer, "pulses"): np.ascontiguousarray(layer.pulses) for layer in run.layers if layer.pulses is not None
    }
    if output.suffix == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        data = buffer.getvalue()
    else:
        from safetensors.numpy import save

        data = save(arrays, metadata={"format": _FORMAT, "simulated": "true"})
    manifest = {
        "format": _FORMAT,
        "made_by": f"weakreset {__version__}",
        "simulated": True,
        "file": output.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "test_accuracy": run.last.get("test_accuracy"),
        "weights": "int8, -1 or +1, the first axis is the output; +1: BL has the higher resistance of the pair",
        "pulses": _about_pulses(run),
        "layers": [_entry(layer) for layer in run.layers],
        "run": dict(run.config),
    }
    return {output: data, output.with_suffix(".manifest.json"): json.dumps(manifest, indent=1) + "\n"}


def _key(layer: BinaryLayer, what: str) -> str:
    return f"{layer.name}.{what}" if layer.name else what


def _about_pulses(run: TrainedRun) -> str:
    if run.layers[0].pulses is None:
        return "none: the run had latent weights and no devices"
    return (
        "int32, the last axis is BL, BLb: RESET pulses since SET that each device needed on the simulated chip of this "
        "run. Devices differ: another chip needs others, so write it by pulses and comparisons (weakreset.program)"
    )


def _entry(layer: BinaryLayer) -> dict[str, Any]:
    entry = {
        "name": layer.name, "shape": list(layer.signs.shape), "weights": int(layer.signs.size),
        "plus_ones": int((layer.signs == 1).sum()),
    }
    if layer.pulses is None or not layer.pulses.size:
        return entry
    middle, high = np.percentile(layer.pulses, (50, 99))
    return entry | {"pulses_a_device": {
        "mean": float(layer.pulses.mean()), "median": float(middle), "p99": float(high), "max": int(layer.pulses.max()),
        "never_pulsed": int((layer.pulses == 0).sum()),
    }}
