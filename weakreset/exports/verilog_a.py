"""A Verilog-A module of the device, in the subset that OpenVAF accepts, and a bench for VACASK with drawn devices.

What that subset lacks is built from what it has. `@(cross)`: pairs of latches, a master that moves while the cell sees
more than the threshold and a slave that follows it while the cell sees less than four fifths of it; in between both
hold, so that no edge, however slow, lets a pulse through twice. `$rdist_normal`: a hash of the number of the pulse, the
device's seed and the place of use, in whole numbers below 2^52, which doubles hold exactly in every simulator.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import UsageError
from weakreset.exports.drift_text import expression
from weakreset.exports.target import ExportSettings, Pulse, Target, header, pulse_of
from weakreset.exports.verilog_words import KEYWORDS
from weakreset.model import SHAPES, PinkPoles, fit_pink_poles, stationary_high_probability
from weakreset.parameter_file import ParameterFile
from weakreset.twin import simulate_population

__all__ = ["HASH_KEYS", "HASH_PRIME", "VERILOG_A", "noise_seeds"]

HASH_PRIME = 67108859
"""Largest prime below 2^26 for which cubing is one to one (it is 2 modulo 3): no number of a stream comes back before
all have come. A product of two numbers below it is exact in a double."""

HASH_KEYS = (31415926, 53589793, 23846264, 33832795, 2884197)
"""What is added before each cubing, besides pulse, seed and place: digits of pi, chosen by nobody."""

_BENCH = ".sim"
_MODULE = "weakreset_cell"
_POLES = 4
_HOLDS_FROM = 0.8  # of the threshold: the slave follows below it
_SOFT = 500.0  # thresholds are this many times as high as their edges are wide
_LEAK = 1e-13  # share of 1 / latch_tau_s with which a latch leaks to its start: an operating point, and nothing moves
_MOST_DEVICES = 65536
_MOST_PULSES = 100_000  # of a bench
_OWN = frozenset(
    "r0_ohm rtn_amplitude growing_rtn_amplitude seed alpha read_sd p_up p_down growing_p_up growing_p_down growth "
    "pulse_threshold_v latch_tau_s".split()
)


@dataclass(frozen=True)
class _Parts:
    """What is written, worked out once."""

    params: ParameterFile
    settings: ExportSettings
    pulse: Pulse
    poles: PinkPoles
    own: dict[str, NDArray[np.float64]]
    """Numbers of the drawn devices, by the name of the instance parameter."""
    shared: dict[str, float]

    @property
    def rtn_kinds(self) -> dict[str, str]:
        """Prefix of the telegraph noise in force -> amplitude of a device."""
        return {
            prefix: name
            for prefix, name in (("", "rtn_amplitude"), ("growing_", "growing_rtn_amplitude")) if name in self.own
        }


def noise_seeds(seed: int, n_devices: int) -> list[int]:
    """Seeds of the noise of drawn devices, different for all devices of one export, and of the next seeds."""
    # from 1 on: a range a seed, and no two meet before they have gone round the prime
    return [1 + (seed * _MOST_DEVICES + i) % (HASH_PRIME - 1) for i in range(n_devices)]


def _write(params: ParameterFile, settings: ExportSettings) -> str:
    parts = _parts(params, settings)
    bench = settings.ending == _BENCH
    if bench and settings.pulses > _MOST_PULSES:
        raise UsageError(f"--pulses {settings.pulses}: a bench has at most {_MOST_PULSES}; write the .va alone")
    lines = [f"// {line}" for line in _about(parts)]
    lines += _bench(parts) if bench else [*_module(parts), *_devices(parts)]
    return "\n".join(lines) + "\n"


def _parts(params: ParameterFile, settings: ExportSettings) -> _Parts:
    shape = SHAPES[params.model]
    if taken := sorted((_OWN | KEYWORDS) & {*shape.parameters}):
        raise UsageError(
            f"drift {shape.name!r}: {', '.join(taken)} is a word of Verilog-A or of the module, no name of a number "
            "there; --to devices writes the numbers as a table"
        )
    if settings.devices > _MOST_DEVICES:
        raise UsageError(f"--devices {settings.devices}: at most {_MOST_DEVICES}; --to devices writes any number")
    # the devices of the other targets for this seed; what their noise is there, the module draws for itself
    devices = simulate_population(params, settings.devices, 1, settings.seed).devices
    noise = params.settled(settings.pulses).device_noise(())
    heard = {kind.name: numbers for kind, numbers in noise.audible()}
    own = {"r0_ohm": devices.r0_ohm} | {name: devices.drift[name] for name in shape.parameters}
    shared = {"alpha": noise.alpha, "read_sd": noise.read_sd}
    for kind, prefix in (("rtn", ""), ("growing_rtn", "growing_")):
        if kind in heard:
            own[f"{kind}_amplitude"] = devices.noise_columns[f"{kind}_amplitude"]
            shared |= {f"{prefix}{rate}": heard[kind][rate] for rate in ("p_up", "p_down")}
            shared |= {"growth": heard[kind]["growth"]} if prefix else {}
    own["seed"] = np.array(noise_seeds(settings.seed, settings.devices), dtype=np.float64)
    return _Parts(params, settings, pulse_of(params), fit_pink_poles(noise.exponent, _POLES), own, shared)


def _about(parts: _Parts) -> list[str]:
    poles = parts.poles
    error = ["drift: ln R within 1e-9 of the numpy model, 25 latch_tau_s after pulses that last as long"]
    if parts.shared["alpha"] > 0:
        error.append(
            f"1/f noise: {_POLES} poles, spectrum within {100 * poles.psd_error:.2g} % of 1/f^{poles.exponent:g} from "
            "5e-4 to 0.5 cycles a pulse; what is slower is a level, one a device"
        )
    if parts.rtn_kinds:
        error.append("RTN: the two-state chain of the numpy model, exactly; other draws for another seed")
    unknown = [
        kind.label for kind, _ in parts.params.device_noise(()).audible()
        if kind.name not in ("pink", "rtn", "growing_rtn", "read")
    ]
    left_out = [
        *(f"{name}: a noise that this module does not know" for name in unknown),
        "SET: a cell is fresh where the simulation starts",
        "voltage, width: a pulse above pulse_threshold_v from P to N counts once, whatever else it is",
        "read noise of two reads between the same two pulses: they read the same",
    ]
    if parts.params.reset_pulse is None:
        left_out.append(parts.pulse.assumed)
    what = "RRAM cell in Verilog-A" if parts.settings.ending != _BENCH else "RRAM cells, a bench for VACASK"
    return header(parts.params, what, parts.settings, error, left_out)


def _module(parts: _Parts) -> list[str]:
    # the numbers of the first drawn device are those of an instance that names none
    own = {name: values[0] for name, values in parts.own.items()}
    shape = SHAPES[parts.params.model]
    names = {name: name for name in shape.parameters} | {"t": "max(Pulses, 1.0)"}
    latches = _latches(parts)
    return [
        '`include "disciplines.vams"',
        "",
        f"module {_MODULE}(P, N);",
        "  inout P, N;",
        "  electrical P, N;",
        *(f"  electrical {latch.name}_master, {latch.name};" for latch in latches),
        "  electrical Level;",
        *(f'  (* type="instance" *) parameter real {name} = {value:.17g};' for name, value in own.items()
          if name != "seed"),
        f'  (* type="instance" *) parameter integer seed = {int(own["seed"])};',
        *(f"  parameter real {name} = {value:.17g};" for name, value in parts.shared.items()),
        f"  parameter real pulse_threshold_v = {parts.pulse.threshold_v:.9g};",
        f"  parameter real latch_tau_s = {parts.pulse.tau_s:.9g};",
        "  real Above, Below, Pulses, Next, Draw, Drift, Noise;",
        "",
        *_generator(),
        "",
        "  analog begin",
        f"    Above = 0.5*(1.0 + tanh({_SOFT}*(V(P,N)/pulse_threshold_v - 1.0)));",
        f"    Below = 0.5*(1.0 + tanh({_SOFT}*({_HOLDS_FROM} - V(P,N)/pulse_threshold_v)));",
        "    // whole numbers: what a latch misses of its goal does not add up",
        "    Pulses = floor(V(Count) + 0.5);",
        "    Next = Pulses + 1.0;",
        *(line for latch in latches for line in latch.lines()),
        f"    Drift = {expression(shape, names)};",
        f"    Noise = {_noise(parts)};",
        "    // a jump of the current would stop simulators, which look for ever shorter steps",
        "    I(Level) <+ ddt(V(Level)) + (V(Level) - ((Pulses < 0.5) ? 0.0 : Drift + Noise))/latch_tau_s;",
        "    I(P,N) <+ V(P,N)/(r0_ohm*exp(V(Level)));",
        "  end",
        "endmodule",
    ]


def _generator() -> list[str]:
    first, second, third, fourth, last = HASH_KEYS
    return [
        f"  analog function real Cubed; // modulo {HASH_PRIME}, where it is one to one; exact in doubles",
        "    input X; real X, Rest, Square;",
        "    begin",
        f"      Rest = X - {HASH_PRIME}.0*floor(X/{HASH_PRIME}.0);",
        f"      Square = Rest*Rest - {HASH_PRIME}.0*floor(Rest*Rest/{HASH_PRIME}.0);",
        f"      Cubed = Square*Rest - {HASH_PRIME}.0*floor(Square*Rest/{HASH_PRIME}.0);",
        "    end",
        "  endfunction",
        "  analog function real Hash; // uniform in (0, 1): of a pulse, a device and a place of use",
        "    input Pulse, Key, Place; real Pulse, Key, Place, H;",
        "    begin",
        f"      H = Cubed(Pulse + {first}.0);",
        f"      H = Cubed(H + Key + {second}.0);",
        f"      H = Cubed(H + Place + {third}.0);",
        f"      H = Cubed(H + Key + {fourth}.0);",
        f"      Hash = (Cubed(H + {last}.0) + 0.5)/{HASH_PRIME}.0;",
        "    end",
        "  endfunction",
        "  analog function real Gauss; // normal, from the draws of two places (Box and Muller)",
        "    input Pulse, Key, Place; real Pulse, Key, Place;",
        "    Gauss = sqrt(-2.0*ln(Hash(Pulse, Key, Place)))*cos(6.283185307179586*Hash(Pulse, Key, Place + 1.0));",
        "  endfunction",
    ]


@dataclass(frozen=True)
class _Latch:
    """A state that a pulse moves: where to, from where, and what is worked out before."""

    name: str
    goal: str
    start: str
    before: str = ""

    def lines(self) -> list[str]:
        master, slave = f"{self.name}_master", self.name
        return [
            *([f"    {self.before}"] if self.before else []),
            f"    I({master}) <+ ddt(V({master})) + (Above*(V({master}) - ({self.goal})) "
            f"+ {_LEAK}*(V({master}) - {self.start}))/latch_tau_s;",
            f"    I({slave}) <+ ddt(V({slave})) + (Below*(V({slave}) - V({master})) "
            f"+ {_LEAK}*(V({slave}) - {self.start}))/latch_tau_s;",
        ]


def _latches(parts: _Parts) -> list[_Latch]:
    """The count, a state a pole of the 1/f noise, and one a telegraph noise."""
    latches = [_Latch("Count", "Next", "0.0")]
    for j in _heard_poles(parts):
        decay = parts.poles.decay[j]
        # AR(1), one pulse at a time: y <- a y + sqrt(1 - a^2) xi, from its stationary law
        goal = f"{decay:.17g}*V(Pole{j}) + {np.sqrt(1 - decay**2):.17g}*Gauss(Next, seed, {10 * j}.0)"
        latches.append(_Latch(f"Pole{j}", goal, f"Gauss(0.0, seed, {10 * j}.0)"))
    for place, prefix in enumerate(parts.rtn_kinds, 100):
        up, down, state = f"{prefix}p_up", f"{prefix}p_down", f"{prefix.capitalize()}State"
        high = f"((V({state}) > 0.5) ? 1.0 : 0.0)"
        # a fresh device draws its state from the stationary law, pi = p_up / (p_up + p_down)
        share = stationary_high_probability(parts.shared[up], parts.shared[down])
        # drawn anew with chance p_up + p_down, else kept: the chain of the model. Where the two chances add up to more
        # than one, draws fall into both ranges, and there the state turns over
        goal = (
            f"(Draw < {up}) ? ((Draw >= 1.0 - {down}) ? 1.0 - {high} : 1.0) "
            f": ((Draw >= 1.0 - {down}) ? 0.0 : {high})"
        )
        latches.append(_Latch(
            state, goal, f"((Hash(0.0, seed, {place}.0) < {share:.17g}) ? 1.0 : 0.0)",
            f"Draw = Hash(Next, seed, {place}.0);",
        ))
    return latches


def _heard_poles(parts: _Parts) -> list[int]:
    return [j for j in range(_POLES) if parts.shared["alpha"] > 0 and parts.poles.variance[j] > 0]


def _noise(parts: _Parts) -> str:
    """Of ln R after `Pulses` pulses."""
    poles = parts.poles
    terms = [f"alpha*{np.sqrt(poles.variance[j]):.17g}*V(Pole{j})" for j in _heard_poles(parts)]
    if parts.shared["alpha"] > 0 and poles.slow_variance > 0:
        terms.append(f"alpha*{np.sqrt(poles.slow_variance):.17g}*Gauss(0.0, seed, 200.0)")
    if parts.shared["read_sd"] > 0 or (parts.shared["alpha"] > 0 and poles.white_variance > 0):
        # one draw for both white noises: a read belongs to a pulse here
        white = f"sqrt(alpha*alpha*{poles.white_variance:.17g} + read_sd*read_sd)"
        terms.append(f"{white}*Gauss(Pulses, seed, 210.0)")
    for prefix, amplitude in parts.rtn_kinds.items():
        size = "max(1.0 + growth*Drift, 0.0)*" if prefix else ""
        terms.append(f"{amplitude}*{size}((V({prefix.capitalize()}State) > 0.5) ? 1.0 : 0.0)")
    return " + ".join(terms) or "0.0"


def _devices(parts: _Parts) -> list[str]:
    """The drawn devices as comments: numbers to put on instances."""
    return ["", "// drawn devices, as parameters of instances:"] + [
        f"// {i}: {_numbers(parts, i)}" for i in range(parts.settings.devices)
    ]


def _numbers(parts: _Parts, i: int) -> str:
    return " ".join(f"{name}={int(v[i]) if name == 'seed' else f'{v[i]:.17g}'}" for name, v in parts.own.items())


def _bench(parts: _Parts) -> list[str]:
    """Every device under the same pulses, a read between two; its current is that of its own source of 0 V."""
    pulse, devices = parts.pulse, range(parts.settings.devices)
    period, edge = pulse.period_s, pulse.edge_s
    stop = (parts.settings.pulses + 0.5) * period + edge
    step = pulse.tau_s  # longer steps lose digits of the states
    library = PurePath(_MODULE).with_suffix(".osdi")
    return [
        f"// openvaf-r -o {library} FILE.va; vacask THIS.sim",
        "ground 0",
        f'load "{library}"',
        "model vsource vsource",
        f"model cell {_MODULE}",
        f'vline (line 0) vsource type="pulse" val0={pulse.read_v:.9g} val1={pulse.voltage_v:.9g} '
        f"delay={pulse.width_s:.9g} rise={edge:.9g} fall={edge:.9g} width={pulse.width_s:.9g} period={period:.9g}",
        *(f"cell{i} (line low{i}) cell {_numbers(parts, i)}\nv{i} (low{i} 0) vsource dc=0" for i in devices),
        "control",
        "  options reltol=1e-6",
        f'  analysis weakreset tran stop={stop:.9g} step={step:.9g} maxstep={step:.9g} icmode="op"',
        "endc",
    ]


VERILOG_A = Target("verilog-a", (".va", _BENCH), 4, _write)
