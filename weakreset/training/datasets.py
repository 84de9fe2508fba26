"""Images to train on: digits bundled with scikit-learn, MNIST and Fashion-MNIST (IDX), CIFAR-10 (binary).

Files are read byte by byte, checked against the sizes they announce and, where they have the size of the standard
file, against its checksum. Nothing is unpickled; nothing is fetched unless it is asked for.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from weakreset.errors import DatasetError
from weakreset.training.standard_files import check_standard, fetch

__all__ = ["DATASETS", "Dataset", "folder_of", "load_dataset"]

DATASETS = ("digits", "mnist", "fashion-mnist", "cifar10")

Bytes = NDArray[np.uint8]

_IDX_STEMS = (
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
)
_MOST_IMAGES = 1_000_000  # more than any of these sets has: a larger file is something else
_CIFAR_RECORD = 1 + 3 * 32 * 32  # a label, then the three colours of 32 x 32 pixels
_DIGITS_SPLIT_SEED = 0  # the same images are held out in every run, whatever its seed
_DIGITS_TEST_SHARE = 0.25


@dataclass(frozen=True)
class Dataset:
    """Images as float32 of shape (n, channels, height, width), labels as int64 of shape (n,).

    `source` says where they came from: "standard files, checksums agree", for example.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    n_classes: int = 10
    source: str = "given in memory"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    def fingerprint(self) -> str:
        """SHA-256 of all images and labels."""
        digest = hashlib.sha256()
        for part in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(str(tuple(part.shape)).encode())
            digest.update(part.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def shrunk(self, factor: int) -> Dataset:
        """Images with each square of `factor` x `factor` pixels averaged into one; DatasetError if they do not fit."""
        if factor == 1:
            return self
        _, height, width = self.image_shape
        if factor < 1 or height % factor or width % factor:
            raise DatasetError(f"{self.name}: images of {height} x {width} cannot be shrunk {factor} times")
        train, test = (functional.avg_pool2d(part, factor) for part in (self.train_images, self.test_images))
        return replace(self, train_images=train, test_images=test, source=f"{self.source}; shrunk {factor} times")

    def held_out(self, share: float) -> Dataset:
        """The last `share` of the training images in place of the test set, which choices must not be made on."""
        n = round(share * len(self.train_labels)) if 0 < share < 1 else 0
        if not 0 < n < len(self.train_labels):
            raise DatasetError(f"{self.name}: a share of {share} of {len(self.train_labels)} images is none, or all")
        return replace(
            self, train_images=self.train_images[:-n], train_labels=self.train_labels[:-n],
            test_images=self.train_images[-n:], test_labels=self.train_labels[-n:],
            source=f"{self.source}; tested on the last {n} training images, which were not trained on",
        )

    def to(self, device: torch.device | str) -> Dataset:
        return replace(
            self, train_images=self.train_images.to(device), train_labels=self.train_labels.to(device),
            test_images=self.test_images.to(device), test_labels=self.test_labels.to(device),
        )


def load_dataset(
    name: str, data_dir: str | os.PathLike[str] | None = None, *, download: bool = False
) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    name : str
        digits (needs no files), mnist, fashion-mnist, cifar10.
    data_dir : path, optional
        Folder with the files of the data set under their usual names, plain or with `.gz` added.
    download : bool
        Fetch the standard files into `data_dir`, or into a cache where None, if they are not there yet;
        needs `pip install 'weakreset[download]'`.

    Raises
    ------
    DatasetError
        Unknown name, missing file, a file that is not what its name says, or a download that failed.
    """
    if name not in DATASETS:
        raise DatasetError(f"no data set {name!r}: choose from {', '.join(DATASETS)}")
    if name == "digits":
        return _digits()
    if download:
        data_dir = folder_of(name, data_dir)
    if data_dir is None:
        raise DatasetError(
            f"{name} needs its files: name their folder with --data-dir (data_dir=), or allow --download"
        )
    folder = Path(data_dir)
    if not folder.is_dir():
        raise DatasetError(f"{name}: no folder {folder}")
    return _cifar10(folder) if name == "cifar10" else _idx_dataset(name, folder)


def folder_of(name: str, data_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """Where the files of a data set are, after fetching those that are absent; None for one that needs no files.

    Parameters as for `load_dataset`; raises what it raises.
    """
    if name == "digits":
        return None
    if data_dir is not None and _is_there(name, Path(data_dir)):
        return Path(data_dir)
    return fetch(name, data_dir)


def _digits() -> Dataset:
    """1797 images of 8 x 8, a quarter of each class held out, the same quarter every time."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    train, test = train_test_split(
        np.arange(len(bunch.target)), test_size=_DIGITS_TEST_SHARE, stratify=bunch.target,
        random_state=_DIGITS_SPLIT_SEED,
    )
    images = torch.from_numpy(np.asarray(bunch.images, dtype=np.float32) / 16.0)[:, None]  # grey levels are 0 .. 16
    labels = torch.from_numpy(np.asarray(bunch.target, dtype=np.int64))
    return Dataset(
        "digits", images[train], labels[train], images[test], labels[test], source="bundled with scikit-learn"
    )


def _idx_dataset(name: str, folder: Path) -> Dataset:
    (train_x, train_y, test_x, test_y), standard = zip(
        *(_read_idx(name, stem, _find(name, folder, stem)) for stem in _IDX_STEMS), strict=True
    )
    for images, labels, part in ((train_x, train_y, "training"), (test_x, test_y, "test")):
        if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels) or not len(images):
            raise DatasetError(f"{name}: {part} images {images.shape} and labels {labels.shape} do not match")
        _check_labels(f"{folder} ({part} labels)", labels)
    if train_x.shape[1:] != test_x.shape[1:]:
        raise DatasetError(f"{name}: training images are {train_x.shape[1:]}, test images {test_x.shape[1:]}")
    source = "standard files, checksums agree" if all(standard) else "files without a published checksum"
    return Dataset(
        name, _unit(train_x)[:, None], _labels(train_y), _unit(test_x)[:, None], _labels(test_y), source=source
    )


def _is_there(name: str, folder: Path) -> bool:
    """Whether the files of a data set are in a folder."""
    try:
        for stem in ("data_batch_1.bin", "test_batch.bin") if name == "cifar10" else _IDX_STEMS:
            _find(name, folder, stem)
    except DatasetError:
        return False
    return True


def _cifar10(folder: Path) -> Dataset:
    """Binary version; as many `data_batch_N.bin` as are there, and `test_batch.bin`."""
    there = [*folder.glob("data_batch_*.bin.gz"), *folder.glob("data_batch_*.bin")]
    # a file that lies beside its packed self counts once, unpacked, as in `_find`
    named = {path.name.removesuffix(".gz"): path for path in there}
    found = [named[name] for name in sorted(named)]
    if not found:
        raise DatasetError(f"cifar10: no data_batch_1.bin (binary version of CIFAR-10) in {folder}")
    train = np.concatenate([_read_cifar(path) for path in found])
    test = _read_cifar(_find("cifar10", folder, "test_batch.bin"))
    # -1 .. 1, centred: the first layer has real inputs and weights of +-1 alone
    images = [2.0 * _unit(part[:, 1:].reshape(-1, 3, 32, 32)) - 1.0 for part in (train, test)]
    source = f"{len(found)} training files of {len(train)} images; test file of {len(test)}"
    return Dataset("cifar10", images[0], _labels(train[:, 0]), images[1], _labels(test[:, 0]), source=source)


def _find(name: str, folder: Path, stem: str) -> Path:
    # some mirrors write a dot where the original has a hyphen before idx
    for candidate in (stem, stem.replace("-idx", ".idx")):
        for path in (folder / candidate, folder / f"{candidate}.gz"):
            if path.is_file():
                return path
    raise DatasetError(f"{name}: no {stem} or {stem}.gz in {folder}")


def _read(path: Path, at_most: int) -> tuple[bytes, bytes | None]:
    """The content, unpacked when it is gzip, never more than `at_most` bytes; what the gzip file held."""
    packed: bytes | None = None
    try:
        with open(path, "rb") as stream:
            content = stream.read(at_most + 1)
        if content[:2] == b"\x1f\x8b":  # by content: a file may lack its .gz, or have it wrongly
            packed = content
            with gzip.open(path, "rb") as stream:
                content = stream.read(at_most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path}: cannot be read ({error})") from None
    if len(content) > at_most:
        raise DatasetError(f"{path}: holds more than {at_most} bytes; not the file its name says")
    return content, packed


def _read_idx(name: str, stem: str, path: Path) -> tuple[Bytes, bool]:
    """An IDX file of unsigned bytes (magic 0 0 8 ndim, big-endian sizes, data), and whether it is the standard one."""
    content, packed = _read(path, _MOST_IMAGES * 28 * 28 + 16)
    if len(content) < 8 or content[:3] != b"\x00\x00\x08" or content[3] not in (1, 3):
        start = content[:4].hex(" ") or "nothing"
        raise DatasetError(f"{path}: not an IDX file of bytes (starts with {start})")
    offset = 4 + 4 * content[3]
    sizes = [int.from_bytes(content[i : i + 4], "big") for i in range(4, offset, 4)]
    expected = offset + math.prod(sizes)  # Python's whole numbers: announced sizes cannot overflow
    if len(content) != expected:
        raise DatasetError(f"{path}: announces {sizes}, {expected} bytes in all, but holds {len(content)}")
    standard = check_standard(name, stem, path, packed, content)
    return np.frombuffer(content, np.uint8, offset=offset).reshape(sizes), standard


def _read_cifar(path: Path) -> Bytes:
    content, _ = _read(path, _MOST_IMAGES * _CIFAR_RECORD)
    if not content or len(content) % _CIFAR_RECORD:
        raise DatasetError(f"{path}: {len(content)} bytes is no whole number of records of {_CIFAR_RECORD}")
    records = np.frombuffer(content, np.uint8).reshape(-1, _CIFAR_RECORD)
    _check_labels(str(path), records[:, 0])
    return records


def _check_labels(where: str, labels: Bytes) -> None:
    if labels.max() > 9:
        at = int(np.argmax(labels > 9))
        raise DatasetError(f"{where}: label {labels[at]} of image {at} is not in 0 .. 9")


def _unit(pixels: Bytes) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / np.float32(255.0))


def _labels(labels: Bytes) -> Tensor:
    return torch.from_numpy(labels.astype(np.int64))
