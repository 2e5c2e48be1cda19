"""Draws: targets, masks and noise, each from a generator of its own."""

import contextlib
import hashlib
from collections.abc import Iterator
from itertools import pairwise

import psutil
import torch
from jaxtyping import Bool
from torch import Tensor

from dynamics.core.config import Config
from dynamics.core.finite import finite
from dynamics.core.sizes import shown
from dynamics.data.published import DRAWN, arrays
from dynamics.engine.factors import orthonormal
from dynamics.engine.target import Matrix, Target

BLOCK = 2**23  # random numbers drawn together: 64 MiB, which the allocator frees immediately


def generator(purpose: str, seed: int) -> torch.Generator:
    """Returns a generator for one purpose, so that no new draw elsewhere shifts its numbers."""
    digest = hashlib.sha256(f"{purpose}/{seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


@contextlib.contextmanager
def seeded(generator: torch.Generator) -> Iterator[None]:
    """Inside the block, torch's modules draw their first values from the generator alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        yield


def low_rank(config: Config) -> Target:
    """A random target of the config's rank and spectrum, in float64.

    ``top`` and ``spread`` take r singular triplets of a Gaussian matrix: ``top`` the first r,
    ``spread`` those with the indices 0, d/(2r), 2d/(2r), …, where d is the smaller side. ``flat``
    and ``power-law`` have Haar-random singular vectors and the values s and s/i, where
    s = √rows + √cols is the largest singular value of a Gaussian matrix. Published matrices bring
    their own target.
    """
    if config.matrices != DRAWN:
        matrix = torch.from_numpy(arrays(config.matrices)["target"])
        return Target.of(matrix, config.rank)
    rng = generator("target", config.seed_target)
    rank = config.rank
    rows, cols = config.shape
    if config.spectrum in ("flat", "power-law"):
        index = torch.arange(1, rank + 1, dtype=torch.float64)
        values = torch.full_like(index, rows**0.5 + cols**0.5)
        if config.spectrum == "power-law":
            values = values / index
        return Target(orthonormal(rows, rank, rng), values, orthonormal(rank, cols, rng))
    need(rows * cols * 8 * 5, f"The {config.spectrum} spectrum of a {rows} × {cols} matrix")
    gaussian = torch.randn(rows, cols, generator=rng, dtype=torch.float64)
    left, values, right = torch.linalg.svd(finite(gaussian), full_matrices=False)
    stride = min(rows, cols) / (2 * rank) if config.spectrum == "spread" else 1
    kept = [int(i * stride) for i in range(rank)]
    return Target(left[:, kept].contiguous(), values[kept], right[kept].contiguous())


def mask(config: Config) -> Bool[Tensor, "rows cols"]:
    """Which entries are trained on: each with the probability ``shown``, but at least one.

    Published matrices bring their own mask.
    """
    if config.matrices != DRAWN:
        return torch.from_numpy(arrays(config.matrices)["mask"]).bool()
    observed = torch.cat([block for _, block, _ in blocks(config)])
    if not observed.any():
        observed[0, 0] = True
    return observed


def blocks(config: Config) -> Iterator[tuple[int, Bool[Tensor, "some cols"], Matrix | float]]:
    """Yields for each block of rows its first row, its mask and its noise (0.0 for no noise).

    The numbers equal those of ``mask`` and ``noise``.
    """
    for start, drawn, added in _drawn(config):
        yield start, drawn < shown(config), added


def apart(config: Config) -> Iterator[tuple[int, Bool[Tensor, "some cols"], Matrix | float]]:
    """As ``blocks``, of the observed entries that are kept apart for validation."""
    for start, drawn, added in _drawn(config):
        yield start, (drawn >= shown(config)) & (drawn < config.observed), added


def _drawn(config: Config) -> Iterator[tuple[int, Matrix, Matrix | float]]:
    """The first row, a number from 0 to 1 for each entry, and the noise of each block of rows."""
    rows, cols = config.shape
    mask_rng = generator("mask", config.seed_data)
    noise_rng = generator("noise", config.seed_noise)
    for start, stop in spans(rows, cols):
        shape = (stop - start, cols)
        drawn = torch.rand(shape, generator=mask_rng, dtype=torch.float64)
        yield start, drawn, _normal(config, shape, noise_rng) if config.noise else 0.0


def spans(rows: int, cols: int) -> Iterator[tuple[int, int]]:
    """Yields first row and end of blocks of about BLOCK numbers, for rows of ``cols`` numbers.

    A generator draws the same normal numbers block by block as all together if each block has a
    multiple of 16 rows and the last block is not smaller than the blocks before it.
    """
    size = max(16, BLOCK // cols // 16 * 16)
    return pairwise([*range(0, max(rows - size, 1), size), rows])


def noise(config: Config, *shape: int) -> Tensor:
    """Gaussian noise of the config's standard deviation."""
    return _normal(config, shape, generator("noise", config.seed_noise))


def _normal(config: Config, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
    return config.noise * torch.randn(shape, generator=rng, dtype=torch.float64)


def given(config: Config, target: Target, like: Tensor) -> Matrix | None:
    """M* plus the config's noise; None without noise."""
    if not config.noise:
        return None
    return (target.dense + noise(config, *config.shape)).to(like)


def need(size: float, what: str) -> None:
    """Refuse data that do not fit into memory, before the machine starts to swap.

    Raises:
        MemoryError: with a sentence, if less than ``size`` bytes are free.
    """
    free = psutil.virtual_memory().available
    if size > free:
        raise MemoryError(
            f"{what} needs {size / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free; "
            "a smaller one would fit."
        )
