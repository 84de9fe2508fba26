"""Source text for IBM's aihwkit: an analog weight is how far ln R of one device has moved under its RESET pulses.

aihwkit's piecewise device moves by dwmin_up f(w / max_bound) a pulse: f is one curve for a tile, on equidistant nodes,
dwmin_up and max_bound are hidden parameters of every device. (aihwkit: Rasch et al., AICAS 2021, arXiv 2104.02184.) So
each device gets its own first step and its own scale, at which the knees of all fall on one place of f. The scale is
chosen among a few by what it leaves, and what is left is said in the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import UsageError
from weakreset.exports.target import ExportSettings, Target, header, noise_words, refuse_many
from weakreset.model import Devices
from weakreset.parameter_file import ParameterFile
from weakreset.twin import simulate_population

__all__ = ["AIHWKIT", "moved"]

Array = NDArray[np.float64]

_NODES = 63  # its GPU code holds at most 64; 33 leave half as much again
_KNEE_AT = (31, 15, 7)  # the node that knees fall on, or half a node before the next one
_ENDS = (1, 3, 10)  # times the pulses asked for: where a scale ends that is not the knee's
_FARTHEST = 300
_FEWEST_PULSES = 10
_MOST_NUMBERS = 20_000_000


@dataclass(frozen=True)
class _Plan:
    """Hidden parameters of the devices, the nodes, and ln R as the update rule moves it."""

    step: Array
    bound: Array
    nodes: Array
    made: Array
    miss: float


def moved(step: Array, bound: Array, nodes: Array, n_pulses: int) -> Array:
    """The update rule: weights after 1 .. n_pulses up pulses from 0, without noise; shape (n_devices, n_pulses)."""
    sections = len(nodes) - 1
    w, out = np.zeros(len(step)), np.empty((len(step), n_pulses))
    per_w = sections / np.where(bound > 0, bound, 1.0)
    for k in range(n_pulses):
        at = w * per_w
        i = np.minimum(at.astype(np.int64), sections - 1)
        t = np.minimum(at - i, 1.0)
        # aihwkit's rule: dw = dwmin_up times f, linear between nodes, at w / max_bound; clipped at max_bound
        w = np.minimum(w + step * ((1.0 - t) * nodes[i] + t * nodes[i + 1]), bound)
        out[:, k] = w
    return out


def _write(params: ParameterFile, settings: ExportSettings) -> str:
    if settings.pulses < _FEWEST_PULSES:
        raise UsageError(f"--pulses {settings.pulses}: a curve needs at least {_FEWEST_PULSES}")
    refuse_many(settings, _MOST_NUMBERS, "a file")
    devices = simulate_population(params, settings.devices, 1, settings.seed).devices
    sign = -1.0 if params.direction == "set" else 1.0
    law = sign * _drift(devices, np.arange(1, settings.pulses + 1))
    if not np.all(np.isfinite(law)) or np.any(np.diff(law, axis=1, prepend=0.0) < 0) or not np.any(law[:, -1] > 0):
        raise UsageError(
            f"{params.name}: devices that do not move, or turn back, within {settings.pulses} pulses have no such steps"
        )
    plan = min(_plans(devices, law, sign), key=lambda plan: plan.miss)  # one at a time: each is as large as the law
    return "\n".join([*(f"# {line}" for line in _about(params, settings, law, plan)), *_source(plan, sign)]) + "\n"


def _drift(devices: Devices, pulses: NDArray[np.int64]) -> Array:
    """Without the offset of the first pulse."""
    return devices.mean_log_ratio(pulses) - devices.drift[devices.shape.offset][:, None]


def _plans(devices: Devices, law: Array, sign: float) -> Iterator[_Plan]:
    """One for every scale that is tried."""
    n_pulses, sections = law.shape[1], _NODES - 1
    # farther than asked for: else only devices that move fast would say what the last nodes are
    far = np.unique(np.geomspace(n_pulses, _FARTHEST * n_pulses, 200).astype(np.int64))[1:]
    pulses = np.concatenate([np.arange(n_pulses + 1), far])
    path = np.concatenate([np.zeros((len(law), 1)), law, sign * _drift(devices, far)], axis=1)
    bounds = [path[:, np.searchsorted(pulses, n_pulses * times)] for times in _ENDS]
    if knee := devices.shape.knee:
        numbers = (devices.drift[name] for name in devices.shape.parameters)
        at_knee = sign * (devices.shape.value(devices.drift[knee], *numbers) - devices.drift[devices.shape.offset])
        bounds += [at_knee * sections / (node + part) for node in _KNEE_AT for part in (0.0, 0.5)]
    return (_plan(law, path, pulses, bound) for bound in bounds)


def _plan(law: Array, path: Array, pulses: NDArray[np.int64], bound: Array) -> _Plan:
    """`path`: ln R at `pulses`, from 0 on and farther than `law` goes."""
    step, steps = path[:, 1], np.diff(path, axis=1) / np.diff(pulses)
    # the mean step of the devices that come to a node, against the mean of their first steps
    reached, first, nodes = np.zeros(_NODES), np.zeros(_NODES), np.ones(_NODES)
    share = np.linspace(0.0, 1.0, _NODES)
    for own, jumps, top, begin in zip(path, steps, bound, step, strict=True):
        there = share * top <= own[-2]
        # sums, not means of ratios: a device counts by its first step, which f multiplies
        reached[there] += np.interp(share[there] * top, own[:-1], jumps)
        first[there] += begin
    known = first > 0
    nodes[known] = reached[known] / first[known]
    nodes[~known] = nodes[known][-1] if known.any() else 1.0  # where no device came
    made = moved(step, bound, nodes, law.shape[1])
    return _Plan(step, bound, nodes, made, _rms(made - law))


def _rms(miss: Array) -> float:
    return float(np.sqrt(np.mean(miss**2)))


def _about(params: ParameterFile, settings: ExportSettings, law: Array, plan: _Plan) -> list[str]:
    each = np.sqrt(np.mean((plan.made - law) ** 2, axis=1))
    span = f"{settings.pulses} pulses on {settings.devices} drawn devices"
    error = [
        f"ln R of a device lies {plan.miss:.2g} (root mean square, {span}) beside our model; "
        f"of the worst {each.max():.2g}",
        f"the devices differ by {law[:, -1].std():.2g} (standard deviation at the last pulse); one mean curve for all "
        f"lies {_rms(law - law.mean(axis=0)):.2g} beside theirs",
        "worked out by aihwkit's documented update rule, without aihwkit",
    ]
    left_out = [
        "what each device does after its knee for itself (m2 / m1): all have the mean; scales stop at max_bound",
        f"{noise_words(params)}: aihwkit's noise of a write is white and has no memory",
        "R0, and the offset of the first pulse: weights begin at 0",
        "the sign of a pair: a weight is one device; two tiles and a sign make a 2T2R weight",
        "SET: set weights to 0; noise of the read: aihwkit's forward pass has its own",
    ]
    return header(params, "devices for aihwkit", settings, error, left_out)


def _source(plan: _Plan, sign: float) -> list[str]:
    ratio = "ln(R/R0)" if sign > 0 else "ln(R0/R)"
    return [
        "import torch",
        "from aihwkit.simulator.configs import SingleRPUConfig",
        "from aihwkit.simulator.configs.devices import PiecewiseStepDevice",
        "",
        f"NODES = {_numbers(plan.nodes)}",
        f"DWMIN_UP = {_numbers(plan.step)}",
        f"MAX_BOUND = {_numbers(plan.bound)}",
        "",
        "",
        "def rpu_config():",
        f'    """A weight is {ratio} of one device; up pulses are its pulses, down pulses do nothing."""',
        "    device = PiecewiseStepDevice(",
        f"        w_min=0.0, w_max={float(np.mean(plan.bound))!r}, dw_min={float(np.mean(plan.step))!r},",
        "        w_min_dtod=0.0, w_max_dtod=0.0, dw_min_dtod=0.0, dw_min_std=0.0, up_down=0.0, up_down_dtod=0.0,",
        "        piecewise_up=NODES, piecewise_down=NODES,",
        "    )",
        "    return SingleRPUConfig(device=device)",
        "",
        "",
        "def set_devices(tile, first=0):",
        '    """Give the weights of a tile the numbers of the drawn devices first, first + 1, ..., row by row."""',
        "    hidden = tile.get_hidden_parameters()",
        '    like = hidden["dwmin_up"]',
        "    last = first + like.numel()",
        "    if last > len(DWMIN_UP):",
        '        raise ValueError(f"{last} devices needed, {len(DWMIN_UP)} are here: export with --devices {last}")',
        "    own = {",
        '        "dwmin_up": torch.tensor(DWMIN_UP[first:last]), "max_bound": torch.tensor(MAX_BOUND[first:last]),',
        '        "dwmin_down": torch.zeros(like.numel()), "min_bound": torch.zeros(like.numel()),',
        "    }",
        "    for name, values in own.items():",
        "        hidden[name] = values.reshape(like.shape).to(like)",
        "    tile.set_hidden_parameters(hidden)",
    ]


def _numbers(values: Array) -> str:
    """As a list, lines of some 100 characters; aihwkit has single precision."""
    lines, line = [], "   "
    for value in values.tolist():
        word = f" {value:.8g},"
        if len(line) + len(word) > 110:
            lines.append(line)
            line = "   "
        line += word
    return "\n".join(["[", *lines, line, "]"])


AIHWKIT = Target("aihwkit", (".py",), 1000, _write)
