"""Write the simulated sample files of instrument formats in this folder: `make data`. Same seed, same bytes.

A writer of each format takes any traces (`Run`s), so that tests can send their own through it, and puts into the
file the pitfalls seen in real exports of that format. Nothing here was measured; every file says `simulated`.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.parameter_file import majumdar2021
from weakreset.twin import simulate_population

HERE = Path(__file__).parent
SEED = 2022
N_PULSES = 60
READ_VOLTAGE_V = 0.1


@dataclass(frozen=True, eq=False)
class Run:
    """One device in one cycle: pulse numbers and resistances [ohm]."""

    device: str
    cycle: int
    pulses: NDArray[np.int64]
    ohms: NDArray[np.float64]


def sample_runs(devices: Sequence[str], n_cycles: int, seed: int) -> list[Run]:
    """Simulated traces of the published laws, read to 0.1 ohm; a cycle of a device is another simulated device."""
    made = simulate_population(majumdar2021(), len(devices) * n_cycles, N_PULSES, seed)
    ohms = np.round(made.resistance_ohm(), 1)
    keys = [(device, cycle) for device in devices for cycle in range(n_cycles)]
    return [Run(device, cycle, made.pulses, row) for (device, cycle), row in zip(keys, ohms, strict=True)]


def write_b1500a(path: Path, runs: Sequence[Run]) -> None:
    """EasyEXPERT CSV: BOM and a blank first line, CRLF, a record a cycle, empty last column, lists with holes."""
    lines = [""]
    for run in runs:
        n = len(run.pulses)
        lines += [
            "SetupTitle, Weak RESET ramp", "PrimitiveTest, I/V Sweep",
            "TestParameter, Context.MainFrame, B1500A",
            "TestParameter, Channel.UnitType, SMU, SMU",
            "TestParameter, Channel.IName, Iread, I2", "TestParameter, Channel.VName, Vread, V2",
            "TestParameter, Channel.Func, CONST, CONST", "TestParameter, Channel.Time,",
            "MetaData, TestRecord.RecordTime, 05/28/2025 10:51:21", "MetaData, TestRecord.Simulated, true",
            "MetaData, TestRecord.Remarks, simulated\tnot measured",
            "AnalysisSetup, Analysis.Setup.Output.Graph.YAxis.Group, , , ",
            "Dimension1, " + ", ".join([str(n)] * 5), "Dimension2, 1, 1, 1, 1, 1",
            "DataName, Pulse, Vread, Iread, R, ",
        ]  # fmt: skip
        lines += [
            f"DataValue, {pulse}, {READ_VOLTAGE_V}, {READ_VOLTAGE_V / ohm:.17E}, {float(ohm)!r}, "
            for pulse, ohm in zip(run.pulses, run.ohms, strict=True)
        ]
    path.write_bytes(b"\xef\xbb\xbf" + "".join(line + "\r\n" for line in lines).encode())


def write_smu_csv(path: Path, runs: Sequence[Run]) -> None:
    """Keithley source meter: CRLF, blocks side by side, a comma at the end of every line, shorter blocks left empty."""
    names = ["Item"]
    for i in range(len(runs)):
        names += [f"Smu1.{what}[1][{i + 1}]" for what in ("Time", "V", "I", "R")]
    lines = ["# simulated: true", ",".join(names) + ","]
    for k in range(max(len(run.pulses) for run in runs)):
        cells = [str(k + 1)]
        for run in runs:
            ohm = float(run.ohms[k]) if k < len(run.ohms) else None
            cells += ["", "", "", ""] if ohm is None else [f"{0.01 * k:.4f}", "0.1", f"{0.1 / ohm:.6E}", repr(ohm)]
        lines.append(",".join(cells) + ",")
    path.write_bytes("".join(line + "\r\n" for line in lines).encode())


def write_arc_one(path: Path, runs: Sequence[Run]) -> None:
    """ArC ONE: pulses without a read in bursts, a SET of the other polarity before each later cycle, blank fields.

    Devices are named W01B02 and so on; the last read of every ramp is repeated without a pulse.
    """
    lines = ["simulated session", "Wed May 28 10:51:21 2025"]
    lines += ["Wordline,Bitline,Resistance,Amplitude (V),Pulse width (s),Tag,ReadTag,ReadVoltage"]
    for run in sorted(runs, key=lambda run: run.device):
        cell = f"{int(run.device[1:3])},{int(run.device[4:6])}"
        read = f"{cell},{{!r}},0.0,0.0,S R1 V={READ_VOLTAGE_V},S R1,{READ_VOLTAGE_V}"
        first = float(run.ohms[0])
        lines.append(read.format(first) if not run.cycle else f"{cell},{first!r},1.2,1e-06,P,,{READ_VOLTAGE_V}")
        for steps, ohm in zip(np.diff(run.pulses), run.ohms[1:], strict=True):
            lines += [f"{cell},,-0.9,1e-07,P,,"] * (int(steps) - 1)
            lines.append(f"{cell},{float(ohm)!r},-0.9,1e-07,P,,{READ_VOLTAGE_V}")
        lines.append(read.format(float(run.ohms[-1])))
    path.write_text("\n".join(lines) + "\n")


def write_keithley_4200(path: Path, runs: Sequence[Run]) -> None:
    """Keithley 4200 .xls: the first two cycles side by side in Run1, the others in sheets of their own, out of order.

    With Settings and an empty Calc between them, two columns of one name, programmed voltages in single precision, and
    a Formulator column that holds one value and then text cells without content.
    """
    import xlwt

    book = xlwt.Workbook()
    sheets = {f"Run{i + 2}": [run] for i, run in enumerate(runs[2:])}
    for name in [*reversed(sheets), "Calc", "Settings", "Run1"]:
        sheet = book.add_sheet(name)
        if name == "Settings":
            for row, cells in enumerate([["======"], ["Run1"], ["Test Name", "weak-reset"], ["simulated", "true"]]):
                for column, cell in enumerate(cells):
                    sheet.write(row, column, cell)
        elif name != "Calc":
            _write_run_sheet(sheet, sheets.get(name, list(runs[:2])))
    book.save(str(path))


def _write_run_sheet(sheet: Any, runs: Sequence[Run]) -> None:
    for block, run in enumerate(runs):
        names = ["Time", "Time", "PulseNo", "AnodeI", "AnodeV", "R"]
        for i, name in enumerate(names):
            sheet.write(0, 6 * block + i, f"{name.replace('PulseNo', 'Pulse No')}({block + 1})")
        for k, (pulse, ohm) in enumerate(zip(run.pulses, run.ohms, strict=True)):
            volt = float(np.float32(READ_VOLTAGE_V))
            row = [0.01 * k, 0.01 * k + 1e-4, float(pulse), volt / float(ohm), volt, float(ohm)]
            for i, value in enumerate(row):
                sheet.write(k + 1, 6 * block + i, value)
    sheet.write(0, 6 * len(runs), "RMAX")
    for k in range(len(runs[0].pulses)):
        sheet.write(k + 1, 6 * len(runs), "" if k else float(runs[0].ohms.max()))


def write_excel(path: Path, runs: Sequence[Run]) -> None:
    """A plain .xlsx: a remark above the header, a formula without a stored value, a cell of text, an empty sheet."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["simulated: true"])
    sheet.append(["Device", "Cycle", "Pulse", "R [kohm]", "note", "average"])
    for run in runs:
        for pulse, ohm in zip(run.pulses, run.ohms, strict=True):
            row = sheet.max_row + 1
            note = "first" if pulse == run.pulses[0] else None
            sheet.append([None, run.cycle, int(pulse), float(ohm) / 1000, note, f"=AVERAGE(D3:D{row})"])
            cell = sheet.cell(row, 1, run.device)
            cell.data_type = "s"
    book.create_sheet("Notes")
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as made, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as fixed:
        for entry in made.infolist():
            content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2025-05-28T10:51:21Z", made.read(entry))
            fixed.writestr(zipfile.ZipInfo(entry.filename, (2025, 5, 28, 10, 51, 20)), content, zipfile.ZIP_DEFLATED)


def write_parquet(path: Path, runs: Sequence[Run]) -> None:
    """Parquet: device as a dictionary, conductance instead of resistance, a column of lists."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = [len(run.pulses) for run in runs]
    columns = {
        "device": pa.array(np.repeat([run.device for run in runs], n)).dictionary_encode(),
        "cycle": pa.array(np.repeat([run.cycle for run in runs], n), pa.int16()),
        "pulse": pa.array(np.concatenate([run.pulses for run in runs]), pa.int32()),
        "conductance_uS": pa.array(1e6 / np.concatenate([run.ohms for run in runs])),
        "waveform": pa.array([[0.0, 0.9]] * sum(n)),
    }
    table = pa.table(columns).replace_schema_metadata({"simulated": "true"})
    pq.write_table(table, path, compression="zstd")


def write_tdms(path: Path, runs: Sequence[Run]) -> None:
    """TDMS: a group a device and cycle, in segments as a running measurement writes them, an empty group beside."""
    from nptdms import ChannelObject, GroupObject, RootObject, TdmsWriter

    with TdmsWriter(str(path)) as writer:
        writer.write_segment([RootObject({"simulated": "true"}), GroupObject("Empty")])
        for i, run in enumerate(runs):
            group = f"Ramp {i}"
            writer.write_segment([GroupObject(group, {"device": run.device, "cycle": run.cycle})])
            for part in np.array_split(np.arange(len(run.pulses)), 2):
                unit = {"unit_string": "kOhm"}
                pulses = ChannelObject(group, "Pulse", run.pulses[part].astype(np.int32))
                writer.write_segment([pulses, ChannelObject(group, "Resistance", run.ohms[part] / 1000, unit)])


def write_matlab(path: Path, runs: Sequence[Run]) -> None:
    """MATLAB 5: a struct array, an element a device and cycle, compressed; a variable beside that is no reading."""
    import scipy.io

    kinds = [(name, object) for name in ("device", "cycle", "pulse", "R_kohm", "v_read")]
    elements = np.empty((1, len(runs)), dtype=kinds)
    for i, run in enumerate(runs):
        elements[0, i] = (run.device, float(run.cycle), run.pulses, run.ohms[:, None] / 1000, READ_VOLTAGE_V)
    stream = io.BytesIO()
    content = {"ramps": elements, "simulated": "true", "lab": {"room": 7}}
    scipy.io.savemat(stream, content, do_compression=True)
    path.write_bytes(b"MATLAB 5.0 MAT-file, simulated by weakreset".ljust(116) + stream.getvalue()[116:])


def write_matlab_73(path: Path, runs: Sequence[Run]) -> None:
    """MATLAB 7.3: the same struct array as HDF5 behind a header of 512 bytes, its fields as references."""
    import h5py

    def put(group: h5py.Group, name: str, value: Any) -> h5py.Dataset:
        is_text = isinstance(value, str)
        array = np.array([[ord(letter)] for letter in value], np.uint16) if is_text else np.atleast_2d(value)
        made = group.create_dataset(name, data=array)
        made.attrs["MATLAB_class"] = np.bytes_("char" if is_text else "double")
        if is_text:
            made.attrs["MATLAB_int_decode"] = np.int32(2)
        return made

    with h5py.File(path, "w", userblock_size=512) as root:
        refs, ramps = root.create_group("#refs#"), root.create_group("ramps")
        ramps.attrs["MATLAB_class"] = np.bytes_("struct")
        put(root, "simulated", "true")
        fields = {
            "device": [run.device for run in runs], "cycle": [float(run.cycle) for run in runs],
            "pulse": [run.pulses.astype(float) for run in runs], "R_kohm": [run.ohms / 1000 for run in runs],
        }  # fmt: skip
        for field, values in fields.items():
            made = [put(refs, f"{field}{i}", value).ref for i, value in enumerate(values)]
            ramps.create_dataset(field, data=np.array(made, dtype=h5py.ref_dtype)[:, None], dtype=h5py.ref_dtype)
    header = b"MATLAB 7.3 MAT-file, simulated by weakreset".ljust(124) + b"\x00\x02IM"
    content = path.read_bytes()
    path.write_bytes(header.ljust(512, b"\x00") + content[512:])


def write_arc_two(path: Path, runs: Sequence[Run]) -> None:
    """ArC TWO: tables larger than what was measured, pulses without a read, SET of the other polarity."""
    import h5py

    fields = [("current", "<f4"), ("voltage", "<f4"), ("pulse_width", "<f4"), ("read_voltage", "<f4")]
    with h5py.File(path, "w") as root:
        about = {"CLASS": "GROUP", "TITLE": "simulated by weakreset", "simulated": "true", "words": 32, "bits": 32}
        for name, value in about.items():
            root.attrs[name] = value
        crossbar = root.create_group("crossbar")
        for name in ("voltage", "current"):
            crossbar.create_dataset(name, data=np.zeros((4, 4), np.float32))
        cells = root.create_group("crosspoints")
        for device in dict.fromkeys(run.device for run in runs):
            rows = [row for run in runs if run.device == device for row in _operations(run)]
            log = np.zeros(len(rows) + 50, dtype=[*fields, ("op_type", "<u4")])
            log[: len(rows)] = rows
            made = cells.create_group(device).create_dataset("timeseries", data=log, compression="gzip")
            made.attrs["NROWS"] = len(rows)


def _operations(run: Run) -> list[tuple[float, float, float, float, int]]:
    read, pulse = 1, 2
    current = READ_VOLTAGE_V / run.ohms
    set_pulse = (1.2, 1e-6) if run.cycle else (0.0, 0.0)
    rows = [(current[0], *set_pulse, READ_VOLTAGE_V, read | pulse if run.cycle else read)]
    for steps, amps in zip(np.diff(run.pulses), current[1:], strict=True):
        rows += [(0.0, -0.9, 1e-7, 0.0, pulse)] * (int(steps) - 1)
        rows.append((amps, -0.9, 1e-7, READ_VOLTAGE_V, read | pulse))
    return rows


CELLS = ("W01B01", "W01B02", "W12B30")


@dataclass(frozen=True)
class Sample:
    """A format: its sample file, the writer, the devices and cycles in it, and the extra that reading it needs.

    A format that holds one device without naming it has one here, called as the file is. `every_pulse` and
    `first_pulse`: its counter has no gaps and begins there; `free_names`: any device name can be written;
    `n_excluded`: readings that should be left out and named; `column_map`: what a user must say to read it.
    """

    file: str
    write: Callable[[Path, Sequence[Run]], None]
    devices: tuple[str, ...]
    n_cycles: int
    reader: str
    extra: str = ""
    every_pulse: bool = False
    rounding: float = 0.0
    first_pulse: int = 0
    free_names: bool = False
    n_excluded: int = 0
    column_map: str = ""

    def runs(self) -> list[Run]:
        """What is in the sample file."""
        made = sample_runs(self.devices, self.n_cycles, SEED + len(self.file))
        return [
            Run(run.device, run.cycle, run.pulses[self.first_pulse :], run.ohms[self.first_pulse :]) for run in made
        ]


SAMPLES = {
    "b1500a": Sample("b1500a.csv", write_b1500a, ("b1500a",), 3, "b1500a"),
    "smu-csv": Sample(
        "smu.csv", write_smu_csv, ("smu",), 3, "smu-csv", every_pulse=True, first_pulse=1, column_map="pulse=Item"
    ),
    "arc-one": Sample("arc_one.csv", write_arc_one, CELLS, 2, "arc-one", n_excluded=6),
    "arc-two": Sample("arc_two.h5", write_arc_two, CELLS, 2, "arc-two", rounding=1e-6),
    "keithley-4200": Sample("keithley_4200.xls", write_keithley_4200, ("keithley_4200",), 3, "excel", "excel"),
    "excel": Sample("sample.xlsx", write_excel, ("A1", "A2"), 2, "excel", "excel", free_names=True),
    "parquet": Sample("sample.parquet", write_parquet, ("A1", "A2"), 2, "parquet", free_names=True),
    "tdms": Sample("sample.tdms", write_tdms, ("A1", "A2"), 2, "tdms", "tdms", free_names=True),
    "matlab-5": Sample("matlab_5.mat", write_matlab, ("A1", "A2"), 2, "matlab", "matlab", free_names=True),
    "matlab-7.3": Sample("matlab_73.mat", write_matlab_73, ("A1", "A2"), 2, "matlab", "matlab", free_names=True),
}


def main() -> None:
    for sample in SAMPLES.values():
        path = HERE / sample.file
        sample.write(path, sample.runs())
        content = path.read_bytes()
        print(f"{hashlib.sha256(content).hexdigest()}  {path.name}  {len(content)} bytes")


if __name__ == "__main__":
    main()
