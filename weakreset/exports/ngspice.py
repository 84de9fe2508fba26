"""Subcircuits and a bench for ngspice: drawn devices whose resistance depends on the number of RESET pulses.

A pulse counts once, whatever its width: two latches, the master moves to slave + 1 while the cell sees more than
the threshold, the slave follows it in between. What noise the numpy model gave a device is a table over that count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import UsageError
from weakreset.exports.drift_text import expression
from weakreset.exports.target import ExportSettings, Pulse, Target, header, pulse_of, refuse_many
from weakreset.model import SHAPES, SimulatedTraces
from weakreset.parameter_file import ParameterFile
from weakreset.twin import simulate_population

__all__ = ["NGSPICE"]

_LIBRARY = ".lib"
_TAKEN = frozenset(
    "pulse_threshold_v latch_tau_s p n s m w x time temper hertz pi e and or not div mod if else end defined "
    "abs min max exp ln log pow sqrt sin cos tan sgn int floor ceil nint agauss gauss unif aunif limit pwr".split()
)
_MOST_NUMBERS = 2_000_000


def _write(params: ParameterFile, settings: ExportSettings) -> str:
    refuse_many(settings, _MOST_NUMBERS, "a deck")
    seen = simulate_population(params, settings.devices, settings.pulses, settings.seed)
    pulse = pulse_of(params)
    lines = [f"* {line}" for line in _about(params, settings, pulse)]
    lines += _cell(params, pulse)
    for i in range(settings.devices):
        lines += _device(seen, i)
    for k in range(settings.devices // 2):
        lines += _pair(k)
    if settings.ending != _LIBRARY:
        lines += _bench(settings, pulse)
    return "\n".join(lines) + "\n"


def _about(params: ParameterFile, settings: ExportSettings, pulse: Pulse) -> list[str]:
    error = ["ln R within 1e-5 of the numpy model between pulses, where pulses and pauses last 25 latch_tau_s or more"]
    left_out = [
        f"noise beyond pulse {settings.pulses}: it stays at its last value; other noise needs another --seed",
        "SET: a cell is fresh where the simulation starts (use uic), and stays in that cycle",
        "voltage, width: a pulse above pulse_threshold_v counts once, whatever else it is",
    ]
    if params.reset_pulse is None:
        left_out.append(pulse.assumed)
    return header(params, "RRAM cells for ngspice", settings, error, left_out)


def _cell(params: ParameterFile, pulse: Pulse) -> list[str]:
    shape = SHAPES[params.model]
    taken = [name.lower() for name in shape.parameters]
    if len({*taken}) < len(taken) or _TAKEN & {*taken}:
        raise UsageError(
            f"drift {shape.name!r}: ngspice cannot tell its numbers {', '.join(shape.parameters)} from each other "
            "or from its own words (capitals do not count); --to devices writes them as a table"
        )
    names = {name: f"{{{name}}}" for name in shape.parameters} | {"t": "max(V(s), 0.5)"}
    own = " ".join(f"{name}=1" for name in shape.parameters)
    return [
        f".subckt weakreset_cell p n s x params: r0_ohm=1 {own} pulse_threshold_v={pulse.threshold_v:.9g} "
        f"latch_tau_s={pulse.tau_s:.9g}",
        "* m and s: latches that count the pulses of p against n; x: the noise in ln R",
        # charged through 1 nF: V approaches its goal with latch_tau_s while it follows, and holds otherwise
        "Bm 0 m I = V(p,n) > {pulse_threshold_v} ? 1e-9*(V(s) + 1 - V(m))/{latch_tau_s} : 0",
        "Bs 0 s I = V(p,n) > {pulse_threshold_v} ? 0 : 1e-9*(V(m) - V(s))/{latch_tau_s}",
        "Cm m 0 1n IC=0",
        "Cs s 0 1n IC=0",
        "Rm m 0 1e15",  # a DC path, which SPICE asks for; far slower than any run
        "Rs s 0 1e15",
        *_wrapped(f"Bw w 0 V = V(s) < 0.5 ? 0 : {expression(shape, names)} + V(x)"),  # pulse 0: w = 0, fresh
        "Bc p n I = V(p,n)/({r0_ohm}*exp(V(w)))",
        ".ends",
    ]


def _device(seen: SimulatedTraces, i: int) -> list[str]:
    own = {"r0_ohm": seen.devices.r0_ohm[i]} | {name: values[i] for name, values in seen.devices.drift.items()}
    # the drift that was added, so that the sum in the circuit is the log ratio of the model
    noise = seen.log_ratio[i, 1:] - seen.devices.mean_log_ratio(seen.pulses[1:])[i]
    numbers = " ".join(f"{name}={value:.12g}" for name, value in own.items())
    return [
        f".subckt weakreset_{i} p n",
        *_wrapped(f"Xcell p n s x weakreset_cell {numbers}"),
        *_wrapped(f"Bx x 0 V = {_table(noise)}"),
        ".ends",
    ]


def _table(noise: NDArray[np.float64]) -> str:
    """A value for each whole count: level around the count, and between counts a slope that only a pulse passes."""
    if not np.any(noise):
        return "0"
    points = [(0.0, 0.0)]
    for k, value in enumerate(noise.tolist(), 1):
        points += [(k - 0.1, value), (k + 0.1, value)]  # the latch ends near k, not at it
    return "pwl(V(s), " + ", ".join(f"{at:.9g},{value:.9g}" for at, value in points) + ")"


def _pair(k: int) -> list[str]:
    return [
        f".subckt weakreset_pair_{k} bl blb wl sl",
        f"* a weight: device {2 * k} on BL, {2 * k + 1} on BLb, with select transistors; sign of I(BL) - I(BLb)",
        f"X1 bl a weakreset_{2 * k}",
        "M1 a wl sl 0 weakreset_select W=20u L=0.1u",
        f"X2 blb b weakreset_{2 * k + 1}",
        "M2 b wl sl 0 weakreset_select W=20u L=0.1u",
        ".model weakreset_select NMOS(level=1 vto=0.4 kp=1.5e-4)",
        ".ends",
    ]


def _bench(settings: ExportSettings, pulse: Pulse) -> list[str]:
    """Every device and every pair under the same pulses, a read between two; the bench pulses BL of the pairs."""
    devices, pairs = range(settings.devices), range(settings.devices // 2)
    period, edge = pulse.period_s, pulse.edge_s
    high = pulse.voltage_v - pulse.read_v
    lines = ["* the bench: a pulse each period, reads between them"]
    lines += [
        f"Vbias bias 0 {pulse.read_v:.9g}",
        f"Vpulse line bias PULSE(0 {high:.9g} {pulse.width_s:.9g} {edge:.9g} {edge:.9g} {pulse.width_s:.9g} "
        f"{period:.9g})",
        "Vwl wl 0 2.5",
    ]
    lines += [f"V{i} line d{i} 0\nX{i} d{i} 0 weakreset_{i}" for i in devices]
    lines += [
        f"Vbl{k} line bl{k} 0\nVblb{k} bias blb{k} 0\nXpair{k} bl{k} blb{k} wl 0 weakreset_pair_{k}" for k in pairs
    ]
    seen = ["v(line)", *(f"i(V{i})" for i in devices)]
    seen += [f"i({name}{k})" for k in pairs for name in ("Vbl", "Vblb")]
    step = pulse.width_s / 50  # 25 latch times a pulse: two steps in each
    return [
        *lines,
        f".tran {step:.9g} {(settings.pulses + 0.5) * period + edge:.9g} 0 {step:.9g} uic",
        ".control",
        "run",
        "set wr_singlescale",
        "set wr_vecnames",
        "wrdata weakreset.txt " + " ".join(seen),
        "quit",
        ".endc",
        ".end",
    ]


def _wrapped(line: str, width: int = 900) -> list[str]:
    """Long lines of SPICE go on after a plus; broken between words."""
    lines, rest = [], line
    while len(rest) > width:
        at = rest.rindex(" ", 0, width)
        lines.append(rest[:at])
        rest = "+ " + rest[at + 1 :]
    return [*lines, rest]


NGSPICE = Target("ngspice", (".cir", _LIBRARY), 4, _write)
