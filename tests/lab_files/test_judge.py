"""The judge itself: it must tell right from wrong."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lab_files.bench import Bench, digits, long_sheet
from tests.lab_files.case import Case
from tests.lab_files.judge import REFUSED, RIGHT, WRONG, _of_another_stage, advice, judge, match_names


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, "csv", np.random.default_rng(5))


def test_a_plain_file_is_right(bench):
    lot = bench.lot()
    assert judge(Case(bench.write(long_sheet(lot)), lot.readings())).word == RIGHT


@pytest.mark.parametrize("factor", [1e-3, 1.001])
def test_other_values_are_wrong(bench, factor):
    lot = bench.lot(level_ohm=2e5)
    verdict = judge(Case(bench.write(long_sheet(lot, "R (ohm)", digits(factor))), lot.readings()))
    assert (verdict.word, verdict.cause) == (WRONG, "readings")


def test_shifted_pulses_swapped_devices_and_lost_readings_are_wrong(bench):
    lot = bench.lot(n=3)
    path = bench.write(long_sheet(lot))
    shifted = {(d, c, p + 1): ohm for (d, c, p), ohm in lot.readings().items()}
    swapped = lot.readings(lambda name: {"D00": "D01", "D01": "D00"}.get(name, name))
    more = lot.readings() | {("D00", 0, 999): 1e4}
    renamed = lot.readings(lambda name: "chip " + name)
    for truth in (shifted, swapped, more):
        assert judge(Case(path, truth)).word == WRONG
    assert judge(Case(path, renamed)).word == RIGHT
    assert "without a word" in judge(Case(path, more)).why


def test_a_reading_must_be_left_out_for_its_reason(bench):
    lot = bench.lot()
    sheet = long_sheet(lot)
    sheet.columns[-1][7] = 0.0
    key = (lot.names[0], 0, 7)
    truth = {k: v for k, v in lot.readings().items() if k != key}
    path = bench.write(sheet)
    assert judge(Case(path, truth, {key: "zero"})).word == RIGHT
    assert judge(Case(path, truth, {key: "overflow"})).cause == "reason"
    assert judge(Case(path, lot.readings())).word == WRONG


def test_what_must_be_refused_must_be_refused_for_its_reason(bench):
    lot = bench.lot()
    readable = bench.write(long_sheet(lot))
    assert judge(Case(readable, None, must_refuse="unit")).cause == "read"
    sheet = long_sheet(lot)
    sheet.header = False
    headerless = bench.write(sheet, "bare")
    assert judge(Case(headerless, None, must_refuse="no header", ways=[lot.readings()])).word == REFUSED
    assert judge(Case(headerless, None, must_refuse="no header", ways=[lot.readings()])).way
    assert judge(Case(headerless, None, must_refuse="siemens", ways=[lot.readings()])).cause == "message"
    assert judge(Case(headerless, None, must_refuse="no header", ways=[])).cause == "advice"


def test_advice_is_what_a_user_would_paste():
    text = "f.csv: what is it? Say --map device=0,pulse=1,resistance=2[kohm], or --map pulse=COLUMN, or --skip 3."
    assert advice(text) == ["--map device=0,pulse=1,resistance=2[kohm]", "--skip 3"]
    assert advice("say so with --map. Or --map read_voltage='100 mV' (volt)") == ["--map read_voltage='100 mV'"]


def test_an_option_of_the_fit_is_no_way_to_read():
    assert _of_another_stage("--drift auto")
    assert not _of_another_stage("--map device=0")
    assert not _of_another_stage("--no-such-option 3")


def test_names_match_by_their_words():
    assert match_names({"Conductance (W11)", "W12"}, {"W11", "W12"}) == {"Conductance (W11)": "W11", "W12": "W12"}
    assert "no device" in match_names({"elapsed_ms"}, {"D1", "D2"})
    assert "2 devices where there are 1" in match_names({"a/D1", "b/D1"}, {"D1"})
