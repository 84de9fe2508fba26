"""Fits in columns: the same fits, in a fraction of the memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.builders import small_fits
from weakreset.fitting import DeviceFit, FitOptions, FitSet
from weakreset.fitting.fit_devices import _summary
from weakreset.fitting.fit_rows import FitRows, changed, device_names, drawn, joined, taken
from weakreset.fitting.fit_text import digest_of
from weakreset.fitting.stream import sketch
from weakreset.population import fit_population


def sketches() -> list[DeviceFit]:
    return [sketch(fit) if len(fit.pulses) else fit for fit in small_fits()]


def test_a_fit_comes_back_as_it_went_in() -> None:
    fits = sketches()
    assert {fit.status for fit in fits} > {fits[0].status}  # several kinds, excluded ones among them
    rows = FitRows(fits)
    assert [digest_of(fit) for fit in rows] == [digest_of(fit) for fit in fits]
    assert digest_of(rows[-1]) == digest_of(fits[-1])
    with pytest.raises(IndexError):
        rows[len(fits)]


def test_whole_fits_stay_whole() -> None:
    fits = small_fits()
    again = FitRows(fits)[0]
    assert again.result is fits.fits[0].result
    assert again.log_ratio is fits.fits[0].log_ratio


def test_views_take_change_and_join_as_lists_do() -> None:
    fits = sketches()
    rows = FitRows(fits)
    order = np.random.default_rng(1).permutation(len(fits)).tolist()

    def louder(fit: DeviceFit) -> DeviceFit:
        return replace(fit, alpha=2.0 * (fit.alpha or 0.0))

    def through(held: list[DeviceFit] | FitRows) -> list[str]:
        some = changed(changed(taken(held, order), louder), louder)
        return [digest_of(fit) for fit in joined(taken(some, range(3, len(fits))), fits[:2])]

    assert through(rows) == through(fits)
    assert [fit.device for fit in rows[2:4]] == [fit.device for fit in fits[2:4]]
    assert rows.taken(order).names() == [fits[i].device for i in order]
    with pytest.raises(TypeError, match="add to those"):
        rows.taken(order).append(fits[0])


def test_devices_are_counted_and_those_with_a_likelihood_found_without_making_a_fit(monkeypatch) -> None:
    fits = [replace(fit, parent=f"cell{i // 2}") if i < 6 else fit for i, fit in enumerate(sketches())]
    part = FitRows(fits).taken(range(1, len(fits)))
    with monkeypatch.context() as none_made:
        none_made.setattr(FitRows, "_made", None)
        names, found = device_names(part), drawn(part)
    assert names == device_names(fits[1:]) > {"cell0", "cell2"}
    assert [digest_of(fit) for fit in found] == [digest_of(fit) for fit in drawn(fits[1:])]
    assert 0 < len(found) < len(part)


def test_the_likelihoods_kept_are_those_of_the_lowest_fingerprints_in_any_order() -> None:
    fits = [fit for fit in sketches() if fit.draws is not None]
    lowest = sorted(fits, key=lambda fit: fit.fingerprint)[:4]
    for some in (fits, fits[::-1]):
        rows = FitRows(some, most_draws=4)
        assert {fit.device for fit in rows if fit.draws is not None} == {fit.device for fit in lowest}


def test_laws_of_a_set_in_columns_are_those_of_the_list() -> None:
    fits = small_fits()
    rows = replace(fits, fits=FitRows(fits))
    assert digest_of(fit_population(rows).laws) == digest_of(fit_population(fits).laws)


def test_what_the_laws_stand_for_is_said_where_likelihoods_were_let_go() -> None:
    fits = small_fits()
    n, kept = len(fits.usable), len(fits.usable) - 3
    few = replace(fits, fits=FitRows(fits, most_draws=kept))
    assert any(f"laws fitted to {kept} of {n} devices" in note for note in fit_population(few, most_devices=0).notes)


def test_a_set_in_columns_is_asked_by_name() -> None:
    fits = small_fits()
    rows: FitSet = replace(fits, fits=FitRows(fits))
    name = fits.fits[3].device
    assert digest_of(sketch(rows[name])) == digest_of(sketch(fits[name]))
    assert rows.counts() == fits.counts()
    assert [fit.device for fit in rows.usable] == [fit.device for fit in fits.usable]
    assert rows.to_frame().equals(fits.to_frame())


def test_a_device_takes_under_a_kilobyte() -> None:
    fits = [replace(fit, draws=None) for fit in sketches() if fit.draws is not None]
    n = 4000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    rows = FitRows(
        replace(fits[i % len(fits)], device=f"d{i:06d}", parent=f"d{i:06d}", fingerprint=i.to_bytes(16))
        for i in range(n)
    )
    each = (tracemalloc.get_traced_memory()[0] - before) / n
    tracemalloc.stop()
    assert len(rows) == n
    assert each < 1000.0


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TypeError, match="holds no"):
        FitRows([replace(sketches()[0], numbers={"m1": 1j})])  # type: ignore[dict-item]


def test_what_a_streamed_set_says_together_is_worked_out_without_holding_its_fits() -> None:
    fits = [fit for fit in sketches() if fit.alpha]
    rows = FitRows(replace(fit, device=str(i), draws=None) for i, fit in enumerate(fits * (3000 // len(fits))))
    colour = SimpleNamespace(exponent=1.0, read_ratio=0.0, wander=0.0)
    noise = SimpleNamespace(alpha=1.0, alpha_stderr=0.1, exponent_stderr=0.1, colour=colour)
    tracemalloc.start()
    summary = _summary(rows, SimpleNamespace(noise=noise), FitOptions(alpha=1.0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert summary.n_devices > 1000
    assert peak < 4 * 2**20  # all of them together take 18 MB
