"""Parameter groups of optimizers for devices: device weights apart from digital numbers, every key known."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from weakreset.errors import SimulationError
from weakreset.simulation.differential_pair import DifferentialPair, pair_of

__all__ = ["check_schedule", "largest_update", "refuse_twins", "split"]

_ALWAYS = ("params", "lr", "digital_lr", "role", "name")
_OF_SCHEDULERS = ("initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "swa_lr")

_TOO_FAST = 10.0
"""Times its own rate: no schedule of batch norm rises that far; one meant for pulses does."""


def split(
    group: dict[str, Any], rates: tuple[float, float], known: Collection[str], what: str
) -> list[dict[str, Any]]:
    """Two groups for the one given: device weights and the rest.

    Parameters
    ----------
    group : dict
        As for torch's optimizers; its `params` may be (name, Parameter) too.
    rates : tuple of float
        Of devices and of digital numbers, where a group names none. A group without device weights takes its `lr` as
        the digital rate; one with both takes `lr` for the devices and `digital_lr` for the rest.
    known : collection of str
        Keys that mean something, besides those that every group has.
    what : str
        The optimizer, for errors.

    Raises
    ------
    SimulationError
        A key that the optimizer does not know.
    """
    _check_keys(group, known, what)
    members, groups = _members(group["params"]), []
    devices, others = ([p for p in members if (pair_of(p) is not None) == held] for held in (True, False))
    kept = {key: value for key, value in group.items() if key not in ("params", "digital_lr")}
    if devices:
        groups.append({"lr": rates[0], **kept, "params": devices, "role": "device"})
    if others:
        # a group with device weights means pulses by `lr`; one without means the rate that its batch norm is to have
        own = group.get("digital_lr", rates[1] if devices else group.get("lr", rates[1]))
        groups.append({**kept, "lr": own, "params": others, "role": "digital", "own_lr": own})
    return groups


def _members(params: Any) -> list[Any]:
    """Parameters of a group; of `named_parameters()` too."""
    found = list(params) if isinstance(params, Iterable) and not hasattr(params, "grad") else [params]
    return [entry[1] if isinstance(entry, tuple) else entry for entry in found]


def _check_keys(group: dict[str, Any], known: Collection[str], what: str) -> None:
    usual = [*_ALWAYS, *known]
    if "params" not in group:
        raise SimulationError(f"{what}: a parameter group needs 'params'; this one has {', '.join(map(repr, group))}")
    for key in group:
        if key not in (*usual, *_OF_SCHEDULERS, "own_lr"):
            near = difflib.get_close_matches(key, usual, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise SimulationError(
                f"{what}: a parameter group has {key}={group[key]!r}, which this optimizer does not know; {hint}It "
                f"takes {', '.join(sorted(usual))}"
            )


def refuse_twins(pairs: Iterable[DifferentialPair]) -> None:
    """Raise for two layers that would share devices and noise."""
    seen: dict[int, DifferentialPair] = {}
    for pair in pairs:
        twin = seen.setdefault(int(pair.array.clock[0]), pair)
        if twin is not pair:
            raise SimulationError(
                f"two layers of shape {pair.shape} have the same seed and would share devices and noise; "
                "give them different seeds, or use convert()"
            )


def check_schedule(groups: Sequence[dict[str, Any]]) -> None:
    """Raise for a schedule that gave batch norm and biases the rate of the devices.

    `OneCycleLR(optimizer, max_lr=6)` sets every group to the same rate; so does a loop over `param_groups`.
    """
    rates = {float(group["lr"]) for group in groups if group["role"] == "device"}
    for group in groups:
        own = group.get("own_lr", math.inf)
        # the very rate of the devices, and far above its own: a schedule that multiplies keeps the two apart, one that
        # sets does not
        if group["role"] == "digital" and group["lr"] in rates and group["lr"] > _TOO_FAST * own:
            roles = ", ".join(str(one["role"]) for one in groups)
            wanted = [one["lr"] if one["role"] == "device" else one.get("own_lr") for one in groups]
            raise SimulationError(
                f"a schedule gave batch norm and biases the rate of the device weights, {group['lr']:g} instead of "
                f"about {own:g}: rates of schedulers must be lists with one entry a group (here {roles}), as in "
                f"OneCycleLR(optimizer, max_lr={wanted})"
            )


def largest_update(betas: tuple[float, float]) -> float:
    """A bound on the size of Adam's update: by Cauchy and Schwarz, for a gradient of any history.

    (1 - b1) sum b1^k g_k over sqrt((1 - b2) sum b2^k g_k^2) is at most (1 - b1) sqrt(sum (b1^2 / b2)^k / (1 - b2)).
    """
    beta1, beta2 = betas
    ratio = beta1**2 / beta2 if beta2 > 0 else math.inf  # >= 1: a history of rising gradients has no bound
    if ratio >= 1 or beta2 >= 1:
        return math.inf
    # at least 1: the first step has a history of one gradient, and its update is its sign
    return max(1.0, (1 - beta1) / math.sqrt((1 - beta2) * (1 - ratio)))
