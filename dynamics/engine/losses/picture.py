"""Picture: the masked loss of a picture with missing pixels, and how good a completed one looks."""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool
from numpy.typing import NDArray
from torch import Tensor

from dynamics.core import holes
from dynamics.core.config import Config
from dynamics.core.pictures import FILLS, Grey, Still, completed, grey
from dynamics.core.records import Array
from dynamics.engine.draws import given, mask
from dynamics.engine.losses.masked import Masked
from dynamics.engine.target import Matrix, Target

Known = NDArray[np.bool_]
WINDOW = 7  # side of the squares that SSIM compares, if the picture has room for them


class Picture(Masked):
    """½ mean over the seen pixels of (W − Y)², where brightness goes from −0.5 to 0.5."""

    pictured = True

    def __init__(
        self, target: Target, mask: Bool[Tensor, "rows cols"], noisy: Matrix | None
    ) -> None:
        super().__init__(target, mask, noisy)
        truth = _array(target.dense)
        shown = grey(truth if noisy is None else _array(noisy))
        known = mask.cpu().numpy()
        fills = tuple(FILL[name](shown, known) for name in FILLS)
        self.still = Still(grey(truth), shown, known.astype(np.uint8), fills)
        self.names = {
            "fills": list(FILLS),
            "psnr_of_fills": [psnr(self.still.truth, fill) for fill in fills],
            "ssim_of_fills": [ssim(self.still.truth, fill) for fill in fills],
        }

    def completed(self, product: Matrix) -> Grey:
        """The picture with the network's pixels in the holes."""
        return completed(_array(product), self.still)


def problem(pixels: Grey, config: Config, like: Tensor) -> Picture:
    """The problem of a picture's grey values, rows × cols, as the config hides them.

    The picture has full rank, so angles are measured to its first r singular vectors.
    """
    brightness = torch.tensor(pixels.astype(float)) / 255 - 0.5
    target = Target.of(brightness, config.rank, exact=False)
    seen = mask(config) if config.holes == "random" else torch.from_numpy(holes.seen(config))
    return Picture(target.to(like), seen, given(config, target, like))


def psnr(truth: Grey, picture: Grey) -> float:
    """The peak signal-to-noise ratio, 10 log₁₀(255² / mean square difference), in decibels.

    100 if the pictures are the same.
    """
    from skimage.metrics import peak_signal_noise_ratio

    if np.array_equal(truth, picture):
        return 100.0
    compare: Callable[..., float] = peak_signal_noise_ratio
    return float(compare(truth, picture, data_range=255))


def ssim(truth: Grey, picture: Grey) -> float:
    """The structural similarity, 1 for the same picture. Wang et al. (2004), in 7 × 7 windows.

    NaN for a picture without room for a window of 3 × 3.
    """
    from skimage.metrics import structural_similarity

    side = (min(WINDOW, *truth.shape) + 1) // 2 * 2 - 1  # odd
    if side < 3:
        return math.nan
    compare: Callable[..., float] = structural_similarity
    return float(compare(truth, picture, data_range=255, win_size=side))


def _nearest(picture: Grey, known: Known) -> Grey:
    """Each hole takes the value of the nearest pixel that is seen."""
    from scipy.ndimage import distance_transform_edt

    places = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return picture[tuple(places)]


def _linear(picture: Grey, known: Known) -> Grey:
    """Linear between the pixels that are seen; nearest outside of all of them."""
    from scipy.interpolate import LinearNDInterpolator
    from scipy.spatial import QhullError

    filled = _nearest(picture, known)
    holes = np.argwhere(~known)
    if not len(holes):
        return filled
    try:
        values = LinearNDInterpolator(np.argwhere(known), picture[known].astype(float))(holes)
    except (QhullError, ValueError):  # all of them lie on one line
        return filled
    inside = np.isfinite(values)
    filled[tuple(holes[inside].T)] = np.round(values[inside]).astype(np.uint8)
    return filled


FILL = {"nearest": _nearest, "linear": _linear}


def _array(matrix: Matrix) -> Array:
    return matrix.detach().cpu().double().numpy()
