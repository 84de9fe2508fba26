"""What all runs of a study share."""

from __future__ import annotations

from dataclasses import dataclass

from weakreset.options import named_options

__all__ = ["StudySettings"]


@named_options
@dataclass(frozen=True)
class StudySettings:
    """What all runs of a study share; as in `weakreset.training.train`, usual values where None.

    Attributes
    ----------
    nominal : str
        "median" or "mean": the device that "no D2D" means.
    shrink : int
        Pixels averaged, see `train`.
    lr : float, optional
        In place of that of the recipe.
    holdout : float
        Share of the training data to test on instead, see `train`.
    """

    data: str = "digits"
    data_dir: str | None = None
    recipe: str = "latent"
    network: str = "mlp"
    hidden: int | None = None
    width: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    nominal: str = "median"
    shrink: int = 1
    lr: float | None = None
    holdout: float = 0.0
