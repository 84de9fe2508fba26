"""Save and load the whole state of a training: model with its devices, optimizer, generators, notes.

The file is safetensors: numbers and a text, nothing that can run. It is written beside its target and then
renamed over it, so a process killed at any moment leaves the last good one.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from weakreset.errors import SimulationError
from weakreset.resources import whole_or_nothing

__all__ = ["load_checkpoint", "read_checkpoint", "save_checkpoint"]

_FORMAT = "weakreset-checkpoint-1"


def save_checkpoint(
    path: str | os.PathLike[str], model: nn.Module, optimizer: torch.optim.Optimizer | None = None, *,
    generators: Mapping[str, torch.Generator] | None = None, notes: Mapping[str, Any] | None = None,
) -> Path:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : path
        Usually ends in `.safetensors`.
    model : nn.Module
        Its `state_dict()` is saved, simulated devices included.
    optimizer : torch optimizer, optional
    generators : mapping of str to torch.Generator, optional
    notes : mapping, optional
        Anything JSON can hold: epoch, configuration, metrics.
    """
    tensors = {f"model/{key}": value for key, value in model.state_dict().items()}
    header: dict[str, Any] = {"format": _FORMAT, "notes": dict(notes or {})}
    if optimizer is not None:
        state = optimizer.state_dict()
        header["groups"], header["scalars"] = state["param_groups"], {}
        for number, entries in state["state"].items():
            for key, value in entries.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer/{number}/{key}"] = value
                else:
                    header["scalars"][f"{number}/{key}"] = value
    for name, generator in (generators or {}).items():
        tensors[f"generator/{name}"] = generator.get_state()  # a byte tensor
    header["crc32"] = _checksum(tensors)
    return _write(Path(path), tensors, {"weakreset": json.dumps(header)})


def load_checkpoint(
    path: str | os.PathLike[str], model: nn.Module, optimizer: torch.optim.Optimizer | None = None, *,
    generators: Mapping[str, torch.Generator] | None = None,
    check: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Bring `model`, `optimizer` and `generators` back to a checkpoint, bit for bit; returns its notes.

    `check`, if given, sees the notes first and may refuse by raising.

    Raises
    ------
    SimulationError
        When the file is missing, damaged, no checkpoint, or of another network.
    """
    tensors, header = read_checkpoint(Path(path))
    notes: dict[str, Any] = header["notes"]
    if check is not None:  # before the model: a refused file changes nothing
        check(notes)
    saved_model = _part(tensors, "model/")
    _check_kinds(path, saved_model, model.state_dict())
    try:
        model.load_state_dict(saved_model)
    except RuntimeError as error:
        raise SimulationError(f"{path}: belongs to another network ({error})") from None
    if optimizer is not None:
        try:
            optimizer.load_state_dict(_optimizer_state(path, tensors, header))
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            raise SimulationError(f"{path}: its optimizer is damaged or another one ({error})") from None
    saved = _part(tensors, "generator/")
    for name, generator in (generators or {}).items():
        if name not in saved:
            raise SimulationError(f"{path}: has no generator {name!r}")
        try:
            generator.set_state(saved[name])
        except (RuntimeError, TypeError) as error:
            raise SimulationError(f"{path}: its generator {name!r} is damaged ({error})") from None
    return notes


def _check_kinds(path: str | os.PathLike[str], saved: Mapping[str, Tensor], mine: Mapping[str, Tensor]) -> None:
    """Refuse tensors that torch would turn into what the model has: a count is no fraction, a fraction no count."""
    for key in saved.keys() & mine.keys():
        was, is_ = saved[key], mine[key]
        alike = was.dtype == is_.dtype or (was.is_floating_point() and is_.is_floating_point())
        if not alike or was.shape != is_.shape:
            raise SimulationError(
                f"{path}: {key} is {was.dtype} {tuple(was.shape)}, not {is_.dtype} {tuple(is_.shape)}: it is damaged, "
                "or belongs to another network"
            )


def _optimizer_state(
    path: str | os.PathLike[str], tensors: dict[str, Tensor], header: dict[str, Any]
) -> dict[str, Any]:
    if "groups" not in header:
        raise SimulationError(f"{path}: was saved without an optimizer")
    state: dict[int, dict[str, Any]] = {}
    for key, value in (_part(tensors, "optimizer/") | header["scalars"]).items():
        number, _, name = key.partition("/")
        state.setdefault(int(number), {})[name] = value
    groups = header["groups"]
    for group in groups:
        if "betas" in group:
            group["betas"] = tuple(group["betas"])  # JSON has no tuples
    return {"state": state, "param_groups": groups}


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """All tensors of a checkpoint by name, and its header: notes, groups, scalars.

    Raises
    ------
    SimulationError
        When the file is missing, damaged or no checkpoint.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise SimulationError(f"no checkpoint {path}")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get("weakreset", "{}"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError, RecursionError, RuntimeError) as error:
        raise SimulationError(f"{path}: not a readable checkpoint ({error}); it is damaged, start anew") from None
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        found = header.get("format") if isinstance(header, dict) else type(header).__name__
        raise SimulationError(f"{path}: not a checkpoint of this weakreset (format {found!r})")
    if not isinstance(header.get("notes"), dict) or not isinstance(header.get("scalars", {}), dict):
        raise SimulationError(f"{path}: its notes are damaged; start anew in another folder")
    if header.get("crc32", (found := _checksum(tensors))) != found:  # older files have none
        raise SimulationError(f"{path}: its numbers are not those that were saved (checksum); start anew")
    return tensors, header


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """Of names and bytes: a number that a disk or a copy changed looks like any other number."""
    found = 0
    for key in sorted(tensors):
        found = zlib.crc32(key.encode(), found)
        found = zlib.crc32(tensors[key].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data, found)
    return found


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> Path:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    apart: dict[str, Tensor] = {}
    taken: set[int] = set()
    for key, value in tensors.items():
        place = value.untyped_storage().data_ptr()
        # tied weights, and the devices behind them, have two names in one place, which the format refuses
        apart[key] = value.clone().contiguous() if place in taken else value.contiguous()
        taken.add(place)
    with whole_or_nothing(path) as part:
        try:
            save_file(apart, part, metadata=metadata)
        except SafetensorError as error:  # a full disk, in its words
            raise OSError(str(error)) from None
    return path
