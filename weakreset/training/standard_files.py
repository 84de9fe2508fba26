"""The standard files of MNIST, Fashion-MNIST and CIFAR-10: their sizes and checksums, and where to fetch them.

MD5 tells a standard file from another one; it is what the authors of the data sets published, no protection.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weakreset.errors import DatasetError

__all__ = ["StandardFile", "check_standard", "fetch"]


@dataclass(frozen=True)
class StandardFile:
    """One file of a data set.

    Attributes
    ----------
    name : str
        Unpacked.
    n_bytes : int
        Unpacked.
    packed_md5 : str
        Of `name`.gz as published.
    md5 : str
        Unpacked; empty where it was not published.
    """

    name: str
    n_bytes: int
    packed_md5: str
    md5: str = ""


_IDX_BYTES = (47_040_016, 60_008, 7_840_016, 10_008)
_IDX_NAMES = (
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
)
_MNIST_PACKED = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432", "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
_MNIST_UNPACKED = (
    "6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624", "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
)
_FASHION_PACKED = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe", "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)
STANDARD = {
    "mnist": tuple(map(StandardFile, _IDX_NAMES, _IDX_BYTES, _MNIST_PACKED, _MNIST_UNPACKED)),
    "fashion-mnist": tuple(map(StandardFile, _IDX_NAMES, _IDX_BYTES, _FASHION_PACKED)),
}
SOURCES = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "cifar10": "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
}
CIFAR_ARCHIVE_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
CIFAR_FOLDER = "cifar-10-batches-bin"
CIFAR_FILES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")


def check_standard(data: str, name: str, path: Path, packed: bytes | None, content: bytes) -> bool:
    """Whether a file is the standard one; files of another size are somebody's own and may be anything.

    Parameters
    ----------
    data : str
        The data set that was asked for.
    name : str
        Standard name of the file, unpacked.
    path : Path
    packed : bytes or None
        What is in the file where that is gzip.
    content : bytes
        Unpacked.

    Raises
    ------
    DatasetError
        The size of the standard file, but other content: damaged, or another data set under the same names.
    """
    expected = next((file for file in STANDARD.get(data, ()) if file.name == name), None)
    if expected is None or len(content) != expected.n_bytes:  # a subset, say
        return False
    found = _md5(content)
    if found == expected.md5 or (packed is not None and _md5(packed) == expected.packed_md5):
        return True
    for other, files in STANDARD.items():
        if other != data and any(file.md5 == found for file in files):
            raise DatasetError(f"{path}: this is a file of {other}, not of {data} (md5 {found})")
    if not expected.md5:  # repacked or unpacked: no published checksum to compare with
        return False
    raise DatasetError(
        f"{path}: has the size of the standard file of {data}, but md5 {found} instead of {expected.md5}: damaged, or "
        "another data set under the same names; fetch it again, or make a Dataset of it yourself"
    )


def fetch(data: str, folder: str | os.PathLike[str] | None) -> Path:
    """Download the standard files of a data set with pooch, checksums verified; those that are there are kept.

    Returns
    -------
    Path
        The folder they are in: `folder`, or a cache of the user's where None.

    Raises
    ------
    DatasetError
        pooch is not installed, no network, or a checksum that does not agree.
    """
    try:
        pooch: Any = importlib.import_module("pooch")
    except ImportError:
        raise DatasetError("to download data sets, pip install 'weakreset[download]'") from None
    target = Path(folder) if folder is not None else Path(pooch.os_cache("weakreset")) / data
    try:
        if data == "cifar10":
            return _fetch_cifar(pooch, target)
        for file in STANDARD[data]:
            name = f"{file.name}.gz"
            pooch.retrieve(SOURCES[data] + name, f"md5:{file.packed_md5}", name, target, progressbar=False)
    except (OSError, ValueError) as error:  # requests' errors are OSErrors, a wrong checksum is a ValueError
        raise DatasetError(f"{data}: cannot be downloaded from {SOURCES[data]} ({error})") from None
    return target


def _fetch_cifar(pooch: Any, target: Path) -> Path:
    members = [f"{CIFAR_FOLDER}/{name}" for name in CIFAR_FILES]
    archive = SOURCES["cifar10"].rsplit("/", 1)[-1]
    pooch.retrieve(
        SOURCES["cifar10"], f"sha256:{CIFAR_ARCHIVE_SHA256}", archive, target, progressbar=False,
        processor=pooch.Untar(members=members, extract_dir="."),
    )
    return target / CIFAR_FOLDER


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()  # allowed where MD5 is forbidden (FIPS)
