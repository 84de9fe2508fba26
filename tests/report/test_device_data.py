"""The data behind the device panel: nothing lost that a person would see, nothing that can break the page."""

import base64
import dataclasses
import json

import numpy as np
import pytest

from tests import builders
from weakreset.report.device_data import device_lines
from weakreset.report.thinning import autocorrelation, bends, column, extremes, positions


def read(text):
    """The head of the data, and each device."""
    head, *devices = map(json.loads, text.split("\n"))
    return head, devices


def decoded(packed, n_bytes):
    low, high, text = packed
    raw = np.frombuffer(base64.b64decode(text), "<u1" if n_bytes == 1 else "<u2")
    return low + (high - low) * raw / (256**n_bytes - 1)


def walked(packed):
    first, text = packed
    return first + np.cumsum(np.frombuffer(base64.b64decode(text), "u1").astype(int))


@pytest.mark.parametrize("n", [1, 2, 299, 300, 301, 1000, 1999])
def test_thinning_keeps_both_ends_and_any_single_outlier(n):
    rng = np.random.default_rng(n)
    values = rng.normal(size=n)
    values[n // 3] += 50
    chosen = extremes(values, 300)
    assert {0, n // 3, n - 1} <= set(chosen)
    assert len(chosen) <= 302
    assert (np.diff(chosen) > 0).all()


@pytest.mark.parametrize("n_bytes", [1, 2])
def test_a_column_is_right_to_half_a_level(n_bytes):
    values = np.random.default_rng(1).normal(size=500)
    worst = np.abs(decoded(column(values, n_bytes), n_bytes) - values).max()
    assert worst <= 0.51 * np.ptp(values) / (256**n_bytes - 1) + 2e-5


def test_constant_columns_and_long_gaps_are_kept():
    assert (decoded(column(np.full(3, 2.5), 1), 1) == 2.5).all()
    pulses = np.array([1, 2, 257, 300])
    assert (walked(positions(pulses)) == pulses).all()
    far = np.array([1, 2, 258, 60_000])
    assert (np.rint(decoded(positions(far), 2)) == far).all()


def test_a_curve_keeps_its_bend_only():
    pulses = np.arange(1, 101)
    assert bends(pulses, np.maximum(pulses - 40.0, 0.0)) == [[1, 40, 100], [0.0, 0.0, 60.0]]


def test_autocorrelation_of_an_alternating_series_alternates():
    series = np.tile([1.0, -1.0], 500)
    found = autocorrelation(series, 40)
    assert len(found) == 40
    assert found[:2] == pytest.approx([-1, 1], abs=0.01)
    assert len(autocorrelation(np.ones(50), 40)) == 0


def test_the_page_gets_the_trace_fit_and_numbers_of_every_device_in_order():
    fits = builders.small_fits()
    data, devices = read(device_lines(fits))
    assert [item["name"] for item in devices] == [fit.device for fit in fits]
    for fit, item in zip(fits, devices, strict=True):
        assert data["words"][item["sentence"]] == (fit.excluded_because or fit.status.sentence)
        if not fit.numbers:
            assert "curve" not in item
            continue
        assert decoded(item["y"], 2)[[0, -1]] == pytest.approx(fit.log_ratio[[0, -1]], abs=1e-4)
        drawn = np.interp(fit.pulses, *item["curve"])
        assert np.abs(drawn - fit.drift_at(fit.pulses)).max() < 0.01 * np.ptp(fit.log_ratio)
        assert ("knee" in item) == (fit.estimates["t_star"].value is not None)
        wanted = {"not identifiable"} if "knee" not in item else set()
        t_star = item["numbers"][[*fit.estimates].index("t_star")]
        assert {data["words"][t_star[1]] if isinstance(t_star[1], int) else t_star[1]} >= wanted


def test_no_name_can_end_the_script_element():
    fits = builders.small_fits()
    hostile = "</script><script>document.title='owned'</script><!--\n\u2028"
    renamed = dataclasses.replace(fits, fits=(dataclasses.replace(fits.fits[0], device=hostile), *fits.fits[1:]))
    text = device_lines(renamed)
    assert not set("<>&") & set(text)
    assert len(text.split("\n")) == 1 + len(fits)
    assert read(text)[1][0]["name"] == hostile


def test_numbers_that_are_not_finite_still_make_valid_json():
    fit = builders.small_fits().fits[1]
    broken = dataclasses.replace(fit, white_residuals=np.full(len(fit.pulses), np.nan), alpha=float("nan"))
    _, devices = read(device_lines(dataclasses.replace(builders.small_fits(), fits=(broken,))))
    assert "acf" not in devices[0]
