"""Write the simulated sample traces of this folder: `make data`. Same seed, same bytes.

Three lots of one technology (the published laws of Majumdar et al. 2021), as three laboratories might
export them, with a few broken devices and readings of the kind every wafer has; and a table of another technology.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from weakreset.parameter_file import majumdar2021, new_parameters
from weakreset.traces import PulseTrace, SourceFile, TraceSet, write_csv_long, write_csv_wide, write_hdf5
from weakreset.twin import simulate_population, simulate_traces

HERE = Path(__file__).parent
SEED = 2021
N_PULSES = 1000
LOTS = {"a": 40, "b": 60, "c": 100}
GRADUAL_SET = {  # nobody's numbers: each pulse lowers R, by less and less
    "name": "gradual-set", "cite": "invented for the sample data",
    "drift": "saturating-exponential", "direction": "set",
    "r0_ohm": {"family": "lognormal", "median": "130 kohm", "sigma_ln": 0.08},
    "rise": {"family": "lognormal", "median": 0.9, "sigma_ln": 0.15},
    "tau": {"family": "lognormal", "median": "30 pulses", "sigma_ln": 0.35},
    "c1": {"mean": 0.0, "sd": 0.02},
    "pink": {"alpha": "0.8 %", "exponent": 0.9},
}


def lot(letter: str, n_devices: int, seed: int) -> TraceSet:
    """One lot: devices named by letter, row and column; read to 0.1 ohm."""
    made = simulate_population(majumdar2021(), n_devices, N_PULSES, seed)
    resistance = np.round(made.resistance_ohm(), 1)
    names = [f"{letter.upper()}{i // 10:02d}{i % 10}" for i in range(n_devices)]
    source = SourceFile("data/generate.py", "0" * 64, "simulation", "published laws of Majumdar et al. 2021", True)
    return TraceSet.from_arrays(names, made.pulses, resistance, (source,))


def with_broken_devices(traces: TraceSet) -> TraceSet:
    """Lot a: one stuck device, one open one, and one that was stopped early."""
    changed = {trace.device: trace for trace in traces}
    stuck, opened, stopped = (changed[name] for name in ("A007", "A018", "A029"))
    changed["A007"] = PulseTrace(stuck.device, stuck.pulses, np.full(len(stuck), stuck.resistance_ohm[0]))
    rng = np.random.default_rng(SEED + 9)
    changed["A018"] = PulseTrace(opened.device, opened.pulses, np.round(3.2e7 * np.exp(0.02 * rng.random(len(opened)))))
    changed["A029"] = PulseTrace(stopped.device, stopped.pulses[:21], stopped.resistance_ohm[:21])
    return TraceSet(tuple(changed.values()), sources=traces.sources)


def spoil_readings(path: Path) -> None:
    """Two readings of lot a that no instrument should have written: an empty cell and a zero."""
    lines = path.read_text().splitlines()
    for at, text in ((100, ""), (2300, "0.0")):
        cells = lines[at].split(",")
        lines[at] = ",".join([*cells[:-1], text])
    path.write_text("\n".join(lines) + "\n")


def write_conductances(path: Path) -> None:
    """A plain table as a spreadsheet in Europe saves it: conductances in uS, a column a cell, decimal commas."""
    params, _ = new_parameters(GRADUAL_SET)
    traces = list(simulate_traces(params, n_devices=20, n_pulses=150, seed=SEED + 4))
    lines = ["# simulated: true", ";".join(["pulse", *(f"cell {i + 1} [uS]" for i in range(len(traces)))])]
    for pulse, ohms in enumerate(zip(*(trace.resistance_ohm for trace in traces), strict=True)):
        lines.append(";".join([str(pulse), *(f"{1e6 / ohm:.3f}".replace(".", ",") for ohm in ohms)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    lots = {letter: lot(letter, n, SEED + i) for i, (letter, n) in enumerate(LOTS.items())}
    write_csv_long(with_broken_devices(lots["a"]), HERE / "lot_a.csv")
    spoil_readings(HERE / "lot_a.csv")
    write_csv_wide(lots["b"], HERE / "lot_b_wide.csv")
    write_hdf5(lots["c"], HERE / "lot_c.h5")
    write_conductances(HERE / "another_memory.csv")
    for name in ("lot_a.csv", "lot_b_wide.csv", "lot_c.h5", "another_memory.csv"):
        content = (HERE / name).read_bytes()
        print(f"{hashlib.sha256(content).hexdigest()}  {name}  {len(content)} bytes")


if __name__ == "__main__":
    main()
