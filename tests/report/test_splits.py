"""What is excluded, dies and files, and one name a status, as the report has them."""

import dataclasses
import json

import numpy as np

from tests import builders
from weakreset.fitting import FitStatus, fit_devices
from weakreset.parameter_file import ParameterFile, majumdar2021
from weakreset.plots.excluded_traces import with_excluded_traces
from weakreset.plots.panels import short_name
from weakreset.report import ReportInput, build_report
from weakreset.report.device_data import device_lines
from weakreset.report.exclusions import exclusion_table
from weakreset.report.findings import found
from weakreset.report.splits import _natural, split_tables
from weakreset.report.tables import device_table
from weakreset.traces import Exclusion, PulseTrace, TraceSet
from weakreset.traces.screening import screen
from weakreset.twin import simulate_traces


def lot():
    """12 devices on two dies, simulated (seed 5); one of them stuck at 7 kohm, one with three missing reads."""
    made = []
    for i, trace in enumerate(simulate_traces("majumdar2021", 12, 120, seed=5)):
        die = np.array(["A" if i < 6 else "B"] * len(trace))
        ohm = np.full(len(trace), 7000.0) if i == 4 else trace.resistance_ohm
        made.append(PulseTrace(trace.device, trace.pulses, ohm, extras={"die": die}, source=f"{die[0]}.csv"))
    missing = [Exclusion("sim0007", "missing reading (empty or NaN)", pulse=n) for n in (3, 9, 40)]
    return fit_devices(screen(TraceSet(tuple(made), tuple(missing))), jobs=1)


LOT = lot()


def test_a_device_that_was_excluded_can_be_looked_at():
    fit = next(fit for fit in LOT if fit.status is FitStatus.EXCLUDED)
    assert len(fit.pulses) == 120
    assert np.ptp(fit.log_ratio) == 0.0
    lines = {line["name"]: line for line in map(json.loads, device_lines(LOT).splitlines()[1:])}
    assert lines["sim0004"]["n"] == 120
    assert "Traces of excluded devices" in build_report(ReportInput("lot", fits=LOT))


def test_excluded_devices_and_readings_are_a_row_a_reason():
    table = exclusion_table(ReportInput("lot", fits=LOT))
    rows = [tuple(cell.text for cell in row) for row in table.rows]
    assert rows == [
        ("stuck: all 121 reads are 7000.0 ohm", "1", "all", "sim0004"),
        ("missing reading (empty or NaN)", "1", "3", "sim0007 (3)"),
    ]


def test_the_yield_comes_first():
    assert found(ReportInput("lot", fits=LOT))[0] == "Yield 91.7 %: 11 of 12 devices work."


def test_dies_and_files_have_their_devices_and_medians():
    tables = dict(split_tables(LOT))
    assert set(tables) == {"die", "file"}
    rows = {row[0].text: row for row in tables["die"].rows}
    assert rows["A"][1].text == "5 of 6"
    assert rows["B"][1].text == "6 of 6"
    own = [fit.estimates["r0_ohm"].value for fit in LOT if fit.device >= "sim0006"]
    assert rows["B"][2].sort == float(np.median(own))


def test_the_die_and_the_own_alpha_are_columns_of_table_and_file():
    table = device_table(LOT)
    assert table.columns[-1] == "die"
    assert "1/f α (ln R)" in table.columns
    frame = LOT.to_frame()
    assert list(frame["die"][:2]) == ["A", "A"]
    assert frame["alpha"].notna().sum() == 11


def test_a_status_has_one_name_in_table_page_and_file():
    fits = builders.small_fits()
    page = build_report(ReportInput("lot", fits=fits))
    for status in {fit.status for fit in fits}:
        assert f">{status.value}<" in page
    assert {row[1].text for row in device_table(fits).rows} == set(fits.to_frame()["status"])


def test_a_stream_does_not_keep_all_excluded_traces():
    trace = lot().traces.traces[0]
    stuck = [
        dataclasses.replace(trace, device=f"D{i}", resistance_ohm=np.full(len(trace), 7e3)) for i in range(600)
    ]
    kept = screen(TraceSet(tuple(stuck))).exclusions
    assert sum(item.trace is not None for item in kept) == 500


def test_labels_that_look_like_numbers_are_words():
    assert sorted(["10", "²", "--5", "9", "-1", "x"], key=_natural) == ["-1", "9", "10", "--5", "x", "²"]


def test_a_parameter_file_tells_how_many_readings_and_not_that_they_were_all():
    raw = majumdar2021().model_dump(by_alias=True)
    raw["provenance"]["exclusions"] = [
        {"device": "A", "reason": "no number: x", "n_readings": 2}, {"device": "B", "reason": "no number: y"},
    ]
    rows = exclusion_table(ReportInput("t", params=ParameterFile.model_validate(raw))).rows
    assert [cell.text for cell in rows[0]] == ["no number", "2", "2", "A (2), B"]


def test_a_file_that_does_not_know_r0_has_a_summary():
    raw = majumdar2021().model_dump(by_alias=True)
    raw["not_identifiable"] = {"r0_ohm": {"unit": "ohm", "note": "nobody looked"}}
    raw["parameters"].pop("r0_ohm")
    assert "is not known. r0_ohm is not identifiable" in found(
        ReportInput("t", params=ParameterFile.model_validate(raw))
    )[0]


def cycled():
    """Ten devices of two cycles, simulated (seed 6); both of the fourth are open, 600 lone reads are missing."""
    made = []
    for i, trace in enumerate(simulate_traces("majumdar2021", 20, 60, seed=6)):
        ohm = np.full(len(trace), 3e9) if i // 2 == 3 else trace.resistance_ohm
        source = f"die_{'A' if i < 10 else 'B'}.csv"
        made.append(PulseTrace(f"lot_of_a_long_name/D{i // 2}", trace.pulses, ohm, cycle=i % 2 + 1, source=source))
    missing = [Exclusion(made[0].device, "zero reading", 1, line=n) for n in range(600)]
    return fit_devices(screen(TraceSet(tuple(made), tuple(missing))), jobs=1, rtn=False)


def test_devices_are_counted_as_devices_where_they_have_cycles():
    fits = cycled()
    first, second, *_ = found(ReportInput("lot", fits=fits))
    assert first == "Yield 90.0 %: 18 of 20 cycles of 10 devices work."
    assert second.startswith("1 of 10 device is a defect")
    assert second.count("lot_of_a_long_name/D3") == 1
    assert "lot_of_a_long_name/D3 (2 cycles): open:" in second
    rows = [tuple(cell.text for cell in row) for row in exclusion_table(ReportInput("lot", fits=fits)).rows]
    assert [row[:3] for row in rows] == [("open", "1", "all"), ("zero reading", "1", "600")]


def test_many_excluded_readings_hide_no_excluded_device():
    fits = cycled()
    assert set(with_excluded_traces(fits)) == {"lot_of_a_long_name/D3#1", "lot_of_a_long_name/D3#2"}
    (files,) = [table for column, table in split_tables(fits) if column == "file"]
    assert files.columns[1] == "cycles fitted"
    assert [row[1].text for row in files.rows] == ["8 of 10", "10 of 10"]


def test_long_names_keep_the_end_that_tells_devices_apart():
    assert short_name("W07_die5_1_weakreset/0/4#1", 16) == "W07_d…eset/0/4#1"
    assert short_name("D3", 16) == "D3"
