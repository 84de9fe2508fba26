"""Plain tables of devices as fits."""

import numpy as np
import pytest

from weakreset.errors import TraceFormatError, UsageError
from weakreset.fitting import FitStatus
from weakreset.population import fit_population, read_device_table

HEAD = "device,n_pulses,r0 (kohm),m1 (%/pulse),m1_stderr (%/pulse),c1\n"


def table(tmp_path, text: str):
    path = tmp_path / "devices.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_units_in_the_header_and_decimal_commas_are_taken(tmp_path):
    path = table(tmp_path, "R0 (kohm);m1 (%/pulse);m1_err;c1\n7,1;0,05;0,0001;0\n6,9;0,06;0,0001;0,1\n")
    fits = read_device_table(path, "single-slope")
    assert [fit.estimates["r0_ohm"].value for fit in fits] == pytest.approx([7100.0, 6900.0])
    assert fits["row 1"].estimates["m1"].value == pytest.approx(5e-4)
    assert fits["row 1"].estimates["m1"].stderr == pytest.approx(1e-4)  # its own header says no unit


def test_errors_do_not_count_as_spread(tmp_path):
    """60 devices with spread 5e-5 and errors of 2e-4 about 1e-3: the law's sd is far below that of the estimates.

    Law: errors and devices normal, seed 3; sd of the estimates is 2.06e-4, its own error 9 %: 1.2e-4 is 4.6 of it off.
    """
    rng = np.random.default_rng(3)
    m1 = 1e-3 + 5e-5 * rng.standard_normal(60) + 2e-4 * rng.standard_normal(60)
    rows = "".join(f"D{i},500,{7 + 0.1 * rng.standard_normal()},{100 * v},0.02,{0.01 * rng.standard_normal()}\n"
                   for i, v in enumerate(m1))
    exact = HEAD.replace("m1_stderr (%/pulse)", "unused") + rows
    with_errors, without = (
        fit_population(read_device_table(table(tmp_path, text), "single-slope"), families={"m1": "norm"})
        for text in (HEAD + rows, exact)
    )
    assert with_errors.laws["m1"].law.params["sd"] < 1.2e-4 < without.laws["m1"].law.params["sd"]


def test_rows_that_cannot_be_used_are_kept_with_a_reason(tmp_path):
    rows = "A,500,7,0.05,0.001,0\nB,500,-7,0.05,0.001,0\nC,500,7,,0.001,0\n"
    fits = read_device_table(table(tmp_path, HEAD + rows), "single-slope")
    assert [fit.status for fit in fits] == [FitStatus.OK, FitStatus.EXCLUDED, FitStatus.EXCLUDED]
    assert [fit.excluded_because for fit in fits] == ["", "r0_ohm is -7", "m1 empty"]


def test_an_empty_knee_means_what_is_said_and_else_nothing(tmp_path):
    rng = np.random.default_rng(5)
    knees = rng.lognormal(np.log(500), 0.6, 200)
    head = "device,n_pulses,r0_ohm,m1,t_star,c1,m2\n"
    rows = "".join(
        f"D{i},600,{7000 + 100 * rng.standard_normal()},{rng.exponential(5e-4) + 1e-5},{k if k < 600 else ''},"
        f"{0.05 * rng.standard_normal()},{rng.exponential(2e-5) + 1e-7 if k < 600 else ''}\n"
        for i, k in enumerate(knees)
    )
    path = table(tmp_path, head + rows)
    with pytest.raises(TraceFormatError, match="--empty-knee beyond"):
        read_device_table(path)
    beyond = fit_population(read_device_table(path, empty_knee="beyond"), families={"t_star": "lognorm"})
    law = beyond.laws["t_star"]
    # 200 devices, a third of them censored: ln of the median is known to 0.05, and 0.2 is four of that
    assert abs(np.log(law.law.median() / 500)) < 0.2
    assert law.n_censored == int(np.sum(knees >= 600))
    unknown = read_device_table(path, empty_knee="unknown")
    assert unknown.counts()["excluded"] == int(np.sum(knees >= 600))
    assert any("too early on average" in note for note in unknown.notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no header"), ("r0_ohm,m1\n7,1\n", "no column for c1"), ("r0_ohm,m1,c1\n7,1\n", "row 1 has 2 cells"),
        ("r0_ohm,m1,c1,m1\n7,1,0,1\n", "m1 is there twice"), ("r0_ohm,m1,c1\n7,x,0\n", "row 1, m1: 'x "),
        ("r0_ohm,m1 (kohm),c1\n7,1,0\n", "cannot be turned into 1/pulse"),
        ("r0_ohm,m1,c1\n,1,0\n", "no device can be used"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_the_place(tmp_path, text, words):
    with pytest.raises(TraceFormatError, match=words):
        read_device_table(table(tmp_path, text), "single-slope")


def test_words_that_are_not_known_are_refused(tmp_path):
    path = table(tmp_path, HEAD + "A,500,7,0.05,0.001,0\n")
    for options in ({"drift": "no"}, {"direction": "up"}, {"empty_knee": "maybe"}):
        with pytest.raises(UsageError):
            read_device_table(path, **options)


def test_two_rows_of_one_name_are_refused_and_impossible_numbers_named(tmp_path):
    head = "device,r0_ohm,m1,t_star,c1,m2\n"
    rows = [f"d{i},{7000 + 10 * i},{5e-4 + 1e-5 * i},{400 + 9 * i},{0.01 * i},1e-5\n" for i in range(8)]
    table = tmp_path / "t.csv"
    table.write_text(head + "".join(rows) + rows[3])
    with pytest.raises(TraceFormatError, match="rows 4 and 9 are both device 'd3'"):
        read_device_table(table)
    table.write_text(head + "".join(rows) + "odd,7000,-5e-4,400,0,1e-5\n")
    fits = read_device_table(table)
    assert fits["odd"].excluded_because == "m1 is -5e-4, which is none where R rises (--direction)"
    assert fit_population(fits).laws["m1"].n_devices == 8


def test_order_of_rows_decides_nothing(tmp_path):
    head = "device,r0_ohm,m1,m1_stderr,t_star,c1,m2\n"
    rows = [f"d{i},{7000 + 10 * i},{5e-4 + 1e-5 * i},1e-5,{400 + 9 * i},{0.01 * i},1e-5\n" for i in range(8)]
    found = []
    for order in (rows, rows[::-1]):
        (tmp_path / "t.csv").write_text(head + "".join(order))
        found.append(fit_population(read_device_table(tmp_path / "t.csv")).laws["m1"].law.params)
    assert found[0] == found[1]
