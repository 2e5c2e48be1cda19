"""Memory: bytes that labelled images, their features and the backbones of a run take."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from dynamics.core import cost, registry, traits, words
from dynamics.core.config import Config
from dynamics.core.contents import Contents
from dynamics.engine.draws import generator, need

COPIES = 3  # of all images in float32: as they were read, one part of them, standardised
FEW = (2, 3, 4)  # features of backbones that are tried
RECORDS = cost.AHEAD + 1  # most records that are being measured, each with its own backbone


def check(config: Config) -> None:
    """Refuse images and backbones that do not fit into memory, before any image is read.

    Raises:
        MemoryError: with a sentence.
    """
    known = config.contents
    if known is None:
        return
    numbers = float(known.images) * math.prod(known.shape)
    size = numbers * (4 * COPIES + cost.number(config))
    need(size, f"A data set of {known.images:,} images for training")
    step = config.batch or config.images or known.images
    backbone = f"the backbone {config.backbone} with {config.features:,} features"
    images = words.count(step, "image")
    need(size + _training(config, known, step), f"Training {backbone} on {images} a step")


def _training(config: Config, known: Contents, step: int) -> float:
    """Bytes of the backbones of all networks, and of what one step keeps for its gradients.

    Each parameter has a gradient and what the optimizer keeps; a record has copies of them.
    """
    # Both numbers are polynomials of the second degree in the number of features, so that small
    # backbones tell those of any size.
    sizes = np.array([_sizes(config, known, features) for features in FEW], dtype=float)
    beyond = config.features - FEW[0]
    first, slope = sizes[0], sizes[1] - sizes[0]
    bend = sizes[2] - sizes[1] - slope
    parameters, kept = first + slope * beyond + bend * (beyond * (beyond - 1) / 2)
    moved = 1 + traits.optimizer(config.optimizer).keeps
    copies = len(config.networks) * (moved + 1 + RECORDS * moved) + 1
    images = step if config.backbone_rate else 0
    return (parameters * copies + kept * images) * cost.number(config)


def _sizes(config: Config, known: Contents, features: int) -> tuple[int, int]:
    """How many parameters a backbone has, and how many numbers an image's gradients keep."""
    build = registry.load("backbones", config.backbone).build
    backbone = build(known.shape, features, config.activation, generator("sizes", 0))
    one, two = (_kept(backbone, torch.zeros(count, *known.shape)) for count in (1, 2))
    return sum(each.numel() for each in backbone.parameters()), two - one


def _kept(backbone: nn.Module, images: Tensor) -> int:
    """How many numbers autograd keeps for the gradients, those of parameters included."""
    kept: dict[int, Tensor] = {}  # by storage: a number that several operations need counts once

    def count(tensor: Tensor) -> Tensor:
        kept.setdefault(tensor.untyped_storage()._cdata, tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        backbone(images)
    return sum(tensor.numel() for tensor in kept.values())
