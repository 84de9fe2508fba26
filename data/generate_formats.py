"""Write the simulated sample files of instrument formats in this folder: `make data`. Same seed, same bytes.

A writer of each format takes any traces (`Run`s), so that tests can send their own through it, and puts into the
file the pitfalls seen in real exports of that format. Nothing here was measured; every file says `simulated`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Sample:
    """A format: its sample file, the writer, the devices and cycles in it, and the extra that reading it needs.

    A format that holds one device without naming it has one here, called as the file is.
    """

    file: str
    write: Callable[[Path, Sequence[Run]], None]
    devices: tuple[str, ...]
    n_cycles: int
    extra: str = ""
    every_pulse: bool = False
    rounding: float = 0.0
    n_excluded: int = 0

    @property
    def named(self) -> bool:
        """Whether the file names its devices."""
        return self.devices[0] != self.file.split(".")[0]

    def rename(self, devices: Sequence[str]) -> list[str]:
        """Device names as the format can hold them."""
        return list(devices)

    def runs(self) -> list[Run]:
        """What is in the sample file."""
        return sample_runs(self.devices, self.n_cycles, SEED + len(self.file))


SAMPLES = {
    "b1500a": Sample("b1500a.csv", write_b1500a, ("b1500a",), 3),
}


def main() -> None:
    for sample in SAMPLES.values():
        path = HERE / sample.file
        sample.write(path, sample.runs())
        content = path.read_bytes()
        print(f"{hashlib.sha256(content).hexdigest()}  {path.name}  {len(content)} bytes")


if __name__ == "__main__":
    main()
