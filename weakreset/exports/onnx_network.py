"""A trained run as an ONNX network whose binary weights are int8, exactly -1 and +1.

torch's exporter folds batch norm into the weights before it unless told not to, and then they are binary no more; so
nothing is optimized, and what it wrote is looked at: every binary weight is found, or nothing is written.
"""

from __future__ import annotations

import copy
import json
import logging
import math
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from weakreset.errors import UsageError, require
from weakreset.exports.trained import BinaryLayer, TrainedRun
from weakreset.training.networks import NETWORKS, Sign, build_network
from weakreset.version import __version__

__all__ = ["network_of", "onnx_bytes", "onnx_of_run"]


class _PlainSign(nn.Module):
    """`Sign` without its gradient, which ONNX has no word for."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x >= 0, 1.0, -1.0)


def onnx_of_run(run: TrainedRun, own: nn.Module | None = None, inputs: Tensor | None = None) -> bytes:
    """The network of a run, inputs and outputs as in training: images (n, channels, height, width), a row of scores.

    Parameters
    ----------
    run : TrainedRun
    own : nn.Module, optional
        The network as it was given to `train`, where it is one of the user's own; it is copied.
    inputs : Tensor, optional
        Two or more of its inputs; images of the size of the run unless given.

    Raises
    ------
    MissingExtraError
        onnx is not installed.
    UsageError
        The run has a network of its user's own, which is not given or another one; torch cannot export it.
    """
    _require()
    network, shape = network_of(run, own)
    if inputs is None and shape is None:
        raise UsageError(f"{run.folder}: it was trained on data of your own: give two of the inputs (inputs=)")
    tried = torch.zeros(2, *(shape or ())) if inputs is None else inputs
    about = {"weakreset": __version__, "simulated": "true", "run": json.dumps(dict(run.config))}
    binary = [f"{layer.name}.weight" for layer in run.layers]
    return onnx_bytes(network, tried, binary, about)


def network_of(run: TrainedRun, own: nn.Module | None = None) -> tuple[nn.Module, tuple[int, ...] | None]:
    """Ordinary layers with the weights of the run, in `eval()`, and the shape of an image; None for other data."""
    name: str = str(run.config.get("network"))
    given: Any = run.config.get("image_shape")
    stock = name in NETWORKS and run.config.get("network_sha256") is None
    if stock and own is not None:
        raise UsageError(f"{run.folder}: its network is {name}, not one of your own")
    if not stock and own is None:
        raise UsageError(
            f"{run.folder}: a network of your own ({name}) cannot be built from a run folder. --to weights writes its "
            "weights; in Python weakreset.exports.onnx_network.onnx_of_run takes the module (own=)"
        )
    try:
        if own is None:
            channels, height, wide = given or _square(name, run)
            shape, classes = (channels, height, wide), run.layers[-1].signs.shape[0]
            network = build_network(name, shape, classes, int(run.config["hidden"]), float(run.config["width"]))
        else:
            network = copy.deepcopy(own)
        state = {
            f"{layer.name}.weight" if layer.name else "weight": torch.from_numpy(layer.signs.astype(np.float32))
            for layer in run.layers
        }
        network.load_state_dict(state | dict(run.digital))
    except (LookupError, TypeError, ValueError, RuntimeError, StopIteration) as error:
        raise UsageError(f"{run.folder}: its weights do not go with its configuration ({error})") from None
    _without_gradient(network)
    return network.eval(), shape if own is None else given and tuple(given)


def _without_gradient(network: nn.Module) -> None:
    for child, module in list(network.named_children()):
        if isinstance(module, Sign):
            setattr(network, child, _PlainSign())
        else:
            _without_gradient(module)


def _square(name: str, run: TrainedRun) -> tuple[int, int, int]:
    """Of square images, from the sizes of the layers: configurations of older runs do not hold the shape."""
    first = run.layers[0].signs
    if name == "mlp":
        channels = 3 if run.config.get("data") == "cifar10" else 1
        side = math.isqrt(first.shape[1] // channels)
    else:  # three poolings by two before the first dense layer
        channels, dense = first.shape[1], _first_dense(run.layers)
        side = 8 * math.isqrt(dense.signs.shape[1] // max(_convolutions(run.layers)[-1].signs.shape[0], 1))
    return channels, side, side


def _first_dense(layers: tuple[BinaryLayer, ...]) -> BinaryLayer:
    return next(layer for layer in layers if layer.signs.ndim == 2)


def _convolutions(layers: tuple[BinaryLayer, ...]) -> list[BinaryLayer]:
    return [layer for layer in layers if layer.signs.ndim == 4]


def onnx_bytes(network: nn.Module, inputs: Tensor, binary: list[str], about: dict[str, str] | None = None) -> bytes:
    """An ONNX file of `network`; any number of inputs at once.

    Parameters
    ----------
    network : nn.Module
        Of ordinary layers, in `eval()`.
    inputs : Tensor
        Two or more of them, to try it with.
    binary : list of str
        Names of the weights that are -1 and +1; they become int8.
    about : dict, optional
        Goes into the metadata of the file.

    Raises
    ------
    MissingExtraError
        onnx is not installed.
    UsageError
        One of the weights is not binary, in the network or in what torch makes of it; or torch cannot export it.
    """
    _require()
    import onnx

    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = os.path.join(folder, "network.onnx")
        batch = ({0: torch.export.Dim("n")},)
        # optimize folds batch norm into weights; external_data would be a second file
        try:
            torch.onnx.export(
                network, (inputs,), path, dynamo=True, optimize=False, external_data=False, dynamic_shapes=batch,
                verbose=False,
            )
        except (torch.onnx.OnnxExporterError, RuntimeError, TypeError, ValueError) as error:
            raise UsageError(f"ONNX: torch cannot export this network ({str(error).partition(chr(10))[0]})") from None
        model = onnx.load(path)
    _as_int8(model, binary)
    for key, value in (about or {}).items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@contextmanager
def _quiet() -> Iterator[None]:
    """torch's exporter warns of its own insides, which its caller cannot change, and of packages that it misses."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _as_int8(model: Any, binary: list[str]) -> None:
    """The named weights as int8 and a cast to float where they are used."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    found = {tensor.name: tensor for tensor in graph.initializer}
    for name in binary:
        values = numpy_helper.to_array(found[name]) if name in found else None
        if values is None or not np.isin(values, (-1.0, 1.0)).all():
            raise UsageError(f"ONNX: weight {name!r} is not -1 and +1 in the exported network: it cannot be int8")
        graph.initializer.remove(found[name])
        graph.initializer.append(numpy_helper.from_array(values.astype(np.int8), f"{name}_sign"))
        graph.node.insert(0, helper.make_node("Cast", [f"{name}_sign"], [name], to=TensorProto.FLOAT))


def _require() -> None:
    for package in ("onnx", "onnxscript"):
        require(package, "onnx", "ONNX files")
