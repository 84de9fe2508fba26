"""What every reader of an instrument format must do, on its sample file and on files written for the purpose."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.traces.formats import DATA, ISOLATED, SAMPLES, Run, read_in_this_process
from weakreset.errors import MissingExtraError, TraceFormatError
from weakreset.traces import load_traces, write_csv_long
from weakreset.traces.recognise import choose_reader

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"
HOSTILE = "<script>alert(1)</script>"
SLOW = {name for name, sample in SAMPLES.items() if sample.reader in ISOLATED}


@pytest.fixture
def here(monkeypatch):
    for module in ISOLATED:
        monkeypatch.setattr(f"weakreset.traces.readers.{module}.read_isolated", read_in_this_process)


def as_dict(traces):
    return {(t.device, t.cycle): (t.pulses.tolist(), t.resistance_ohm.tolist()) for t in traces}


def expected(runs):
    return {(run.device, run.cycle): (run.pulses.tolist(), run.ohms.tolist()) for run in runs}


def load(path, sample, **options):
    return load_traces(path, column_map=sample.column_map or None, **options)


@st.composite
def drawn_runs(draw, sample):
    """Runs that a format can hold: ragged, with gaps where its counter may have some."""
    names = ("A", "w 1/7", "d,e;f") if sample.free_names else sample.devices
    runs = []
    for device in names[: draw(st.integers(1, 3))]:
        for cycle in range(draw(st.integers(1, 3)) if sample.n_cycles > 1 else 1):
            steps = draw(st.lists(st.integers(1, 1 if sample.every_pulse else 9), min_size=3, max_size=9))
            ohms = st.floats(1.0, 1e9, allow_subnormal=False)
            values = draw(st.lists(ohms, min_size=len(steps), max_size=len(steps)))
            pulses = np.cumsum(steps) - steps[0] + sample.first_pulse
            runs.append(Run(device, cycle, pulses, np.array(values)))
    return runs


@pytest.mark.parametrize("name", SAMPLES)
class TestEveryFormat:
    def test_it_is_recognised(self, name):
        path = DATA / SAMPLES[name].file
        reader, why = choose_reader(path, path.name)
        assert (reader.name, bool(why)) == (SAMPLES[name].reader, True)

    def test_the_sample_gives_what_the_generator_put_in(self, name):
        sample = SAMPLES[name]
        traces = load(DATA / sample.file, sample)
        wanted = expected(sample.runs())
        assert as_dict(traces).keys() == wanted.keys()
        for trace in traces:
            pulses, ohms = wanted[trace.device, trace.cycle]
            assert trace.pulses.tolist() == pulses
            assert trace.resistance_ohm == pytest.approx(ohms, rel=sample.rounding or 1e-15)
        assert traces.simulated
        assert len(traces.exclusions) == sample.n_excluded

    def test_the_generator_writes_the_same_bytes_again(self, name, tmp_path):
        sample = SAMPLES[name]
        package = {".h5": "h5py", ".hdf5": "h5py", ".mat": "h5py", ".parquet": "pyarrow"}.get(Path(sample.file).suffix)
        if package and f"{package}=={version(package)}" not in CONSTRAINTS.read_text().splitlines():
            pytest.skip(f"the bytes are those of the {package} of constraints.txt")
        sample.write(tmp_path / sample.file, sample.runs())
        assert (tmp_path / sample.file).read_bytes() == (DATA / sample.file).read_bytes()
        assert (DATA / sample.file).stat().st_size < 60_000

    def test_what_is_read_survives_our_own_csv(self, here, name, tmp_path):
        traces = load(DATA / SAMPLES[name].file, SAMPLES[name])
        again = load_traces(write_csv_long(traces, tmp_path / "again.csv"))
        assert as_dict(again) == as_dict(traces)

    def test_any_traces_survive_writing_and_reading(self, here, name, tmp_path_factory):
        sample = SAMPLES[name]
        path = tmp_path_factory.mktemp("round") / sample.file

        @settings(
            max_examples=8 if name in SLOW else 15, deadline=None, derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        )  # fmt: skip
        @given(drawn_runs(sample))
        def check(runs):
            sample.write(path, runs)
            read, wanted = as_dict(load(path, sample, limits=None)), expected(runs)
            assert read.keys() == wanted.keys()
            for key, (pulses, ohms) in wanted.items():
                assert read[key][0] == pulses
                assert read[key][1] == pytest.approx(ohms, rel=sample.rounding or 1e-15)

        check()

    def test_a_cut_file_is_refused(self, here, name, tmp_path):
        sample = SAMPLES[name]
        content = (DATA / sample.file).read_bytes()
        path = tmp_path / sample.file
        for end in (len(content) * 3 // 5, len(content) * 97 // 100 - 1):
            path.write_bytes(content[:end])
            with pytest.raises(TraceFormatError, match=path.name):
                load(path, SAMPLES[name], format=SAMPLES[name].reader)

    def test_an_empty_file_and_another_kind_of_file_are_refused(self, here, name, tmp_path):
        path = tmp_path / SAMPLES[name].file
        for content in (b"", b"\x00" * 100, b"\x89PNG\r\n\x1a\n" + bytes(range(256))):
            path.write_bytes(content)
            with pytest.raises(TraceFormatError, match=path.name):
                load(path, SAMPLES[name], format=SAMPLES[name].reader)

    def test_a_name_that_is_html_stays_text(self, here, name, tmp_path):
        sample = SAMPLES[name]
        if not sample.free_names:
            pytest.skip("the format cannot hold any name")
        path = tmp_path / sample.file
        runs = [Run(HOSTILE, 0, np.arange(5), np.arange(5.0) + 100)]
        sample.write(path, runs)
        read = as_dict(load(path, sample, limits=None))
        assert read.keys() == {(HOSTILE, 0)}
        assert read[HOSTILE, 0][1] == pytest.approx(runs[0].ohms)


@pytest.mark.parametrize("name", sorted(name for name in SAMPLES if SAMPLES[name].extra))
def test_a_missing_package_is_answered_with_the_line_that_installs_it(name, monkeypatch):
    found = importlib.util.find_spec
    packages = {"python_calamine", "pymatreader", "nptdms"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None if package in packages else found(package))
    extra = SAMPLES[name].extra
    with pytest.raises(MissingExtraError, match=rf"pip install 'weakreset\[{extra}\]'"):
        load(DATA / SAMPLES[name].file, SAMPLES[name])
