"""Files that need more than a header to be read: taken apart, or refused with a way that is tried here on the file."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from weakreset import load_traces
from weakreset.errors import TraceFormatError

NAMES = ["D00", "D01", "D02", "D03"]
PULSES = np.arange(40)


@pytest.fixture(scope="module")
def ohm():
    rng = np.random.default_rng(3)
    rise = np.exp(3e-3 * PULSES + 0.002 * rng.standard_normal((4, 40)))
    return 1e4 * np.array([[0.8], [1.0], [1.1], [1.4]]) * rise


def check(traces, ohm, names=NAMES, rel=1e-6):
    """The set holds these devices, read at these pulses."""
    assert [trace.device for trace in traces] == list(names)
    for trace, row in zip(traces, ohm, strict=True):
        assert trace.pulses.tolist() == PULSES.tolist()
        assert trace.resistance_ohm == pytest.approx(row, rel=rel)


def refusal(path, **options) -> str:
    with pytest.raises(TraceFormatError) as caught:
        load_traces(path, **options)
    return str(caught.value)


def take_the_way(path: Path, folder: Path, **options):
    """Run the command that the refusal prints, as written but for the name of the file, and read what it made."""
    command = re.search(r"python -c \"(.*)\"", refusal(path, **options))
    assert command, refusal(path, **options)
    made = folder / f"{path.name}.csv"
    exec(command[1].replace("FILE.csv", str(made)).replace("FILE", str(path)), {})
    return made if made.exists() else path


LEVELS = {
    "dies": (["die1", "die2"], ["D0", "D1"], ["die1/D0", "die1/D1", "die2/D0", "die2/D1"]),
    "numbers": (["W1", "W2"], ["a", "b"], ["W1/a", "W1/b", "W2/a", "W2/b"]),
}


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("merged", [False, True])
def test_a_header_of_two_levels(tmp_path, ohm, levels, merged):
    upper, lower, names = LEVELS[levels]
    frame = pd.DataFrame(ohm.T, PULSES, pd.MultiIndex.from_product([upper, lower]))
    frame.index.name = "pulse"
    frame.to_csv(tmp_path / "t.csv")
    if merged:
        lines = (tmp_path / "t.csv").read_text().split("\n")
        lines[0], lines[1] = f",{upper[0]},,{upper[1]},", "pulse" + lines[1]
        (tmp_path / "t.csv").write_text("\n".join([*lines[:2], *lines[3:]]))
    check(load_traces(tmp_path / "t.csv"), ohm, names)


def columns_of_volts(ohm, style):
    frame = pd.DataFrame({"pulse": PULSES})
    for i, (name, row) in enumerate(zip(NAMES, ohm, strict=True)):
        volt = 0.1 + 0.001 * np.cos(PULSES + i)
        frame[style.format("V", name, "V")], frame[style.format("I", name, "A")] = volt, volt / row
    return frame


@pytest.mark.parametrize("style", ["{1} {0} ({2})", "{0}_{1}", "{0} ({1})", "{0}_{1} [{2}]"])
def test_a_voltage_and_a_current_for_each_device(tmp_path, ohm, style):
    """Each device has its own voltage, so that one taken for all would be seen."""
    columns_of_volts(ohm, style).to_csv(tmp_path / "t.csv", index=False)
    check(load_traces(tmp_path / "t.csv"), ohm)


def test_a_voltage_and_a_current_under_a_header_of_two_levels(tmp_path, ohm):
    flat = columns_of_volts(ohm, "{1} {0}").set_index("pulse")
    flat.columns = pd.MultiIndex.from_tuples([tuple(name.split()) for name in flat.columns])
    flat.to_csv(tmp_path / "t.csv")
    check(load_traces(tmp_path / "t.csv"), ohm)


def test_lists_in_the_cells_of_a_parquet_file_are_the_reads_of_a_device(tmp_path, ohm):
    frame = pd.DataFrame({"device": NAMES, "pulse": [PULSES] * 4, "resistance_ohm": list(ohm), "wafer": 7})
    frame.to_parquet(tmp_path / "t.parquet")
    check(load_traces(tmp_path / "t.parquet"), ohm)
    frame["pulse"] = [PULSES, PULSES[:-1], PULSES, PULSES]
    frame.to_parquet(tmp_path / "t.parquet")
    assert "row 1: 39 values in 'pulse' and 40 in 'resistance_ohm'" in refusal(tmp_path / "t.parquet")


def write_axes(path, values, labels=(), **vectors):
    with h5py.File(path, "w") as root:
        item = root.create_dataset("resistance", data=values)
        item.attrs["unit"] = "ohm"
        for i, label in enumerate(labels):
            item.dims[i].label = label
        for name, cells in vectors.items():
            root[name] = cells


@pytest.mark.parametrize("turned", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_three_axes_with_names_or_vectors(tmp_path, ohm, turned):
    """Every cycle is 10 % higher: a side taken for another would be seen."""
    cycles = np.stack([ohm, 1.1 * ohm, 1.2 * ohm], axis=1)
    device, pulse = np.array(NAMES, dtype="S"), PULSES
    write_axes(tmp_path / "v.h5", cycles.transpose(turned), device=device, cycle=np.arange(3), pulse=pulse)
    traces = load_traces(tmp_path / "v.h5")
    assert [(t.device, t.cycle) for t in traces] == [(name, c) for name in NAMES for c in range(3)]
    assert np.stack([t.resistance_ohm for t in traces]) == pytest.approx(cycles.reshape(12, 40))
    labels = [("row", "col", "pulse")[side] for side in turned]
    write_axes(tmp_path / "l.h5", ohm.reshape(2, 2, 40).transpose(turned), labels)
    read = {trace.device: trace.resistance_ohm for trace in load_traces(tmp_path / "l.h5")}
    rows_first = labels.index("row") < labels.index("col")
    for row, col in np.ndindex(2, 2):
        name = f"{row}/{col}" if rows_first else f"{col}/{row}"
        assert read[name] == pytest.approx(ohm[2 * row + col])


def test_repeats_are_reads_of_one_device_and_axes_without_names_get_them_by_the_command(tmp_path, ohm):
    write_axes(tmp_path / "r.h5", np.stack([ohm * 0.999, ohm, ohm * 1.001], axis=2))
    read = load_traces(take_the_way(tmp_path / "r.h5", tmp_path))
    assert len(read) == 4
    assert np.stack([t.resistance_ohm for t in read]) == pytest.approx(ohm, rel=2e-3)
    assert read.traces[0].repeats[1] == 2 * 40


def test_datasets_in_groups_of_dies(tmp_path, ohm):
    names = ["die_0/D0", "die_0/D1", "die_1/D0", "die_1/D1"]
    for table in (False, True):
        with h5py.File(tmp_path / "t.h5", "w") as root:
            for name, row in zip(names, ohm, strict=True):
                item = root.create_dataset(name, data=np.column_stack([PULSES, row]) if table else row)
                item.attrs["columns" if table else "unit"] = ["pulse", "R (ohm)"] if table else "ohm"
        check(load_traces(tmp_path / "t.h5"), ohm, names)


def test_cells_of_matlab(tmp_path, ohm):
    savemat = pytest.importorskip("scipy.io").savemat
    pytest.importorskip("pymatreader")
    cells, both = np.empty(4, dtype=object), np.empty(4, dtype=object)
    for i in range(4):
        cells[i], both[i] = ohm[i], np.column_stack([PULSES, ohm[i]])
    savemat(tmp_path / "a.mat", {"resistance_ohm": cells, "names": np.array(NAMES, dtype=object)})
    assert "--map pulse=@row,resistance=0" in refusal(tmp_path / "a.mat")
    check(load_traces(tmp_path / "a.mat", column_map="pulse=@row,resistance=0"), ohm)
    savemat(tmp_path / "b.mat", {"data": both})
    assert "--map pulse=0,resistance=1" in refusal(tmp_path / "b.mat")
    names = [f"data({i})" for i in range(1, 5)]
    check(load_traces(tmp_path / "b.mat", column_map="pulse=0,resistance=1"), ohm, names)


def test_devices_of_one_name_in_the_groups_of_a_tdms_file(tmp_path, ohm):
    tdms = pytest.importorskip("nptdms")
    with tdms.TdmsWriter(tmp_path / "t.tdms") as writer:
        for die in range(2):
            unit = {"unit_string": "ohm"}
            channels = [tdms.ChannelObject(f"die{die}", f"D{i}", ohm[2 * die + i], unit) for i in (0, 1)]
            writer.write_segment([tdms.ChannelObject(f"die{die}", "pulse", PULSES), *channels])
    check(load_traces(tmp_path / "t.tdms"), ohm, ["die0/D0", "die0/D1", "die1/D0", "die1/D1"])


def test_a_file_for_each_pulse_number(tmp_path, ohm):
    for pulse in PULSES:
        reads = pd.DataFrame({"device": NAMES, "R_ohm": ohm[:, pulse]})
        reads.to_csv(tmp_path / f"lot3 after {pulse} pulses.csv", index=False)
    assert "--map pulse=@file" in refusal(tmp_path)
    check(load_traces(tmp_path, column_map="pulse=@file"), ohm)
    (tmp_path / "lot3 after 5 pulses again.csv").write_text("device,R_ohm\nD00,9000\n")
    with pytest.raises(Exception, match="device 'D00' was read after pulse 5 in another file"):
        load_traces(tmp_path, column_map="pulse=@file")


@pytest.fixture
def long_table(ohm):
    return pd.DataFrame({"device": np.repeat(NAMES, 40), "pulse": np.tile(PULSES, 4), "resistance_ohm": ohm.ravel()})


@pytest.mark.parametrize("kind", ["feather", "stata", "json", "pickle"])
def test_formats_that_are_not_read_come_with_the_command_that_makes_a_csv(tmp_path, long_table, ohm, kind):
    path = tmp_path / f"lot.{'dta' if kind == 'stata' else kind}"
    getattr(long_table, f"to_{kind}")(path)
    check(load_traces(take_the_way(path, tmp_path)), ohm)


def test_archives_and_pages_say_what_to_do(tmp_path, long_table):
    (tmp_path / "lot.zip").write_bytes(b"PK\x03\x04" + bytes(60))
    assert "python -m zipfile -e FILE FOLDER" in refusal(tmp_path / "lot.zip")
    long_table.to_html(tmp_path / "lot.xls")
    assert "save it as .xlsx or CSV" in refusal(tmp_path / "lot.xls")


def test_decimal_commas_between_commas_come_with_the_command_that_joins_them(tmp_path, long_table, ohm):
    lines = [f"{d},{p},{r:.2f}".replace(".", ",") for d, p, r in long_table.itertuples(index=False)]
    (tmp_path / "t.csv").write_text("\n".join(["device,pulse,resistance (ohm)", *lines]))
    check(load_traces(take_the_way(tmp_path / "t.csv", tmp_path)), ohm, rel=1e-5)
    lines = [f"{d},{p},{r:.2f},{'ok, fine' if p % 7 == 3 else 'ok'}" for d, p, r in long_table.itertuples(index=False)]
    (tmp_path / "t.csv").write_text("\n".join(["device,pulse,resistance (ohm),comment", *lines]))
    check(load_traces(take_the_way(tmp_path / "t.csv", tmp_path)), ohm, rel=1e-5)


def changed(long_table, **columns):
    """The long table with other columns in place of its readings."""
    frame = long_table.drop(columns=long_table.columns[-1])
    return frame.assign(**columns)


MADE_OF_READINGS = {
    "log10(R)": np.log10, "lnR": np.log, "log G": lambda ohm: -np.log10(ohm),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE_OF_READINGS)
@pytest.mark.parametrize("separator", [",", ";"])
def test_logarithms_come_with_the_command_that_takes_them_back(tmp_path, long_table, ohm, name, separator):
    made = {name: MADE_OF_READINGS[name](long_table[long_table.columns[-1]])}
    changed(long_table, **made).to_csv(tmp_path / "t.csv", index=False, sep=separator)
    check(load_traces(take_the_way(tmp_path / "t.csv", tmp_path)), ohm, rel=1e-5)


def test_shares_of_r0_come_with_the_command_that_multiplies_them(tmp_path, long_table, ohm):
    values = long_table[long_table.columns[-1]].to_numpy()
    first = np.repeat(values.reshape(4, -1)[:, 0], 40)
    changed(long_table, **{"R0 (ohm)": first, "R/R0": values / first}).to_csv(tmp_path / "t.csv", index=False)
    check(load_traces(take_the_way(tmp_path / "t.csv", tmp_path)), ohm, rel=1e-5)


def test_pulses_told_by_their_voltage_come_with_the_command_that_counts_them(tmp_path, ohm):
    rows = [
        row
        for name, values in zip(NAMES, ohm, strict=True)
        for k, value in enumerate(values)
        for row in [(name, -1.1, -3e-5)] * (k > 0) + [(name, 0.1, 0.1 / value)]
    ]
    pd.DataFrame(rows, columns=["device", "V_applied (V)", "I (A)"]).to_csv(tmp_path / "t.csv", index=False)
    check(load_traces(take_the_way(tmp_path / "t.csv", tmp_path)), ohm)


@pytest.mark.parametrize("some", [0, 2])
def test_commas_in_names_come_with_the_command_that_joins_them(tmp_path, long_table, ohm, some):
    """In all names, or from the third device on."""
    text = long_table.to_csv(index=False)
    for name in NAMES[some:]:
        text = text.replace(f"\n{name}", f"\ndie 3,{name}")
    (tmp_path / "t.csv").write_text(text)
    names = [*NAMES[:some], *(f"die 3 {name}" for name in NAMES[some:])]
    check(load_traces(take_the_way(tmp_path / "t.csv", tmp_path)), ohm, names)


def test_zero_bytes_within_a_text_come_with_the_command_that_leaves_out_their_lines(tmp_path, long_table, ohm):
    lines = long_table.to_csv(index=False).split("\n")
    lines[20] = lines[20][:5] + "\0" * 8 + lines[20][5:]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    traces = load_traces(take_the_way(tmp_path / "t.csv", tmp_path))
    assert sum(map(len, traces)) == ohm.size - 1


def test_lines_of_names_and_values_come_with_the_command_that_makes_a_table(tmp_path, long_table, ohm):
    rows = long_table.to_numpy().tolist()
    (tmp_path / "t.txt").write_text("".join(f"device={d} pulse={p} R_ohm={r!r}\n" for d, p, r in rows))
    check(load_traces(take_the_way(tmp_path / "t.txt", tmp_path)), ohm)


@pytest.mark.parametrize("places", [("{}", "{}"), ("x{}", "y{}")])
def test_maps_of_a_wafer_come_with_the_command_that_makes_rows_of_them(tmp_path, places, monkeypatch):
    """A map after each of 40 pulse numbers: four places that no die covers stay empty."""
    x, y = ([word.format(number) for number in (1, 2, 3)] for word in places)
    rng = np.random.default_rng(4)
    maps = 1e4 * np.exp(0.1 * rng.standard_normal((3, 3)) + 3e-3 * PULSES[:, None, None])
    (tmp_path / "rows").mkdir()
    monkeypatch.chdir(tmp_path / "rows")
    for pulse, one in zip(PULSES.tolist(), maps, strict=True):
        one[[0, 0, 2, 2], [0, 2, 0, 2]] = np.nan
        path = tmp_path / "map.csv"
        pd.DataFrame(one, index=y, columns=x).to_csv(path, index_label="")
        command = re.search(r"python -c \"(.*?)\"", refusal(path))
        exec(command[1].replace("FILE", str(path)).replace("0010", f"{pulse:04d}"), {})
    read = load_traces(tmp_path / "rows", column_map="pulse=@file")
    assert len(read) == 5
    assert all(trace.pulses.tolist() == PULSES.tolist() for trace in read)
    middle = next(trace for trace in read if trace.device == f"{y[1]}/{x[1]}")
    assert middle.resistance_ohm == pytest.approx(maps[:, 1, 1])


VECTORS = {
    "no counter": (None, ("foo", "bar", "qux", "zap")),
    "a counter of unknown name": ("idx", ("foo", "bar", "qux", "zap")),
    "a group a device": ("x", ("y",)),
    "a group a device, one vector": (None, ("trace",)),
    "of different lengths": (None, ("D00", "D01", "D02", "D03")),
}


@pytest.mark.parametrize("kind", VECTORS)
def test_vectors_that_no_name_explains_come_with_a_map(tmp_path, ohm, kind):
    counter, names = VECTORS[kind]
    ragged = "lengths" in kind
    with h5py.File(tmp_path / "t.h5", "w") as file:
        for i, row in enumerate(ohm):
            group = file if len(names) > 1 else file.create_group(NAMES[i])
            group[names[i % len(names)]] = row[: 40 - i] if ragged else row
            if counter and counter not in group:
                group[counter] = PULSES
    way = re.search(r"--map (\S+?)(?:;|$)", refusal(tmp_path / "t.h5"))
    read = {trace.device: trace for trace in load_traces(tmp_path / "t.h5", column_map=way[1])}
    wanted = sorted(names) if len(names) > 1 else NAMES
    assert sorted(read) == sorted(wanted)
    for i, row in enumerate(ohm):
        trace = read[names[i] if len(names) > 1 else NAMES[i]]
        assert trace.resistance_ohm == pytest.approx(row[: 40 - i] if ragged else row)
        assert trace.pulses.tolist() == PULSES[: len(trace)].tolist()
