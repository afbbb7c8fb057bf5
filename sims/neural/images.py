"""The images of a data set as tensors: picked, flipped and cropped, and normalised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sims.neural.data.dataset import Dataset

PADDING = 4  # black pixels on each side, of which a crop may show some
PER_IMAGE = 3  # uniform draws for an augmented image: whether it is mirrored, and where the crop begins


@dataclass(frozen=True, eq=False)
class Images:
    """Images (m, c, h, w) in uint8 with their labels (m,), and the mean and deviation of each channel."""

    pixels: Tensor
    labels: Tensor
    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, data: Dataset, part: str, chosen: np.ndarray, device: str, dtype: torch.dtype) -> Images:
        """The images of a part, "train" or "test", at the indices `chosen`."""
        pixels = torch.from_numpy(getattr(data, f"{part}_images")[chosen].transpose(0, 3, 1, 2).copy())
        labels = torch.from_numpy(getattr(data, f"{part}_labels")[chosen])
        scale = [torch.tensor(one, dtype=dtype, device=device)[:, None, None] for one in (data.mean, data.std)]
        return cls(pixels.to(device), labels.to(device), *scale)

    def normalised(self, pixels: Tensor) -> Tensor:
        """(pixel/255 − mean)/std, in the dtype of the mean."""
        return (pixels.to(self.mean.dtype) / 255 - self.mean) / self.std

    def batch(self, picks: Tensor, draws: Tensor | None = None) -> Tensor:
        """The images at `picks` (...), normalised, (..., c, h, w); augmented if there are `draws` (..., 3)."""
        pixels = self.pixels[picks.reshape(-1)]
        if draws is not None:
            pixels = augmented(pixels, draws.reshape(-1, PER_IMAGE))
        return self.normalised(pixels).reshape(*picks.shape, *pixels.shape[1:])


def augmented(pixels: Tensor, draws: Tensor) -> Tensor:
    """Images (m, c, h, w), each mirrored with probability ½ and cropped at random from itself with a black border.

    `draws` (m, 3) are uniform on [0, 1): mirrored if the first is below ½; the crop of the padded image begins at row
    ⌊9·u⌋ and column ⌊9·u⌋ of the other two.
    """
    m, c, h, w = pixels.shape
    places = 2 * PADDING + 1
    rows = (draws[:, 1] * places).long()[:, None] + torch.arange(h, device=pixels.device)
    columns = (draws[:, 2] * places).long()[:, None] + torch.arange(w, device=pixels.device)
    columns = torch.where((draws[:, 0] < 0.5)[:, None], columns.flip(-1), columns)
    padded = nn.functional.pad(pixels, (PADDING,) * 4)
    which = torch.arange(m, device=pixels.device)[:, None, None, None]
    channels = torch.arange(c, device=pixels.device)[None, :, None, None]
    return padded[which, channels, rows[:, None, :, None], columns[:, None, None, :]]
