"""The likelihood summed over blocks of devices is that of all of them, in whatever parts they come; all simulated."""

from __future__ import annotations

import errno
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.builders import small_fits
from tests.population.synthetic import NAMES, correlated, wafer
from weakreset.errors import FitError, UsageError
from weakreset.fitting import FitSet, fit_stream
from weakreset.fitting.draws_file import DrawsFile
from weakreset.fitting.fit_rows import FitRows
from weakreset.fitting.fit_text import digest_of
from weakreset.parameter_file import majumdar2021
from weakreset.population import fit_population, in_blocks
from weakreset.population.choose_families import Laws
from weakreset.population.correlated import CorrelatedHierarchy, fit_together
from weakreset.population.families import FreeLaw
from weakreset.population.hierarchy import Hierarchy
from weakreset.population.in_blocks import InBlocks
from weakreset.twin import simulate_traces

LAWS = {name: majumdar2021().parameters[name].law() for name in NAMES}
FREE = {
    name: FreeLaw(law.family, {"loc": law.params["loc"]} if law.family == "expon" else {}, law.lower, law.upper)
    for name, law in LAWS.items()
}


@pytest.fixture
def small_blocks(monkeypatch):
    """A sample of 30 devices is enough for families, and blocks are of 17."""
    monkeypatch.setattr(sys.modules["weakreset.population.fit_population"], "MOST_DEVICES", 30)
    monkeypatch.setattr(in_blocks, "BLOCK", 17)


def many(order: int = 1) -> FitSet:
    """60 devices: each fit stands for two, under a name and a fingerprint of its own."""
    fits = small_fits()
    known = [fit for fit in fits.usable if fit.draws is not None]
    copies = [
        replace(known[i % len(known)], device=f"d{i}", parent=f"d{i}", fingerprint=(i * 7919 % 60).to_bytes(4))
        for i in range(60)
    ]
    return replace(fits, fits=tuple(copies[::order]))


def test_sums_over_blocks_are_those_of_all_devices_at_once():
    devices, known = wafer(np.random.default_rng(21), LAWS, 100, correlated(m1__t_star=0.6), n_draws=20)
    z = known["r0_ohm"]
    whole = Hierarchy(devices, known=known)
    cuts = [(0, 37), (37, 38), (38, 100)]
    parts = InBlocks(lambda: (Hierarchy(devices[a:b], known={"r0_ohm": z[a:b]}) for a, b in cuts))
    names = list(FREE)
    x = np.concatenate([FREE[name].coordinates(LAWS[name].params) for name in names])
    scale = np.concatenate([FREE[name].scales(LAWS[name]) for name in names])
    matrix = correlated(m1__t_star=0.5)
    for change in (lambda block: block, lambda block: CorrelatedHierarchy(block, LAWS, matrix)):
        value, slope = whole.mapped(change).objective(names, FREE, LAWS)(x, scale)
        summed, summed_slope = parts.mapped(change).objective(names, FREE, LAWS)(x, scale)
        assert summed == pytest.approx(value, rel=1e-12)
        assert summed_slope == pytest.approx(slope, rel=1e-8, abs=1e-8)
        errors = whole.mapped(change).covariance(FREE, LAWS)
        for name, error in parts.mapped(change).covariance(FREE, LAWS).items():
            np.testing.assert_allclose(error, errors[name], rtol=1e-6, atol=1e-12)
    at_once = fit_together(whole, Laws(FREE, LAWS, {}))
    in_parts = fit_together(parts, Laws(FREE, LAWS, {}))
    for name, law in at_once[0].items():
        assert in_parts[0][name].params == pytest.approx(law.params, rel=1e-4)
    np.testing.assert_allclose(in_parts[2].matrix, at_once[2].matrix, atol=1e-4)
    assert in_parts[2].n_devices == at_once[2].n_devices == 100


def test_laws_of_all_devices_from_a_file_are_those_from_memory(small_blocks):
    fits = many()
    families = {"r0_ohm": "lognorm", "m1": "expon", "t_star": "lognorm", "c1": "norm", "m2": "expon"}
    from_list = fit_population(fits, families=families, most_devices=0)
    backwards = replace(fits, fits=FitRows(many(-1), on_disk=True))
    from_file = fit_population(backwards, families=families, most_devices=0)
    assert digest_of({name: law.law for name, law in from_file.laws.items()}) == digest_of(
        {name: law.law for name, law in from_list.laws.items()}
    )
    assert any("chosen with 30 devices" in note for note in from_file.notes)
    assert not any("laws fitted to" in note for note in from_file.notes)
    at_once = fit_population(fits, families=families, most_devices=60)
    for name, law in at_once.laws.items():
        assert from_file.laws[name].n_devices == law.n_devices == 60
        for number, error in law.stderr.items():
            assert from_file.laws[name].law.params[number] == pytest.approx(law.law.params[number], abs=0.02 * error)
            assert from_file.laws[name].stderr[number] == pytest.approx(error, rel=0.02)


def test_replicas_of_all_devices_are_refused(small_blocks):
    with pytest.raises(UsageError, match="would take days"):
        fit_population(many(), most_devices=0, bootstrap=200)


def test_a_stream_keeps_every_likelihood_in_any_parts(small_blocks):
    traces = simulate_traces("majumdar2021", 36, 100, seed=5)
    halves = [replace(traces, traces=traces.traces[:15]), replace(traces, traces=traces.traces[15:])]
    laws = []
    for chunks in ([traces], halves):
        fits = fit_stream(chunks, jobs=1, every_likelihood=True)
        assert fits.fits.on_disk
        laws.append(digest_of({name: law.law for name, law in fit_population(fits, most_devices=0).laws.items()}))
    assert laws[0] == laws[1]


def test_a_file_gives_back_what_was_put_in(monkeypatch):
    kept, known = DrawsFile(), [fit.draws for fit in small_fits() if fit.draws is not None]
    known[1] = replace(known[1], beyond=None, tilt=0.25)
    numbers = []
    for i, draws in enumerate(known):
        numbers.append(kept.append(draws))
        assert digest_of(kept[numbers[i // 2]]) == digest_of(known[i // 2])  # read between two that are written
    assert len(kept) == len(known)
    assert [digest_of(kept[number]) for number in numbers] == [digest_of(draws) for draws in known]


def test_a_full_disk_is_named():
    class Full:
        def seek(self, place):
            return place

        def write(self, record):
            raise OSError(errno.ENOSPC, "No space left on device")

    kept = DrawsFile()
    kept._file = Full()
    with pytest.raises(FitError, match=r"No space left on device.*TMPDIR"):
        kept.append(next(fit.draws for fit in small_fits() if fit.draws is not None))
