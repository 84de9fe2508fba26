"""Rules 4 and 8: what is no weak-RESET run, runs in another direction, and folders in which some files are broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.lab_files.bench import Bench, inverse, kind, long_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot, Readings, six_digits
from tests.lab_files.sheet import ALL, EXCEL, TEXT, Sheet

TABLES = TEXT + EXCEL + ("parquet", "tdms")


@kind("endurance table", 4, TABLES)
def _(bench: Bench) -> Case:
    k = 60
    on, off = (np.round(level * np.exp(0.1 * bench.rng.standard_normal(k)), 1) for level in (650.0, 1.7e4))
    names, columns = ["Cycle", "R_on(Ohm)", "R_off(Ohm)"], [list(range(1, k + 1)), on.tolist(), off.tolist()]
    if bench.rng.random() < 0.5:
        names = bench.pick([["Cycle", "R_LRS (ohm)", "R_HRS (ohm)"], ["Cycle number", "LRS", "HRS"],
                            ["cycle", "Ron", "Roff"]])  # fmt: skip
    if bench.rng.random() < 0.5:
        names += ["I_on(A)", "I_off(A)", "R_window"]
        columns += [(2 / on).tolist(), (2 / off).tolist(), (off / on).tolist()]
    return Case(bench.write(Sheet(names, columns)), None, must_refuse="(?i)endurance", no_way="@row", ways=[])


@kind("potentiation beside depression", 4, TABLES)
def _(bench: Bench) -> Case:
    k = 50
    lot = bench.lot(n=1, k=k, level_ohm=1.2e4)
    fall = inverse(1.0)
    down = [fall(ohm) for ohm in lot.ohm[0, 0]]
    up = [fall(ohm) for ohm in lot.ohm[0, 0, ::-1] * 1.01]
    word = bench.pick(["Pulse", "Time[ns]"])
    step = 1 if word == "Pulse" else 1.2
    axis = [step * i for i in range(k)]
    one, two = bench.pick([("LTP", "LTD"), ("potentiation", "depression"), ("Potentiation", "Depression")])
    names = [f"{word}_{one}", f"Conductance_{one}", f"{word}_{two}", f"Conductance_{two}"]
    ways: list[Readings] = [
        {("*", 0, i): 1 / float(g) for i, g in enumerate(curve)} for curve in (down, up)
    ]
    return Case(
        bench.write(Sheet(names, [axis, up, list(axis), down])), None,
        must_refuse="(?i)LTP|potentiation", ways=ways,
    )  # fmt: skip


@kind("retention record", 4, TABLES)
def _(bench: Bench) -> Case:
    k = 50
    times = np.unique(np.round(np.geomspace(1, 1e5, k), 1))
    ohm = np.round(4e4 * np.exp(0.01 * bench.rng.standard_normal(len(times))) * times**0.01, 1)
    word = bench.pick(["time_s", "Time (s)", "t [s]", "Retention time (s)"])
    names, columns = [word, "resistance_ohm"], [times.tolist(), ohm.tolist()]
    if bench.rng.random() < 0.5:
        names, columns = ["device", *names], [["A"] * len(times), *columns]
    path = bench.write(Sheet(names, columns))
    return Case(path, None, must_refuse="(?i)retention|time", no_way="@row", ways=[])


@kind("sweep of voltage", 4, TABLES)
def _(bench: Bench) -> Case:
    up = np.round(np.linspace(-1, 1, 41), 3)
    volt = np.concatenate([up, up[::-1]])
    amp = volt / 2e4 + 1e-5 * volt**3
    names = bench.pick([["V", "I"], ["Voltage (V)", "Current (A)"], ["AV", "AI"], ["V_cell [V]", "I_cell [A]"]])
    path = bench.write(Sheet(names, [volt.tolist(), amp.tolist()]))
    return Case(path, None, must_refuse="(?i)sweep|voltage", no_way="@row", ways=[])


@kind("sweep of voltage with resistances", 4, TABLES)
def _(bench: Bench) -> Case:
    up = np.round(np.linspace(0.05, 2, 60), 3)
    ohm = np.round(2e4 / (1 + up), 1)
    path = bench.write(Sheet(["Voltage (V)", "Resistance (ohm)"], [up.tolist(), ohm.tolist()]))
    return Case(path, None, must_refuse="(?i)sweep|voltage", no_way="@row", ways=[])


@kind("readings whose pulses are not told", 4, TABLES)
def _(bench: Bench) -> Case:
    """Only a column of resistances: rows may be pulses, but the file does not say so."""
    lot = bench.lot(n=1)
    path = bench.write(Sheet(["Resistance (ohm)"], [lot.ohm[0, 0].tolist()]))
    return Case(path, None, must_refuse="(?i)pulse", ways=[Lot(["*"], lot.pulses, lot.ohm).readings()])


@kind("a row a cell, voltages before the reads", 4, ("tab", "csv"))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=5, k=100)
    lines = [
        [f"{12.0 * i:.3f}", "3.300", "3.200", *(f"{ohm:.3f}" for ohm in lot.ohm[i, 0])] for i in range(lot.n)
    ]
    mark = "\t" if bench.reader == "tab" else ","
    path = bench.folder / ("cells.tsv" if bench.reader == "tab" else "cells.csv")
    path.write_text("\n".join(mark.join(line) for line in lines) + "\n")
    named = Lot([f"{12 * i}" for i in range(lot.n)], lot.pulses, lot.ohm).readings()
    plain = Lot([f"{12 * i}.000" for i in range(lot.n)], lot.pulses, lot.ohm).readings()
    return Case(path, None, must_refuse="(?i)header", ways=[named, plain])


# -- another direction --------------------------------------------------------------------------------------------


@kind("gradual SET", 4, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=2, k=60)
    fall = -2.2 * (1 - np.exp(-np.arange(60) / 25)) + 0.01 * bench.rng.standard_normal(lot.ohm.shape)
    lot = Lot(lot.names, lot.pulses, six_digits(lot.ohm[:, :, :1] * np.exp(fall)))
    words = r"(?i)\bSET\b|falls|falling"
    return Case(bench.write(long_sheet(lot)), lot.readings(), says=words, refusal=words)


@kind("ramps up and down under a running counter", 4, TABLES)
def _(bench: Bench) -> Case:
    ramps, k = 6, 40
    rise = np.exp(np.linspace(0, 1.2, k))
    level = 1e4 * np.exp(0.01 * bench.rng.standard_normal((ramps, k)))
    ohm = level * np.array([rise if r % 2 == 0 else rise[::-1] for r in range(ramps)])
    gram = [float(f"{1 / value:.6g}") for value in ohm.ravel()]
    path = bench.write(Sheet(["pulse", "conductance_S"], [list(range(ramps * k)), gram]))

    def look(traces: Any) -> str:
        whole = 1 / np.array(gram)
        for trace in traces:
            reads = trace.resistance_ohm  # printed values come twice now and then, stretches do not
            windows = np.lib.stride_tricks.sliding_window_view(whole, len(reads))
            starts = np.flatnonzero(np.all(np.abs(windows / reads - 1) < 1e-9, axis=1)).tolist()
            if len(starts) != 1:
                return f"{trace.key} is not a stretch of the record"
            places = range(starts[0], starts[0] + len(reads))
            halves = [sum(place // k == half for place in places) for half in range(ramps)]
            if sorted(halves)[-2] > 2:
                return f"{trace.key} has {len(trace)} reads of more than one ramp"
        return ""

    return Case(path, None, look=look, refusal=r"(?i)ramp|\bSET\b|cycle|falls|up and down")


# -- folders ------------------------------------------------------------------------------------------------------


def _broken(folder: Path) -> list[Path]:
    (folder / "broken.csv").write_text("nothing,of,use\na,b,c\n")
    (folder / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 40)
    (folder / "empty.csv").write_text("")
    return [folder / "broken.csv", folder / "cut.h5", folder / "empty.csv"]


@kind("a folder in which some files cannot be read", 8, ("csv", "xlsx", "hdf5"))
def _(bench: Bench) -> Case:
    bench.write(long_sheet(bench.lot()))
    bad = _broken(bench.folder)
    words = "(?s)" + "".join(f"(?=.*{path.name})" for path in bad)
    return Case(bench.folder, None, must_refuse=words, ways=[], names_file=False)
