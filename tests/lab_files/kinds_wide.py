"""Rule 4: wide tables, matrices, and pulse numbers in the names of columns."""

from __future__ import annotations

import h5py
import numpy as np

from tests.lab_files.bench import Bench, digits, inverse, kind, long_sheet, wide_sheet
from tests.lab_files.case import Case
from tests.lab_files.lot import Lot, Readings
from tests.lab_files.sheet import ALL, EXCEL, TEXT, Sheet, lines_of

ROWS = r"(?i)row"


def _extras(bench: Bench, lot: Lot) -> dict[str, list[float]]:
    values = lot.ohm[:, 0]
    return {
        "elapsed_ms": [12.5 * k for k in range(lot.k)], "T_degC": [25 + 0.01 * k for k in range(lot.k)],
        "MIN": values.min(0).tolist(), "MAX": values.max(0).tolist(), "std": values.std(0).tolist(),
        "Temperature": [300.0] * lot.k, "mean": values.mean(0).tolist(), "time (s)": [0.1 * k for k in range(lot.k)],
        "RH_percent": [40.0 + 0.1 * (k % 5) for k in range(lot.k)], "V_read": [0.2] * lot.k,
        "humidity": [41.0] * lot.k, "median": np.median(values, 0).tolist(),
    }  # fmt: skip


@kind("wide with columns that are no devices", 4, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    extras = _extras(bench, lot)
    chosen = bench.rng.permutation(list(extras))[: int(bench.rng.integers(2, 5))]
    sheet = wide_sheet(lot, lot.names)
    at = len(sheet.names) if bench.rng.random() < 0.6 else 1
    for name in chosen:
        sheet.names.insert(at, str(name))
        sheet.columns.insert(at, [float(cell) for cell in extras[name]])
    return Case(bench.write(sheet), lot.readings())


for _extra in ("elapsed_ms", "T_degC", "MIN", "std"):

    @kind(f"wide with {_extra}", 4, ("csv", "xlsx", "parquet", "tdms"))
    def _(bench: Bench, extra: str = _extra) -> Case:
        lot = bench.lot()
        sheet = wide_sheet(lot, lot.names)
        sheet.names.append(extra)
        sheet.columns.append([float(cell) for cell in _extras(bench, lot)[extra]])
        return Case(bench.write(sheet), lot.readings())


@kind("wide with a unit for each device", 4, ALL)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    names = [f"{name} [kohm]" if bench.reader != "matlab" else f"{name}_kohm" for name in lot.names]
    return Case(bench.write(wide_sheet(lot, names, digits(1e-3))), lot.readings())


@kind("wide with the unit at the first device alone", 4, TEXT + EXCEL + ("parquet", "tdms", "hdf5"))
def _(bench: Bench) -> Case:
    lot = bench.lot()
    names = [f"{lot.names[0]} [kohm]", *lot.names[1:]]
    return Case(bench.write(wide_sheet(lot, names, digits(1e-3))), lot.readings())


@kind("pairs of pulse and value, each on its own grid", 4, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    step = [int(s) for s in bench.rng.permutation([1, 2, 5])]
    word = bench.pick(["pulse", "Pulse", "pulse number"])
    names, columns = [], []
    readings: Readings = {}
    for i, name in enumerate(lot.names):
        k = lot.k - 4 * i
        names += [word, bench.pick([name, f"{name} (ohm)"])]
        columns += [[step[i] * p for p in range(k)], lot.ohm[i, 0, :k].tolist()]
        readings |= {(name, 0, step[i] * p): float(lot.ohm[i, 0, p]) for p in range(k)}
    return Case(bench.write(Sheet(names, columns)), readings)


@kind("pairs of pulse and value on one grid", 4, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    names = [word for name in lot.names for word in ("pulse", name)]
    columns = [column for i in range(3) for column in ([int(p) for p in lot.pulses], lot.ohm[i, 0].tolist())]
    return Case(bench.write(Sheet(names, columns)), lot.readings())


@kind("pairs whose pulse columns name the device", 4, ("csv", "tab", "xlsx", "parquet"))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=3)
    names, columns = [], []
    readings: Readings = {}
    for i, name in enumerate(lot.names):
        names += [f"{name}_pulse", f"{name}_R_ohm"]
        columns += [[(i + 1) * p for p in range(lot.k)], lot.ohm[i, 0].tolist()]
        readings |= {(name, 0, (i + 1) * p): float(lot.ohm[i, 0, p]) for p in range(lot.k)}
    return Case(bench.write(Sheet(names, columns)), readings)


# -- a column a device, a row a pulse, and no column of pulses ----------------------------------------------------

DEVICE_NAMES = {
    "Device 1": "Device {}", "R1": "R{}", "cell_01": "cell_{:02d}", "dev-A": "dev-{letter}",
    "Cell1 (Ohm)": "Cell{} (Ohm)", "Resistance_1": "Resistance_{}", "Resistance 1 (ohm)": "Resistance {} (ohm)",
    "Device 1 (ohm)": "Device {} (ohm)", "DUT1": "DUT{}", "W1B1": "W{}B{}", "Resistance_D0": "Resistance_D{}",
}  # fmt: skip


def _named(pattern: str, n: int) -> list[str]:
    return [pattern.format(*([i + 1] * pattern.count("{")), letter=chr(65 + i)) for i in range(n)]


for _name, _pattern in DEVICE_NAMES.items():

    @kind(f"rows are pulses, columns called {_name}", 4, (*TEXT, "xlsx", "parquet", "tdms"))
    def _(bench: Bench, pattern: str = _pattern) -> Case:
        n, k = bench.pick([(5, 60), (12, 45), (48, 32), (40, 40)])
        lot = bench.lot(n=n if "letter" not in pattern else 12, k=k)
        names = _named(pattern, lot.n)
        lot = Lot([name.replace("(Ohm)", "").replace("(ohm)", "") for name in names], lot.pulses, lot.ohm)
        return Case(bench.write(wide_sheet(lot, names, pulse="")), lot.readings(), says=ROWS)


@kind("rows are pulses, devices in sorted order", 4, (*TEXT, "xlsx", "parquet"))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=40, k=int(bench.rng.integers(32, 41)), level_ohm=2e4, spread=0.4)
    lot = Lot(lot.names, lot.pulses, lot.ohm[np.argsort(lot.ohm[:, 0, 0])])
    names = _named(bench.pick(["Device {} (ohm)", "Device {}", "R{}"]), lot.n)
    lot = Lot([name.replace(" (ohm)", "") for name in names], lot.pulses, lot.ohm)
    return Case(bench.write(wide_sheet(lot, names, pulse="")), lot.readings(), says=ROWS)


@kind("rows are pulses, columns called G1 with ohms in them", 4, (*TEXT, "xlsx"))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=8, k=45)
    lot = Lot([f"G{i + 1}" for i in range(8)], lot.pulses, lot.ohm)
    return Case(bench.write(wide_sheet(lot, lot.names, pulse="")), lot.readings())


@kind("rows are pulses, columns called G1 with siemens in them", 4, (*TEXT, "xlsx"))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=8, k=45)
    lot = Lot([f"G{i + 1}" for i in range(8)], lot.pulses, lot.ohm)
    return Case(bench.write(wide_sheet(lot, lot.names, inverse(1.0), pulse="")), lot.readings())


@kind("a matrix without header", 4, (*TEXT, "xlsx", "matlab"))
def _(bench: Bench) -> Case:
    n, k = bench.pick([(5, 60), (45, 32), (40, 40)])
    lot = bench.lot(n=n, k=k)
    matrix = lot.ohm[:, 0].T
    rows = Lot([f"column {i}" for i in range(n)], lot.pulses, lot.ohm).readings()
    columns = Lot([f"row {i}" for i in range(n)], lot.pulses, lot.ohm).readings()
    if bench.reader == "matlab":
        import scipy.io

        scipy.io.savemat(bench.folder / "lot.mat", {"R": matrix})
        return Case(bench.folder / "lot.mat", None, must_refuse=".", ways=[rows, columns])
    sheet = Sheet(lot.names, matrix.T.tolist(), header=False)
    return Case(bench.write(sheet), None, must_refuse="(?i)header", ways=[rows, columns])


# -- repeats in columns -------------------------------------------------------------------------------------------


@kind("repeated reads in columns after a burst", 4, TEXT + EXCEL + ("parquet", "tdms"))
def _(bench: Bench) -> Case:
    burst, volt = bench.pick([(100, -0.1), (50, 0.2), (1000, -0.05)])
    lot = bench.lot(n=1, k=45)
    lot = Lot(["*"], burst * np.arange(1, lot.k + 1), lot.ohm)
    repeats = lot.ohm[0, 0][:, None] * np.exp(0.002 * bench.rng.standard_normal((lot.k, 5)))
    names = ["pulse_v", "pulse_width", "num_applied", "meas_v", *(f"i_{j}" for j in range(5))]
    columns = [[2.5] * lot.k, [5e-7] * lot.k, [burst] * lot.k, [volt] * lot.k]
    columns += [[float(f"{volt / ohm:.7g}") for ohm in repeats[:, j]] for j in range(5)]
    return Case(bench.write(Sheet(names, columns)), lot.readings(), rtol=0.01)


# -- wide by row --------------------------------------------------------------------------------------------------

PULSE_NAMES = {
    "pulse 0": "pulse {}", "P_0": "P_{}", "p0": "p{}", "0": "{}", "N=0": "N={}", "Pulse#0": "Pulse#{}",
    "pulse_0": "pulse_{}", "R_0": "R_{}", "R@0": "R@{}", "n0": "n{}", "pulse 0 (ohm)": "pulse {} (ohm)",
}  # fmt: skip


def _by_row(bench: Bench, pattern: str, order: str) -> Case:
    step = bench.pick([1, 5, 10])
    lot = bench.lot(k=45)
    lot = Lot(lot.names, step * np.arange(lot.k), lot.ohm)
    names = [pattern.format(pulse) for pulse in lot.pulses]
    columns = [lot.ohm[:, 0, k].tolist() for k in range(lot.k)]
    places = list(range(lot.k))
    if order == "as text":
        places.sort(key=lambda k: names[k])
    elif order == "reversed":
        places.reverse()
    elif order == "shuffled":
        places = bench.rng.permutation(lot.k).tolist()
    sheet = Sheet(["device", *(names[k] for k in places)], [lot.names, *(columns[k] for k in places)])
    return Case(bench.write(sheet), lot.readings())


for _name, _pattern in PULSE_NAMES.items():

    @kind(f"a row a device, columns called {_name}", 4, (*TEXT, "xlsx", "parquet", "tdms"))
    def _(bench: Bench, pattern: str = _pattern) -> Case:
        return _by_row(bench, pattern, "rising")


for _order in ("as text", "reversed", "shuffled"):

    @kind(f"a row a device, columns {_order}", 4, (*TEXT, "xlsx", "parquet", "tdms"))
    def _(bench: Bench, order: str = _order) -> Case:
        return _by_row(bench, bench.pick(["p{}", "P_{}", "pulse {}", "{}"]), order)


@kind("a row a device, in kohm", 4, (*TEXT, "xlsx", "parquet"))
def _(bench: Bench) -> Case:
    lot = bench.lot(k=45)
    pattern = bench.pick(["pulse {} (kohm)", "pulse {} [kOhm]", "P_{} [kohm]"])
    columns = [[digits(1e-3)(ohm) for ohm in lot.ohm[:, 0, k]] for k in range(lot.k)]
    sheet = Sheet(["device", *(pattern.format(p) for p in lot.pulses)], [lot.names, *columns])
    return Case(bench.write(sheet), lot.readings())


# -- matrices of HDF5 and MATLAB ----------------------------------------------------------------------------------


def _matrix_file(bench: Bench, matrix: np.ndarray, lot: Lot, pulse: bool, device: bool) -> Case:
    path = bench.folder / ("lot.h5" if bench.reader == "hdf5" else "lot.mat")
    word = bench.pick(["resistance_ohm", "resistance"])
    if bench.reader == "matlab":
        import scipy.io

        content: dict[str, object] = {word: matrix}
        content |= {"pulse": lot.pulses} if pulse else {}
        content |= {"device": np.array(lot.names, dtype=object)} if device else {}
        scipy.io.savemat(path, content)
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset(word, data=matrix).attrs["unit"] = "ohm"
            if pulse:
                file["pulse"] = lot.pulses
            if device:
                file.create_dataset("device", data=np.array(lot.names, dtype=object), dtype=h5py.string_dtype())
    return Case(path, lot.readings())


for _turned in (False, True):
    _way = "a column a device" if _turned else "a row a device"

    @kind(f"matrix with pulse and device, {_way}", 4, ("hdf5", "matlab"))
    def _(bench: Bench, turned: bool = _turned) -> Case:
        lot = bench.lot(n=5)
        return _matrix_file(bench, lot.ohm[:, 0].T if turned else lot.ohm[:, 0], lot, True, True)

    @kind(f"matrix with pulse alone, {_way}", 4, ("hdf5", "matlab"))
    def _(bench: Bench, turned: bool = _turned) -> Case:
        lot = bench.lot(n=5)
        case = _matrix_file(bench, lot.ohm[:, 0].T if turned else lot.ohm[:, 0], lot, True, False)
        case.look = lambda traces: _by_position(traces, lot)
        return case

    @kind(f"matrix with device alone, {_way}", 4, ("hdf5", "matlab"))
    def _(bench: Bench, turned: bool = _turned) -> Case:
        lot = bench.lot(n=bench.pick([5, 70]), k=48)
        return _matrix_file(bench, lot.ohm[:, 0].T if turned else lot.ohm[:, 0], lot, False, True)


def _by_position(traces: object, lot: Lot) -> str:
    """Devices without names: in the order of the file."""
    if len(traces) != lot.n:
        return f"{len(traces)} devices where there are {lot.n}"
    for trace, ohm in zip(traces, lot.ohm[:, 0], strict=True):
        if trace.pulses.tolist() != lot.pulses.tolist() or not np.allclose(trace.resistance_ohm, ohm, rtol=1e-4):
            return f"device {trace.device!r} has other pulses or readings"
    return ""


@kind("square matrix", 4, ("hdf5", "matlab"))
def _(bench: Bench) -> Case:
    lot = bench.lot(n=40, k=40)
    pulse, device = bench.pick([(True, True), (True, False), (False, True)])
    matrix = lot.ohm[:, 0] if bench.rng.random() < 0.5 else lot.ohm[:, 0].T
    case = _matrix_file(bench, matrix, lot, pulse, device)
    words = "(?i)square|40 x 40|40, 40|which side|which axis"
    named = [lot.readings()]
    if not device:
        named = [Lot([f"{side} {i}" for i in range(40)], lot.pulses, lot.ohm).readings() for side in ("row", "column")]
    return Case(case.sources, None, must_refuse=words, ways=named)


# -- several tables in one file -----------------------------------------------------------------------------------


def _spliced(bench: Bench, first: Sheet, second: Sheet, between: str = "") -> object:
    if bench.reader in TEXT:
        separator = {"csv": ",", "semicolon": ";", "tab": "\t"}[bench.reader]
        comma = bench.reader == "semicolon"
        blocks = ["\n".join(lines_of(sheet.rows(), separator, comma)) + "\n" for sheet in (first, second)]
        path = bench.folder / ("lot.tsv" if bench.reader == "tab" else "lot.csv")
        path.write_text(between.join(blocks))
        return path
    rows = first.rows() + ([[None]] if between else []) + second.rows()
    columns = [[row[c] if c < len(row) else None for row in rows[1:]] for c in range(len(first.names))]
    return bench.write(Sheet(first.names, columns))


def _two_lots(bench: Bench) -> tuple[Lot, Lot, Readings]:
    one, two = bench.lot(n=3, k=45), bench.lot(n=3, k=45, prefix="E")
    return one, two, one.readings() | two.readings()


for _between in ("", "\n"):
    _gap = "after an empty line" if _between else "without a gap"

    @kind(f"second header {_gap}", 4, TEXT + EXCEL)
    def _(bench: Bench, between: str = _between) -> Case:
        one, two, readings = _two_lots(bench)
        return Case(_spliced(bench, long_sheet(one), long_sheet(two), between), readings)

    @kind(f"second header with another unit {_gap}", 4, TEXT + EXCEL)
    def _(bench: Bench, between: str = _between) -> Case:
        one, two, readings = _two_lots(bench)
        sheets = [long_sheet(one, "R [ohm]"), long_sheet(two, "R [kohm]", digits(1e-3))]
        if bench.rng.random() < 0.3:
            sheets = [long_sheet(one, "R [ohm]"), long_sheet(two, "G [uS]", inverse(1e6))]
        return Case(_spliced(bench, *sheets, between), readings)

    @kind(f"second header with another order of columns {_gap}", 4, TEXT + EXCEL)
    def _(bench: Bench, between: str = _between) -> Case:
        one, two, readings = _two_lots(bench)
        second = long_sheet(two)
        order = bench.pick([(1, 0, 2), (2, 1, 0), (0, 2, 1), (1, 2, 0)])
        second = Sheet([second.names[i] for i in order], [second.columns[i] for i in order])
        return Case(_spliced(bench, long_sheet(one), second, between), readings)


@kind("second header, wide tables of other devices", 4, TEXT + EXCEL)
def _(bench: Bench) -> Case:
    one, two, readings = _two_lots(bench)
    return Case(_spliced(bench, wide_sheet(one, one.names), wide_sheet(two, two.names)), readings)


@kind("cut inside its last number", 4, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot(level_ohm=5e4)
    path = bench.write(long_sheet(lot), tail="")
    content = path.read_bytes()
    path.write_bytes(content[: -int(bench.rng.integers(1, 5))])
    key = (lot.names[-1], 0, int(lot.pulses[-1]))
    readings = {k: v for k, v in lot.readings().items() if k != key}
    return Case(path, readings, {key: "."})


@kind("no line end behind the last number", 4, TEXT)
def _(bench: Bench) -> Case:
    lot = bench.lot()
    key = (lot.names[-1], 0, int(lot.pulses[-1]))
    return Case(bench.write(long_sheet(lot), tail=""), lot.readings(), may_miss={key})
