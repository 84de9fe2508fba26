"""Where batches come from: images in memory, or any data set or loader of torch.

Everything random follows from the seed and the number of the epoch, so that runs repeat and go on bit for bit.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils import data as torch_data

from weakreset.errors import DatasetError, UsageError
from weakreset.simulation import derive_seed
from weakreset.training.augment import random_crop_and_flip
from weakreset.training.datasets import Dataset

__all__ = ["Batches", "InMemory", "Loaders", "seeded"]

Batch = tuple[Any, Any]

_TEST_BATCH = 1000
_LOOKED_AT = 64  # items of a data set whose numbers go into its fingerprint: all would be a pass over it


@contextmanager
def seeded(seed: int, what: str) -> Iterator[None]:
    """torch's global generator, which loaders and dropout use, set for this and then as it was."""
    with torch.random.fork_rng(devices=[]):  # the caller's generator is as it was afterwards
        torch.manual_seed(derive_seed(seed, what))
        yield


class Batches(ABC):
    """Training batches of an epoch, and the test set in batches.

    Attributes
    ----------
    name : str
    steps : int
        Batches an epoch.
    """

    name: str
    steps: int

    @abstractmethod
    def train(self, epoch: int) -> Iterator[Batch]:
        """Inputs and targets; the order is that of the epoch."""

    @abstractmethod
    def test(self) -> Iterator[Batch]:
        """Inputs and targets, the same at every call."""

    @abstractmethod
    def about(self) -> dict[str, str]:
        """What goes into the configuration of a run: the source, and a fingerprint."""


class InMemory(Batches):
    """Images of a `Dataset`; the last, smaller batch of an epoch is left out."""

    def __init__(self, data: Dataset, batch_size: int, seed: int, device: Any, channels_last: bool) -> None:
        self.name, self.seed, self.size = data.name, seed, batch_size
        self._about = {"data_source": data.source, "data_sha256": data.fingerprint()}
        self.data = data if device is None else data.to(device)
        self.channels_last = channels_last
        self.steps = len(data.train_labels) // batch_size
        if not self.steps:
            raise UsageError(f"batch size {batch_size} exceeds the {len(data.train_labels)} training images")

    def train(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(derive_seed(self.seed, f"epoch {epoch}"))
        # of the epoch's own generator, not of one that runs on: a resumed run needs no position in a stream
        order = torch.randperm(len(self.data.train_labels), generator=generator)
        for step in range(self.steps):
            batch = order[step * self.size : (step + 1) * self.size].to(self.data.train_labels.device)
            images, labels = self.data.train_images[batch], self.data.train_labels[batch]
            if self.name == "cifar10":  # digits must not be mirrored
                images = random_crop_and_flip(images, generator)
            if self.channels_last:  # a third faster on a processor
                images = images.contiguous(memory_format=torch.channels_last)
            yield images, labels

    def test(self) -> Iterator[Batch]:
        images, labels = self.data.test_images, self.data.test_labels
        return zip(torch.split(images, _TEST_BATCH), torch.split(labels, _TEST_BATCH), strict=True)

    def about(self) -> dict[str, str]:
        return self._about


class Loaders(Batches):
    """Data sets or loaders of torch that give (input, target).

    A data set is shuffled anew in every epoch, its last, smaller batch left out; a loader does what it was made to do.
    Both draw from torch's global generator, and a loader from its own where it has one; all are set by seed and epoch.
    """

    def __init__(self, train: Any, test: Any, batch_size: int, seed: int, device: Any, holdout: float) -> None:
        self.seed, self.device = seed, device
        if test is None or holdout:
            train, test = _held_out(train, holdout)
        self._train, self._test = _loader(train, batch_size, shuffle=True), _loader(test, _TEST_BATCH, shuffle=False)
        self.name = type(self._train.dataset).__name__
        try:
            self.steps = len(self._train)
        except TypeError:
            raise UsageError(
                f"{self.name} does not say how long it is: a run needs the number of its steps; give it __len__"
            ) from None
        if not self.steps:
            raise UsageError(f"{self.name} gives no batch: it has fewer than {batch_size} items")

    def train(self, epoch: int) -> Iterator[Batch]:
        """To be called inside `seeded`."""
        # a generator given by the user runs on from epoch to epoch: set, or a resumed run would get other orders
        for part in (self._train, self._train.sampler):
            if isinstance(own := getattr(part, "generator", None), torch.Generator):
                own.manual_seed(derive_seed(self.seed, f"loader {epoch}"))
        yield from (self._pair(batch) for batch in self._train)

    def test(self) -> Iterator[Batch]:
        yield from (self._pair(batch) for batch in self._test)

    def about(self) -> dict[str, str]:
        sizes = [len(part.dataset) if hasattr(part.dataset, "__len__") else None for part in (self._train, self._test)]
        source = f"{self.name}: {sizes[0]} items to train on, {sizes[1]} to test"
        return {"data_source": source, "data_sha256": _fingerprint(self._train.dataset, self._test.dataset)}

    def _pair(self, batch: Any) -> Batch:
        if not isinstance(batch, list | tuple) or len(batch) != 2:
            raise UsageError(
                f"{self.name} gives {type(batch).__name__}{f' of {len(batch)}' if hasattr(batch, '__len__') else ''}: "
                "batches must be (inputs, targets)"
            )
        inputs, targets = (part.to(self.device) if isinstance(part, Tensor) and self.device else part for part in batch)
        return inputs, targets


def _loader(data: Any, batch_size: int, shuffle: bool) -> torch_data.DataLoader[Any]:
    if isinstance(data, torch_data.DataLoader):
        return data
    if isinstance(data, tuple | list) and len(data) == 2 and all(isinstance(part, Tensor) for part in data):
        data = torch_data.TensorDataset(*data)
    if not hasattr(data, "__getitem__") and not isinstance(data, torch_data.IterableDataset):
        raise UsageError(
            f"data of {type(data).__name__}: give a name, a weakreset Dataset, a torch Dataset or DataLoader, or a "
            "pair of tensors (inputs, targets)"
        )
    shuffled = shuffle and not isinstance(data, torch_data.IterableDataset)
    return torch_data.DataLoader(data, batch_size, shuffle=shuffled, drop_last=shuffle)


def _held_out(train: Any, share: float) -> tuple[Any, Any]:
    """The last `share` of a data set to test on."""
    data = train.dataset if isinstance(train, torch_data.DataLoader) else train
    if isinstance(data, tuple | list) and len(data) == 2 and all(isinstance(part, Tensor) for part in data):
        data = torch_data.TensorDataset(*data)
    if not share or (data is not train and isinstance(train, torch_data.DataLoader)) or not hasattr(data, "__len__"):
        raise UsageError("no data to test on: give test=, or holdout= and a data set that knows its length")
    n = round(share * len(data)) if 0 < share < 1 else 0
    if not 0 < n < len(data):
        raise DatasetError(f"a share of {share} of {len(data)} items is none, or all")
    cut = len(data) - n  # the last ones, not drawn: the same images whatever the seed
    return torch_data.Subset(data, range(cut)), torch_data.Subset(data, range(cut, len(data)))


def _fingerprint(*data: Any) -> str:
    """Of some items of each data set, spread over it, with random transformations set to one seed."""
    digest = hashlib.sha256()
    with seeded(0, "fingerprint"):
        for part in data:
            listed = hasattr(part, "__getitem__") and not isinstance(part, torch_data.IterableDataset)
            if not hasattr(part, "__len__") or not listed:  # torch gives iterable ones a __getitem__, which raises
                digest.update(type(part).__name__.encode())
                continue
            digest.update(str(len(part)).encode())
            for i in range(0, len(part), max(1, len(part) // _LOOKED_AT)):
                item = part[i]
                for value in item if isinstance(item, list | tuple) else (item,):
                    array = torch.as_tensor(value) if isinstance(value, Tensor | int | float) else None
                    digest.update(str(value).encode() if array is None else array.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
