"""Checksums of the standard files, and downloads from a server on this machine."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import io
import json
import logging
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.shared_data import shared
from weakreset.cli import main
from weakreset.errors import DatasetError
from weakreset.training import folder_of, load_dataset, standard_files
from weakreset.training.standard_files import STANDARD, StandardFile, check_standard


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _idx(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape) + values.tobytes()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A small MNIST and a small Fashion-MNIST of the same sizes, declared to be the standard ones; the MNIST."""
    rng = np.random.default_rng(0)

    def content() -> dict[str, bytes]:
        images = (rng.integers(0, 256, (n, 8, 8), dtype=np.uint8) for n in (20, 5))
        labels = (rng.integers(0, 10, n, dtype=np.uint8) for n in (20, 5))
        parts = [part for pair in zip(images, labels, strict=True) for part in pair]
        return dict(zip((file.name for file in STANDARD["mnist"]), map(_idx, parts), strict=True))

    mnist, fashion = content(), content()
    monkeypatch.setitem(STANDARD, "mnist", tuple(
        StandardFile(name, len(data), _md5(gzip.compress(data, mtime=0)), _md5(data)) for name, data in mnist.items()
    ))
    monkeypatch.setitem(STANDARD, "fashion-mnist", tuple(
        StandardFile(name, len(data), _md5(gzip.compress(data, mtime=0))) for name, data in fashion.items()
    ))
    return mnist


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def test_standard_files_are_known_and_damaged_ones_are_named(tmp_path: Path, small: dict[str, bytes]) -> None:
    _write(tmp_path, small)
    assert load_dataset("mnist", tmp_path).source == "standard files, checksums agree"
    name = "train-images-idx3-ubyte"
    data = bytearray(small[name])
    data[100] ^= 1
    (tmp_path / name).write_bytes(bytes(data))
    with pytest.raises(DatasetError, match=f"{name}: has the size of the standard file of mnist, but md5 {_md5(data)}"):
        load_dataset("mnist", tmp_path)


def test_one_data_set_is_not_taken_for_another(tmp_path: Path, small: dict[str, bytes]) -> None:
    _write(tmp_path, small)
    with pytest.raises(DatasetError, match="a file of mnist, not of fashion-mnist"):
        load_dataset("fashion-mnist", tmp_path)


def test_files_of_another_size_are_somebodys_own() -> None:
    path = Path("train-labels-idx1-ubyte")
    assert not check_standard("mnist", path.name, path, None, b"\0" * 9)


def test_the_canonical_mnist_agrees_packed_and_unpacked() -> None:
    folder = shared("mnist")
    for file in STANDARD["mnist"]:
        content = gzip.decompress((folder / f"{file.name}.gz").read_bytes())
        assert check_standard("mnist", file.name, folder / file.name, None, content)
        with pytest.raises(DatasetError, match="not of fashion-mnist"):
            check_standard("fashion-mnist", file.name, folder / file.name, None, content)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that stands for the network."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    logging.getLogger("pooch").setLevel(logging.ERROR)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{httpd.server_address[1]}/"
        monkeypatch.setattr(standard_files, "SOURCES", {
            "mnist": base, "fashion-mnist": base, "cifar10": f"{base}cifar-10-binary.tar.gz",
        })
        yield folder
        httpd.shutdown()
        thread.join()


def test_absent_files_are_fetched_once_and_checked(tmp_path: Path, small: dict[str, bytes], server: Path) -> None:
    packed = {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in small.items()}
    _write(server, packed)
    data = load_dataset("mnist", tmp_path / "here", download=True)
    assert data.source == "standard files, checksums agree"
    assert {path.name for path in (tmp_path / "here").iterdir()} == set(packed)
    for path in server.iterdir():
        path.unlink()
    again = load_dataset("mnist", tmp_path / "here", download=True)
    assert again.fingerprint() == data.fingerprint()
    with pytest.raises(DatasetError, match="cannot be downloaded"):
        load_dataset("mnist", tmp_path / "elsewhere", download=True)
    _write(server, packed | {"t10k-labels-idx1-ubyte.gz": gzip.compress(b"not it")})
    with pytest.raises(DatasetError, match=r"cannot be downloaded .*hash"):
        load_dataset("mnist", tmp_path / "elsewhere", download=True)


def test_the_folder_of_a_data_set_is_filled_before_a_study_and_ablate_does_it(
    tmp_path: Path, small: dict[str, bytes], server: Path
) -> None:
    _write(server, {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in small.items()})
    assert folder_of("digits") is None
    folder = tmp_path / "here"
    assert folder_of("mnist", folder) == folder
    assert len(list(folder.iterdir())) == 4
    for path in server.iterdir():
        path.unlink()
    assert folder_of("mnist", folder) == folder  # all there: nothing is fetched
    _write(server, {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in small.items()})
    options = ["--hidden", "4", "--epochs", "1", "--batch-size", "10", "--seeds", "2", "--only", "without d2d"]
    where = ["--data-dir", str(tmp_path / "there"), "-o", str(tmp_path / "study"), "--jobs", "1"]
    assert main(["ablate", "majumdar2021", "--data", "mnist", "--download", *options, *where]) == 0
    assert len(list((tmp_path / "there").iterdir())) == 4
    assert json.loads((tmp_path / "study" / "ablation.json").read_text())["seeds"] == [0, 1]


def test_the_cifar_archive_gives_its_six_files_and_nothing_else(
    tmp_path: Path, server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = server / "cifar-10-binary.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in (*standard_files.CIFAR_FILES, "../outside.txt"):
            record = tarfile.TarInfo(f"{standard_files.CIFAR_FOLDER}/{name}")
            record.size = 2 * 3073
            tar.addfile(record, io.BytesIO(bytes(record.size)))
    monkeypatch.setattr(
        standard_files, "CIFAR_ARCHIVE_SHA256", hashlib.sha256(archive.read_bytes()).hexdigest()
    )
    data = load_dataset("cifar10", tmp_path / "here", download=True)
    assert data.train_images.shape == (10, 3, 32, 32)
    assert not list(tmp_path.rglob("outside.txt"))


def test_without_pooch_the_line_to_install_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DatasetError, match=r"pip install 'weakreset\[download\]'"):
        load_dataset("mnist", tmp_path, download=True)
