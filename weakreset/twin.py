"""The measured population's double: a parameter file back into traces, in numpy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import ParameterFileError, UsageError
from weakreset.model import SimulatedTraces, check_without, simulate_devices
from weakreset.options import named_options
from weakreset.parameter_file import ParameterFile, draw_cycle, draw_devices, load_parameters
from weakreset.parameter_file.dies import die_of_each
from weakreset.traces import PulseTrace, SourceFile, TraceSet

__all__ = ["extrapolated", "simulate_cycles", "simulate_population", "simulate_traces"]


def simulate_population(
    params: ParameterFile, n_devices: int, n_pulses: int, seed: int | np.random.Generator,
    without: tuple[str, ...] = (), quick: bool = False, dies: NDArray[np.int64] | None = None,
) -> SimulatedTraces:
    """Draw devices from `params` and measure them once after every pulse; with their hidden truth.

    Devices and noise have separate streams: switching an imperfection off keeps all the others. `quick` as in
    `simulate_devices`; `dies`, the die of each device, for a file that says how dies differ.
    """
    params = params.settled(n_pulses)
    rng = np.random.default_rng(seed)
    device_rng, noise_rng = rng.spawn(2)
    on = None if dies is None else (dies, int(rng.integers(2**31)))
    devices = draw_devices(params, n_devices, device_rng, without, dies=on)
    if params.c2c:  # one stream more, only then: files without it keep their bits
        devices = draw_cycle(params, devices, rng.spawn(1)[0], without)
    return simulate_devices(devices, params.device_noise(without), n_pulses, noise_rng, quick)


def simulate_cycles(
    params: ParameterFile, n_devices: int, n_pulses: int, n_cycles: int, seed: int | np.random.Generator,
    without: tuple[str, ...] = (), quick: bool = False,
) -> Iterator[SimulatedTraces]:
    """Cycle after cycle of the same devices, a SET before each; arguments as in `simulate_population`."""
    if n_cycles == 1:
        yield simulate_population(params, n_devices, n_pulses, seed, without, quick)
        return
    params, rng = params.settled(n_pulses), np.random.default_rng(seed)
    own = draw_devices(params, n_devices, rng.spawn(1)[0], without)
    for _ in range(n_cycles):
        cycle_rng, noise_rng = rng.spawn(2)
        now = draw_cycle(params, own, cycle_rng, without)
        yield simulate_devices(now, params.device_noise(without), n_pulses, noise_rng, quick)


@named_options
def simulate_traces(
    params: ParameterFile | str | os.PathLike[str],
    n_devices: int,
    n_pulses: int,
    seed: int | np.random.Generator = 0,
    without: tuple[str, ...] | list[str] | str = (),
    n_cycles: int = 1,
    n_dies: int | None = None,
) -> TraceSet:
    """Simulated traces of `n_devices` fresh devices read at pulses 0, 1, ..., `n_pulses`.

    Parameters
    ----------
    params : ParameterFile, path or preset name
    n_devices, n_pulses : int
    seed : int or numpy.random.Generator
        Same seed, same traces.
    without : sequence of str
        Imperfections to switch off: names of `weakreset.model.imperfections()`, or all. With d2d goes the spread
        between cycles.
    n_cycles : int
        Cycles of each device, a SET before each: noise is drawn anew, and the spread between cycles if the file has it.
    n_dies : int, optional
        Dies that the devices sit on, as many on each as can be, in a column of that name; the file must say how dies
        differ. Unless given, each device stands for a die of its own.

    Returns
    -------
    TraceSet
        Labelled as simulated; devices are named sim0000, sim0001, ... A note says so where they go on for longer than
        the traces that the file was fitted to.

    Raises
    ------
    ParameterFileError
        A law that the devices need is not identifiable in the file, or it says nothing of dies.
    UsageError
        Dies for devices of several cycles, or more dies than devices.
    """
    file, off = load_parameters(params), check_without(without)
    width = max(4, len(str(n_devices - 1)))
    names = [f"sim{i:0{width}d}" for i in range(n_devices)]
    source = SourceFile(f"simulated from {file.name}", "0" * 64, "simulation", "weakreset.simulate_traces", True)
    beyond = extrapolated(file, n_pulses)
    notes = (beyond,) if beyond else ()
    die = None if n_dies is None else _dies(file, n_devices, n_dies, n_cycles)
    if n_cycles == 1:
        measured = simulate_population(file, n_devices, n_pulses, seed, off, dies=die)
        simulated = TraceSet.from_arrays(names, measured.pulses, measured.resistance_ohm(), (source,))
        if die is not None and file.dies is not None:
            labels = [f"{file.dies.column}{number + 1}" for number in die.tolist()]
            simulated = replace(simulated, traces=tuple(
                replace(trace, extras={file.dies.column: np.full(len(trace), label)})
                for trace, label in zip(simulated, labels, strict=True)
            ))
        return replace(simulated, notes=notes)
    cycles = simulate_cycles(file, n_devices, n_pulses, n_cycles, seed, off)
    traces = [
        PulseTrace(name, measured.pulses, measured.resistance_ohm()[i], cycle)
        for cycle, measured in enumerate(cycles)
        for i, name in enumerate(names)
    ]
    return TraceSet(tuple(sorted(traces, key=lambda trace: trace.device)), sources=(source,), notes=notes)


def _dies(file: ParameterFile, n_devices: int, n_dies: int, n_cycles: int) -> NDArray[np.int64]:
    """The die of each device."""
    if file.dies is None:
        raise ParameterFileError(
            f"{file.name} says nothing of dies (no `dies` block): fit traces with a column die, wafer or lot in which "
            "they differ, or simulate without dies"
        )
    if n_cycles > 1:
        raise UsageError(f"dies are drawn for devices of one cycle, not of {n_cycles}: leave one of the two out")
    if not 1 <= n_dies <= n_devices:
        raise UsageError(f"{n_dies} dies for {n_devices} devices: give 1 to {n_devices}")
    return die_of_each(n_devices, n_dies)


def extrapolated(params: ParameterFile, n_pulses: int) -> str:
    """A warning where `n_pulses` go beyond what the file was fitted to; else empty."""
    longest = params.provenance.longest_pulse
    if longest is None or n_pulses <= longest:
        return ""
    return (
        f"{params.name} was fitted to traces of at most {longest} pulses: what its devices do from there up to pulse "
        f"{n_pulses} is extrapolated, and was never measured"
    )
