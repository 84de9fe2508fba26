"""What a run takes from its user instead of a name: a network, a loss, a score."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from weakreset.errors import UsageError
from weakreset.training.batches import seeded

__all__ = ["Loss", "Network", "Score", "network_digest", "network_name", "own_network", "right_answers", "usual_loss"]

Network: TypeAlias = nn.Module | Callable[[], nn.Module]
Loss: TypeAlias = Callable[[Any, Any], Tensor]
Score: TypeAlias = Callable[[Any, Any], Tensor]
"""Of outputs and targets, a number in 0 .. 1 for every item: its mean is called accuracy."""


def own_network(network: Network, seed: int) -> nn.Module:
    """The module, or what the function builds; it may use torch's global generator, which is set by the seed."""
    if isinstance(network, nn.Module):
        return network
    with seeded(seed, "network"):
        built = network()
    if not isinstance(built, nn.Module):
        raise UsageError(f"network: {network_name(network)} gave {type(built).__name__}, not a torch module")
    return built


def network_name(network: Any) -> str:
    """What a configuration calls it."""
    if isinstance(network, str):
        return network
    return type(network).__name__ if isinstance(network, nn.Module) else getattr(network, "__name__", repr(network))


def network_digest(network: nn.Module) -> str:
    """SHA-256 of the structure and the numbers of a network as given: a run goes on only with the same."""
    digest = hashlib.sha256(repr(network).encode())  # repr holds what has no numbers: order, strides, p of dropout
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        # as bytes: numpy has no bfloat16
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def usual_loss(label_smoothing: float) -> Loss:
    """Cross entropy."""
    def loss(scores: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(scores, labels, label_smoothing=label_smoothing)

    return loss


def right_answers(scores: Any, labels: Any) -> Tensor:
    """Whether the largest score is that of the label.

    Raises
    ------
    UsageError
        Outputs and targets are not scores of classes and their numbers.
    """
    classes = isinstance(scores, Tensor) and isinstance(labels, Tensor) and scores.ndim >= 2 and scores.shape[1] > 1
    if not classes or labels.is_floating_point() or scores.argmax(1).shape != labels.shape:
        found = " and ".join(
            f"{part.dtype} {tuple(part.shape)}" if isinstance(part, Tensor) else type(part).__name__
            for part in (scores, labels)
        )
        raise UsageError(
            f"accuracy needs scores (items, two classes or more) and whole-numbered labels (items), not {found}: give "
            "score=, a function of outputs and targets with a number in 0 .. 1 an item"
        )
    right: Tensor = scores.argmax(1) == labels
    return right
