import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from weakreset.errors import DatasetError
from weakreset.training import load_dataset

SHARED = Path(os.environ.get("WEAKRESET_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))


def _idx(values: np.ndarray) -> bytes:
    sizes = b"".join(n.to_bytes(4, "big") for n in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes()


def _write_mnist(folder: Path, packed: bool) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    content = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 10, 20, dtype=np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (5, 28, 28), dtype=np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 10, 5, dtype=np.uint8),
    }
    for name, values in content.items():
        data = _idx(values)
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data) if packed else data)
    return content


def test_digits_are_split_by_class_the_same_way_every_time() -> None:
    first, second = load_dataset("digits"), load_dataset("digits")
    assert first.image_shape == (1, 8, 8)
    assert len(first.train_labels) == 1347
    assert len(first.test_labels) == 450
    assert torch.equal(first.test_images, second.test_images)
    held, used = torch.bincount(first.test_labels), torch.bincount(first.train_labels)
    share = held / (held + used)
    assert float((share - 0.25).abs().max()) < 0.01
    assert float(first.train_images.min()) == 0
    assert float(first.train_images.max()) == 1


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_are_read_plain_and_packed(tmp_path: Path, name: str, packed: bool) -> None:
    content = _write_mnist(tmp_path, packed)
    data = load_dataset(name, tmp_path)
    assert data.train_images.shape == (20, 1, 28, 28)
    expected = content["t10k-images-idx3-ubyte"].astype(np.float32) / np.float32(255)
    assert np.array_equal(data.test_images[:, 0].numpy(), expected)
    assert data.test_labels.tolist() == content["t10k-labels-idx1-ubyte"].tolist()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-images-idx3-ubyte", b"", "not an IDX"),
        ("train-images-idx3-ubyte", b"<html>not found</html>", "not an IDX"),
        ("train-images-idx3-ubyte", _idx(np.zeros((20, 28, 28), np.uint8))[:-1], "but holds"),
        ("train-images-idx3-ubyte", _idx(np.zeros((20, 28, 28), np.uint8)) + b"x", "but holds"),
        ("train-images-idx3-ubyte", _idx(np.zeros((19, 28, 28), np.uint8)), "do not match"),
        ("t10k-images-idx3-ubyte", _idx(np.zeros((5, 27, 28), np.uint8)), "test images"),
        ("train-labels-idx1-ubyte", _idx(np.full(20, 11, np.uint8)), "label 11 of image 0"),
        ("train-images-idx3-ubyte", bytes([0, 0, 8, 3]) + b"\xff" * 12, "but holds"),
        ("train-images-idx3-ubyte", b"\x1f\x8b broken", "cannot be read"),
        ("train-images-idx3-ubyte", gzip.compress(bytes(1000), mtime=0)[:-9], "cannot be read"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    _write_mnist(tmp_path, packed=False)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        load_dataset("mnist", tmp_path)


def test_missing_things_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="choose from"):
        load_dataset("imagenet")
    with pytest.raises(DatasetError, match="data-dir"):
        load_dataset("mnist")
    with pytest.raises(DatasetError, match="no folder"):
        load_dataset("mnist", tmp_path / "absent")
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte"):
        load_dataset("mnist", tmp_path)
    with pytest.raises(DatasetError, match=r"data_batch_1\.bin"):
        load_dataset("cifar10", tmp_path)


def test_cifar_batches_are_joined(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    parts = [rng.integers(0, 256, (7, 3073), dtype=np.uint8) for _ in range(3)]
    for part, name in zip(parts, ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"), strict=True):
        part[:, 0] %= 10
        (tmp_path / name).write_bytes(part.tobytes())
    data = load_dataset("cifar10", tmp_path)
    assert data.train_images.shape == (14, 3, 32, 32)
    assert data.train_labels.tolist() == [*parts[0][:, 0], *parts[1][:, 0]]
    assert float(data.test_images[2, 1, 0, 5]) == pytest.approx(2 * parts[2][2, 1 + 1024 + 5] / 255 - 1)
    (tmp_path / "data_batch_2.bin").write_bytes(parts[1].tobytes()[:-1])
    with pytest.raises(DatasetError, match="records of 3073"):
        load_dataset("cifar10", tmp_path)


def test_images_can_be_shrunk_and_held_out() -> None:
    digits = load_dataset("digits")
    small = digits.shrunk(2)
    assert small.image_shape == (1, 4, 4)
    assert float(small.test_images[3, 0, 1, 2]) == pytest.approx(float(digits.test_images[3, 0, 2:4, 4:6].mean()))
    assert "shrunk 2 times" in small.source
    with pytest.raises(DatasetError, match="cannot be shrunk 3 times"):
        digits.shrunk(3)
    chosen = digits.held_out(0.1)
    assert len(chosen.test_labels) == 135
    assert torch.equal(torch.cat([chosen.train_images, chosen.test_images]), digits.train_images)
    assert len({digits.fingerprint(), small.fingerprint(), chosen.fingerprint()}) == 3
    with pytest.raises(DatasetError, match="is none, or all"):
        digits.held_out(1.0)


@pytest.mark.shared_data
def test_the_canonical_files_are_read() -> None:
    if not (SHARED / "mnist").is_dir():
        pytest.skip(f"no real data in {SHARED}")
    mnist = load_dataset("mnist", SHARED / "mnist")
    assert mnist.train_images.shape == (60_000, 1, 28, 28)
    classes = torch.bincount(mnist.test_labels).tolist()
    assert classes == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    cifar = load_dataset("cifar10", SHARED / "cifar-10-subset")
    assert torch.bincount(cifar.train_labels).tolist() == [1000] * 10


def test_a_cifar_file_beside_its_packed_self_counts_once(tmp_path: Path) -> None:
    content = bytes([3]) + bytes(3072)
    for name in ("data_batch_1.bin", "test_batch.bin"):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "data_batch_1.bin.gz").write_bytes(gzip.compress(content))
    assert len(load_dataset("cifar10", tmp_path).train_labels) == 1


@pytest.mark.parametrize("share", [float("nan"), -0.5, 2.0])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(DatasetError, match="is none, or all"):
        load_dataset("digits").held_out(share)
