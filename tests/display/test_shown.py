"""What a terminal and a notebook print of each result: short, labelled, and deaf to hostile names."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from functools import lru_cache
from html.parser import HTMLParser

import pytest

import weakreset as wr
from tests.builders import HOSTILE, small_fits, small_parameters, small_population
from weakreset.display import Shown, Summary, text_table

NASTY = "\x1b[2J\n<img src=x onerror=alert(1)>\u202e" + "x" * 100_000


@lru_cache(maxsize=1)
def verdict() -> wr.Verdict:
    return wr.validate(small_parameters(), small_fits().traces, seed=1)


@lru_cache(maxsize=1)
def run() -> wr.TrainingRun:
    return wr.train("majumdar2021", "digits", hidden=8, epochs=2, batch_size=500, without="pink")


def ablation() -> wr.Ablation:
    line = {"pulses_mean": 12.0, "pulses_p99": 40.0, "pulses_max": 60.0}
    finals = {
        name: [line | {"test_accuracy": accuracy + 0.001 * seed**2} for seed in range(3)]
        for name, accuracy in {"all on": 0.9, "without d2d": 0.95, "without <b>": 0.91, "without pink": 0.9}.items()
    }
    return wr.Ablation.of(finals, range(3), {"data": "digits", "recipe": "<i>", "parameter_file": HOSTILE})


RESULTS = {
    "TraceSet": lambda: small_fits().traces,
    "PulseTrace": lambda: small_fits().traces.traces[0],
    "FitSet": small_fits,
    "DeviceFit": lambda: small_fits().fits[0],
    "Population": small_population,
    "LawFit": lambda: small_population().laws["m1"],
    "ParameterFile": small_parameters,
    "Verdict": verdict,
    "Comparison": lambda: wr.compare_parameters(small_parameters(), wr.load_parameters("majumdar2021")),
    "TrainingRun": run,
    "Ablation": ablation,
}


class Tags(HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: set[tuple[str, str | None]] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= set(attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check_harmless(page: str) -> None:
    tags = Tags(page)
    assert set(tags.tags) <= {"div", "p", "b", "br", "table", "thead", "tbody", "tr", "th", "td"}
    assert tags.attributes <= {("style", "text-align:left")}
    assert tags.open == []


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_shows_itself_in_a_few_lines_and_a_table(name):
    result = RESULTS[name]()
    text = repr(result)
    assert text.startswith(name)
    assert name == "FitSet" or str(result) == text  # printed, a set shows some rows more
    assert len(text.splitlines()) <= 16
    assert len(text) < 4000
    assert not re.search(r"\bnan\b|None(?! of the \w+ is shown)|array\(|0x[0-9a-f]{6}", text)
    page = result._repr_html_()
    check_harmless(page)
    assert "<table>" in page
    if name not in ("DeviceFit", "PulseTrace", "LawFit"):  # a part does not know; its set says so
        assert "simulated" in text.splitlines()[0], "simulated data is always labelled"
    assert len(page) < 40_000


def test_a_fit_set_of_forty_devices_is_a_dozen_lines_and_its_page_has_every_device_with_its_status():
    fits = wr.fit_devices(wr.simulate_traces("majumdar2021", 40, 150, seed=3))
    assert len(repr(fits).splitlines()) == 12
    page = fits._repr_html_()
    for fit in fits:
        assert f">{fit.device}</td>" in page
        assert f">{fit.status.value}</td>" in page
        assert fit.status.sentence in page


@pytest.mark.parametrize("name", ["TraceSet", "PulseTrace", "FitSet", "DeviceFit", "ParameterFile"])
def test_hostile_names_do_nothing(name):
    traces = small_fits().traces
    bad_trace = dataclasses.replace(traces.traces[0], device=NASTY, source=NASTY)
    bad_fit = dataclasses.replace(small_fits().fits[0], device=NASTY, excluded_because=NASTY)
    result = {
        "TraceSet": dataclasses.replace(traces, traces=(bad_trace, *traces.traces[1:]), notes=(NASTY,)),
        "PulseTrace": bad_trace,
        "FitSet": dataclasses.replace(small_fits(), fits=(bad_fit, *small_fits().fits[1:]), notes=(NASTY,)),
        "DeviceFit": bad_fit,
        "ParameterFile": small_parameters().model_copy(update={"name": NASTY}),
    }[name]
    for text in (repr(result), result._repr_html_()):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert len(text) < 40_000
    assert len(repr(result).splitlines()) <= 16
    check_harmless(result._repr_html_())


def test_the_check_sees_a_page_that_does_not_escape():
    with pytest.raises(AssertionError):
        check_harmless(f"<div>{NASTY[5:60]}</div>")


def test_what_is_left_out_is_counted():
    rows = [(f"d{i}", "ok") for i in range(50)]
    shown = Summary("T", (), ("device", "status"), rows, 3000)
    assert shown.text().endswith("... and 2992 more")
    assert "... and 2950 more" in shown.html()
    assert shown.html().count("<tr>") == 51
    assert text_table(("a", "b"), [("x", "long name")], 1) == "a  b\nx  long name"
    assert Summary("empty").html() == "<div><p><b>empty</b></p></div>"


def test_a_result_without_a_summary_says_so():
    with pytest.raises(NotImplementedError):
        repr(Shown())


def test_a_page_needs_no_pandas():
    code = (
        "import sys, weakreset as wr; wr.simulate_traces('majumdar2021', 3, 20)._repr_html_();"
        "wr.load_parameters('majumdar2021')._repr_html_(); print('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
