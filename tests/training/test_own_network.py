"""A network, data and a loss that this package does not ship: trained, resumed, ablated like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils import data as torch_data

from weakreset.ablation import Condition, StudySettings, ablate
from weakreset.errors import UsageError
from weakreset.simulation import DeviceArray, convert
from weakreset.training import Dataset, Recipe, optimizer_of, schedule_of, train
from weakreset.training.ideal import binarize
from weakreset.training.own import right_answers

SIDE = 8


def blobs(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images of four classes: which quarter is bright."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (n,), generator=generator)
    images = torch.randn(n, 1, SIDE, SIDE, generator=generator)
    for k in range(4):
        images[labels == k, :, 4 * (k // 2) : 4 * (k // 2) + 4, 4 * (k % 2) : 4 * (k % 2) + 4] += 1.0
    return images, labels


class Blobs(torch_data.Dataset[tuple[Tensor, Tensor]]):
    """A map-style data set with a random transformation."""

    def __init__(self, n: int, seed: int) -> None:
        self.images, self.labels = blobs(n, seed)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.images[i] + 0.1 * torch.randn(1, SIDE, SIDE), self.labels[i]


def small_cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Hardtanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.1),
        nn.Linear(8 * 16, 4), nn.BatchNorm1d(4),
    )


def wrapped_cnn() -> nn.Module:
    return nn.Sequential(small_cnn())


OPTIONS: dict[str, Any] = {"network": small_cnn, "epochs": 2, "batch_size": 20, "seed": 3}
TIMELESS = "seconds"


def timeless(run: Any) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != TIMELESS} for line in run.metrics]


def loaders() -> tuple[Any, Any]:
    train_set, test_set = Blobs(200, 0), Blobs(80, 1)
    own = torch.Generator()
    return (
        torch_data.DataLoader(train_set, 25, shuffle=True, drop_last=True, generator=own),
        torch_data.DataLoader(test_set, 40),
    )


@pytest.mark.parametrize("recipe", ["latent", "device-aware", "published", "ideal"])
@pytest.mark.parametrize("kind", ["tensors", "datasets", "loaders"])
def test_own_data_train_repeat_and_resume_bit_for_bit(tmp_path: Path, kind: str, recipe: str) -> None:
    def parts() -> tuple[Any, Any]:
        if kind == "loaders":
            return loaders()
        return (blobs(200, 0), blobs(80, 1)) if kind == "tensors" else (Blobs(200, 0), Blobs(80, 1))

    def run(**more: Any) -> Any:
        one, two = parts()
        return train("majumdar2021", one, test=two, recipe=recipe, **{**OPTIONS, **more})

    whole = run()
    assert whole.config["network"] == "small_cnn"
    assert whole.metrics[-1]["test_accuracy"] > 0.4  # chance is 25 %

    def interrupt(progress: Any) -> None:
        if (progress.epoch, progress.step) == (2, 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(run_dir=tmp_path, progress=interrupt)
    resumed = run(run_dir=tmp_path, resume=True)
    assert timeless(resumed) == timeless(whole)
    for one, two in zip(whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def test_own_networks_share_chip_and_order_between_conditions() -> None:
    runs = [train("majumdar2021", blobs(200, 0), test=blobs(80, 1), without=off, **OPTIONS) for off in ((), ("rtn",))]
    chips = [next(m for m in run.model.modules() if isinstance(m, DeviceArray)) for run in runs]
    assert torch.equal(chips[0].m1, chips[1].m1)
    assert not torch.equal(chips[0].log_r, chips[1].log_r)
    assert runs[0].metrics[-1]["pulses_mean"] > 0


def test_a_module_is_taken_and_left_as_it_was() -> None:
    with torch.random.fork_rng(devices=[]):
        stock = small_cnn()
    before = {name: value.clone() for name, value in stock.state_dict().items()}
    run = train("majumdar2021", blobs(100, 0), test=blobs(40, 1), network=stock, epochs=1, batch_size=20)
    assert all(torch.equal(before[name], value) for name, value in stock.state_dict().items())
    assert len(run.config["network_sha256"]) == 64


def test_a_resumed_run_must_have_the_same_network_data_and_loss(tmp_path: Path) -> None:
    def run(**more: Any) -> Any:
        options = {"data": blobs(100, 0), "test": blobs(40, 1), **OPTIONS, "epochs": 1, **more}
        return train("majumdar2021", run_dir=tmp_path, resume=True, **options)

    run()
    for more, word in (
        ({"data": blobs(100, 7)}, "data_sha256"), ({"network": wrapped_cnn}, "network"),
        ({"loss": functional.cross_entropy}, "loss"), ({"layers": ["0"]}, "layers"),
    ):
        with pytest.raises(UsageError, match=word):
            run(**more)


def test_regression_has_its_own_loss_and_score() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 6, generator=generator)
    y = x.sum(1, keepdim=True).sign()
    with torch.random.fork_rng(devices=[]):
        stock = nn.Sequential(nn.Linear(6, 40), nn.BatchNorm1d(40), nn.Hardtanh(), nn.Linear(40, 1), nn.BatchNorm1d(1))
    options: dict[str, Any] = {"network": stock, "loss": functional.mse_loss, "epochs": 4, "batch_size": 20}
    run = train("majumdar2021", (x, y), holdout=0.2, score=lambda out, y: out * y > 0, **options)
    assert run.test_accuracy > 0.75
    with pytest.raises(UsageError, match="accuracy needs scores"):
        train("majumdar2021", (x, y), holdout=0.2, **options)


@pytest.mark.parametrize(("change", "message"), [
    ({"test": None}, "no data to test on"), ({"data": 5}, "data of int"), ({"network": lambda: 3}, "not a torch mod"),
    ({"network": "mlp"}, "give a module or a function"), ({"batch_size": 500}, "gives no batch"),
    ({"data": torch_data.TensorDataset(torch.zeros(40, 1, 8, 8))}, "batches must be"),
    ({"data": "digits"}, "their own test set"), ({"shrink": 2}, "shrink: only for data sets by name"),
    ({"device": "abacus"}, "device 'abacus' cannot be used"),
    ({"recipe": Recipe("ideal", lr=-1.0, schedule="cosine", devices=False)}, "learning rate"),
])
def test_what_makes_no_run_is_refused_with_a_way_that_works(change: dict[str, Any], message: str) -> None:
    options = {"data": blobs(100, 0), "test": blobs(40, 1), **OPTIONS, **change}
    with pytest.raises(UsageError, match=message):
        train("majumdar2021", **options)


def test_a_weakreset_dataset_trains_an_own_network() -> None:
    (x, y), (tx, ty) = blobs(100, 0), blobs(40, 1)
    run = train("majumdar2021", Dataset("blobs", x, y, tx, ty, 4), network=small_cnn, epochs=1, batch_size=20)
    assert run.config["data"] == "blobs"


SOME = (Condition("all on"), Condition("without d2d", without=("d2d",)), Condition("ideal", ideal=True))


def test_a_study_of_an_own_network_goes_on_and_knows_its_task(published: Any, tmp_path: Path, monkeypatch: Any) -> None:
    settings = StudySettings(epochs=1, batch_size=20)
    task: dict[str, Any] = {"network": small_cnn, "data": blobs(100, 0), "test": blobs(40, 1)}
    first = ablate(published, tmp_path, settings, seeds=(0, 1), conditions=SOME, **task)
    assert [len(row.accuracies) for row in first.rows] == [2, 2, 2]
    assert first.settings["network"] == "small_cnn"
    monkeypatch.setattr("weakreset.training.train", None)
    again = ablate(published, tmp_path, settings, seeds=(0, 1), conditions=SOME, **task)
    assert again.to_dict() == first.to_dict()
    with pytest.raises(UsageError, match="other settings"):
        ablate(published, tmp_path, settings, seeds=(0, 1), conditions=SOME, **{**task, "data": blobs(100, 9)})
    with pytest.raises(UsageError, match=r"network: cannot be handed to 2 processes .* jobs=1"):
        ablate(published, tmp_path / "b", settings, conditions=SOME, jobs=2, **{**task, "network": lambda: small_cnn()})


@pytest.mark.parametrize("recipe", ["latent", "device-aware", "published", "ideal"])
def test_a_recipe_in_a_loop_of_ones_own_does_what_train_does(recipe: str) -> None:
    """With its scheduler, and gradients of two halves of each batch summed before the step."""
    (x, y), epochs, size = blobs(200, 0), 3, 20
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        stock = nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.LayerNorm(20), nn.Hardtanh(), nn.Linear(20, 4))
    devices = recipe != "ideal"
    model = convert(stock, "majumdar2021") if devices else binarize(stock, torch.Generator().manual_seed(0))
    optimizer = optimizer_of(model, recipe)
    scheduler = schedule_of(optimizer, len(y) // size, epochs, recipe)
    rates = []
    for _ in range(epochs):
        for start in range(0, len(y), size):
            optimizer.zero_grad()
            for part in (slice(start, start + size // 2), slice(start + size // 2, start + size)):
                (0.5 * functional.cross_entropy(model(x[part]), y[part])).backward()
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    assert optimizer.last_step.flips >= 0
    if recipe != "published":
        assert rates[-1] < 0.1 * rates[0]
    digital = optimizer.param_groups[1]["lr"]
    assert digital == pytest.approx(8e-3)
    state = optimizer.state_dict()
    optimizer_of(model, recipe).load_state_dict(state)
    assert float((model(x).argmax(1) == y).float().mean()) > 0.6  # chance is 25 %


class Once(torch_data.IterableDataset[tuple[Tensor, Tensor]]):
    """As people write it: the second epoch finds its generator at its end."""

    def __init__(self, n: int) -> None:
        self.left = zip(*blobs(n, 0), strict=True)
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Any:
        return self.left


@pytest.mark.parametrize(("used_up", "message"), [
    ("data", "Once gave no batch to train on in epoch 2"), ("test", "nothing to test on"),
])
def test_data_that_are_used_up_are_no_epoch(used_up: str, message: str) -> None:
    """A loss of 0 and an accuracy of 0 % would look like a result."""
    task = {"data": blobs(60, 0), "test": blobs(40, 1)} | {used_up: Once(60)}
    with pytest.raises(UsageError, match=message):
        train("majumdar2021", **task, **OPTIONS)


def test_one_score_an_item_is_no_choice_between_classes() -> None:
    """The largest of one number is always class 0."""
    with pytest.raises(UsageError, match="two classes or more"):
        right_answers(torch.zeros(5, 1), torch.zeros(5, dtype=torch.int64))
