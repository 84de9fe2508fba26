"""Random crop and flip, as usual for CIFAR-10."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["random_crop_and_flip"]

_BLACK = -1.0  # images are scaled to -1 .. 1


def random_crop_and_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each image by up to 4 pixels in 32 and mirror half of them; shape (n, channels, height, width)."""
    n, channels, height, width = images.shape
    margin = height // 8  # 4 pixels of the 32 of CIFAR-10, as is usual; in proportion for shrunk images
    padded = functional.pad(images, [margin] * 4, value=_BLACK)
    # of the epoch's generator, on the CPU: the same crops on any processor
    shift = torch.randint(0, 2 * margin + 1, (2, n, 1), generator=generator)
    mirrored = torch.randint(0, 2, (n, 1), generator=generator) == 1
    columns = torch.arange(width).expand(n, width)
    columns = torch.where(mirrored, width - 1 - columns, columns) + shift[1]
    rows = torch.arange(height) + shift[0]
    rows, columns = rows.to(images.device), columns.to(images.device)
    image = torch.arange(n, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]
