"""A fit on a cluster of two workers: the numbers of one process, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from weakreset.cluster import check_address
from weakreset.errors import FitError, OutputError, UsageError
from weakreset.fitting import FitOptions, fit_distributed, fit_stream
from weakreset.fitting.fit_text import digest_of, fit_of, text_of
from weakreset.fitting.part_store import PartStore
from weakreset.locks import held
from weakreset.twin import simulate_traces

OPTIONS = FitOptions(drift="single-slope", rtn=False)  # cheap: what is tested is the road


@pytest.fixture(scope="module")
def chunks():
    whole = simulate_traces("majumdar2021", n_devices=200, n_pulses=60, seed=4)
    return [replace(whole, traces=whole.traces[i : i + 80]) for i in (0, 80, 160)]


@pytest.fixture(scope="module")
def alone(chunks):
    return fit_stream(chunks, OPTIONS, jobs=1)


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="no Dask here: pip install 'weakreset[dask]'")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as made:
        yield made


def bits(fits):
    """All numbers of all devices, and of the set; not the arrays that a sketch lacks."""
    plain = [replace(fit, pulses=np.array([0]), log_ratio=np.array([0.0]), white_residuals=None, result=None,
                     knee_profile=None) for fit in fits]
    return digest_of([plain, fits.noise, fits.caveat])


def test_the_numbers_are_those_of_one_process_though_a_worker_is_killed(tmp_path, chunks, alone, cluster):
    killed = []

    def kill(done, total, what):
        if what == "devices" and not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    fits = fit_distributed(chunks, tmp_path / "p", OPTIONS, kill, address=cluster.scheduler_address)
    assert killed
    assert bits(fits) == bits(alone)
    assert [fit.device for fit in fits] == [fit.device for fit in alone]
    import pandas as pd

    manifest = json.loads((tmp_path / "p" / "_manifest.json").read_text())
    assert sorted(part["devices"] for part in manifest["parts"].values()) == [40, 80, 80]
    table = pd.concat(pd.read_parquet(tmp_path / "p" / part["file"]) for part in manifest["parts"].values())
    assert table.set_index("device").m1.to_dict() == alone.to_frame().set_index("device").m1.to_dict()


def test_a_fit_whose_client_was_lost_goes_on_from_its_parts(tmp_path, chunks, alone, cluster):
    class Lost(BaseException):
        pass

    def lose(done, total, what):
        if what == "devices":
            raise Lost

    address = cluster.scheduler_address
    with pytest.raises(Lost):
        fit_distributed(chunks, tmp_path, OPTIONS, lose, address=address)
    (first,) = tmp_path.glob("*.parquet")
    before = first.stat().st_mtime_ns
    assert bits(fit_distributed(chunks, tmp_path, OPTIONS, address=address)) == bits(alone)
    assert first.stat().st_mtime_ns == before
    assert len([*tmp_path.glob("*.parquet")]) == 3
    first.write_bytes(b"damaged")
    assert bits(fit_distributed(chunks, tmp_path, OPTIONS, address=address)) == bits(alone)


def test_a_cluster_that_is_not_there_says_what_is_kept(tmp_path, chunks):
    distributed = pytest.importorskip("distributed", reason="no Dask here: pip install 'weakreset[dask]'")
    import dask

    assert distributed
    with dask.config.set({"distributed.comm.timeouts.connect": "0.2s"}), pytest.raises(FitError, match="run the same"):
        fit_distributed(chunks[2:], tmp_path, OPTIONS, address="tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    "address", ["tcp://10.0.0.5:8786", "tcp://example.org:8786", "10.0.0.5:8786", "http://x:1", ""]
)
def test_only_loopback_and_tls_are_safe(tmp_path, address):
    with pytest.raises(UsageError, match=r"pickles|give tls"):
        fit_distributed([], tmp_path, address=address)


def test_safe_addresses_are_accepted():
    for address in ("local", "tls://10.0.0.5:8786", "tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:8786"):
        check_address(address, False, "work")
    check_address("tcp://10.0.0.5:8786", True, "work")


def test_a_generator_and_a_folder_in_use_are_refused(tmp_path, chunks):
    with pytest.raises(UsageError, match="only once"):
        fit_distributed((chunk for chunk in chunks), tmp_path)
    with held(folder=tmp_path), pytest.raises(OutputError, match="another run"):
        fit_distributed(chunks[2:], tmp_path, OPTIONS)


def test_a_fit_is_the_same_after_it_was_text(alone):
    whole = alone.fits[0]
    fit = replace(whole, result=None)
    again = fit_of(text_of(fit))
    assert text_of(again) == text_of(fit)
    assert again.draws.inside.dtype == fit.draws.inside.dtype
    assert again.estimates == fit.estimates
    assert again.drift is fit.drift


@pytest.mark.parametrize("text", [
    "[]", "{", '{"is": "Popen"}', '{"is": "DeviceFit"}', '{"array": "|O", "size": [1], "data": ""}', '{"bytes": "zz"}',
    '{"array": "<f8", "size": [9], "data": ""}', "[" * 100_000, '{"shape": "none"}', '{"status": "ok"}',
])
def test_what_is_no_stored_fit_is_refused(text):
    with pytest.raises(FitError, match="not a stored fit"):
        fit_of(text)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(UsageError, match="name another folder"):
        PartStore(tmp_path)
    (tmp_path / "_manifest.json").write_text('{"format": "other"}')
    with pytest.raises(UsageError, match="name another folder"):
        PartStore(tmp_path)
