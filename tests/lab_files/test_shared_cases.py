"""The small cases beside the checkout are read as their README says; skipped where they are absent."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from tests.lab_files.case import Case
from tests.lab_files.judge import CRASHED, WRONG, judge
from tests.lab_files.known_wrong import KNOWN_WRONG_SHARED
from tests.shared_data import shared

pytestmark = pytest.mark.shared_data

WIDE = ("Device", "G", "Ohm", "R1", "Res_ohm", "Resistance", "sorted_devices")
FILES = {
    "bursts_repeated_current_reads.csv": lambda path: _bursts(path),
    "device_in_brackets.csv": lambda path: _brackets(path),
    "endurance_ron_roff.csv": lambda path: Case(path, None, must_refuse="(?i)endurance", no_way="@row", ways=[]),
    "gradual_set_flat_then_falling.csv": lambda path: _falling(path),
    "gradual_set_saturating.csv": lambda path: _falling(path),
    "ltp_ltd_four_columns.tsv": lambda path: _halves(path),
    "row_a_cell_two_voltages_first.tsv": lambda path: _cells(path),
    "straight_cycles_one_device.csv": lambda path: _cycles(path),
    "two_line_header_units.csv": lambda path: _two_lines(path, lambda value: value),
    "two_line_header_units_G.csv": lambda path: _two_lines(path, lambda value: 1e6 / value),
    "two_line_header_units_kohm.csv": lambda path: _two_lines(path, lambda value: 1e3 * value),
    "up_down_running_counter.csv": lambda path: _ramps(path),
    "wide_siemens_no_unit.csv": lambda path: _siemens(path),
    "wide_no_pulse_column_resistance_names.csv": lambda path: Case(path, _wide(path, 0), says="(?i)row"),
    **{f"wide_nopulse_{name}.csv": lambda path: Case(path, _wide(path, 0), says="(?i)row") for name in WIDE},
    "wide_nopulse_headerless.csv": lambda path: Case(path, None, must_refuse="(?i)header", ways=_either_way(path)),
}


def _rows(path):
    mark = "\t" if path.suffix == ".tsv" else ","
    return [line.split(mark) for line in path.read_text().splitlines() if line.strip()]


def _numbers(rows):
    return np.array([[float(cell) for cell in row if cell] for row in rows])


def _bursts(path):
    _header, *rows = _rows(path)
    numbers = _numbers(rows)
    pulses = np.cumsum(numbers[:, 2]).astype(int).tolist()
    ohm = numbers[:, 3] / numbers[:, 4]  # of repeated reads the first is kept, and their spread is the read noise
    return Case(path, {("*", 0, p): float(r) for p, r in zip(pulses, ohm, strict=True)})


def _brackets(path):
    _, *rows = _rows(path)
    numbers = _numbers(rows)
    return Case(path, {(n, 0, int(r[0])): 1 / r[c] for r in numbers for n, c in (("W11", 1), ("W12", 3))})


def _long(path, convert=float):
    _, *rows = _rows(path)
    return {(device, 0, int(pulse)): convert(float(ohm)) for device, pulse, ohm in rows}


def _falling(path):
    return Case(path, _long(path), says=r"\bSET\b|(?i:fall)", refusal=r"\bSET\b|(?i:fall)")


def _halves(path):
    _, *rows = _rows(path)
    ways = [
        {("*", 0, i): 1 / float(row[c]) for i, row in enumerate(rows) if len(row) > c and row[c]} for c in (3, 1)
    ]
    return Case(path, None, must_refuse="(?i)LTP|potentiation", ways=ways)


def _cells(path):
    rows = _rows(path)
    plain = {(row[0], 0, k): float(cell) for row in rows for k, cell in enumerate(row[3:])}
    whole = {(f"{float(d):g}", c, k): ohm for (d, c, k), ohm in plain.items()}
    return Case(path, None, must_refuse="(?i)header", ways=[plain, whole])


def _cycles(path):
    _, *rows = _rows(path)
    return Case(path, {("*", int(c), int(p)): float(r) for c, p, r in rows})


def _two_lines(path, convert):
    _, _, *rows = _rows(path)
    return Case(path, {("*", 0, int(p)): convert(float(v)) for p, v in rows})


def _siemens(path):
    return Case(path, None, must_refuse="(?i)siemens|conductance", ways=[_wide(path, 1, True)])


def _wide(path, first, inverse=False):
    header, *rows = _rows(path)
    names = [re.sub(r"\s*\((?i:ohm)\)", "", name) for name in header]
    numbers = _numbers(rows)
    return {
        (names[c], 0, k): float(1 / row[c] if inverse else row[c])
        for k, row in enumerate(numbers)
        for c in range(first, len(names))
    }


def _either_way(path):
    numbers = _numbers(_rows(path))
    return [
        {(f"{word} {i}", 0, k): float(ohm) for i, line in enumerate(matrix) for k, ohm in enumerate(line)}
        for word, matrix in (("column", numbers.T), ("row", numbers))
    ]


def _ramps(path):
    _, *rows = _rows(path)
    ohm = 1 / _numbers(rows)[:, 1]

    def look(traces):
        for trace in traces:
            smooth = np.convolve(np.log(trace.resistance_ohm), np.ones(9) / 9, "valid")
            turns = sum(a * b < 0 for a, b in pairwise(np.sign(np.diff(smooth[::9]))))
            if len(trace) == len(ohm) or turns > 2:
                return f"{trace.key} has {len(trace)} reads of more than one ramp"
        return ""

    return Case(path, None, look=look, refusal=r"(?i)ramp|\bSET\b|cycle|falls|up and down")


@pytest.mark.parametrize("name", FILES)
def test_as_the_readme_says(name):
    verdict = judge(FILES[name](shared(f"../cases/files/{name}")))
    if name in KNOWN_WRONG_SHARED:
        assert verdict.word in (WRONG, CRASHED), f"{verdict.word}: take it off KNOWN_WRONG_SHARED"
    else:
        assert verdict.word not in (WRONG, CRASHED), f"{verdict.cause}: {verdict.why}"
