"""Draws: targets, masks and noise are what the settings say."""

import numpy as np
import pytest
import torch

from dynamics.core.config import Config, choices
from dynamics.engine.draws import generator, low_rank, mask, need, noise
from dynamics.engine.training.comparison import prepare
from tests.support.make import is_sentence, small


@pytest.mark.parametrize("shape", [(20, 20), (12, 30)], ids=str)
@pytest.mark.parametrize("spectrum", choices("spectrum"))
def test_targets_have_their_rank_and_orthonormal_singular_vectors(
    spectrum: str, shape: tuple[int, int]
) -> None:
    rows, cols = shape
    target = low_rank(Config(rows=rows, cols=cols, rank=4, spectrum=spectrum))
    values = np.linalg.svd(target.dense.numpy(), compute_uv=False)
    assert np.abs(values[:4] - target.values.numpy()).max() < 1e-12
    assert values[4:].max() < 1e-12
    identity = torch.eye(4, dtype=torch.float64)
    for vectors in (target.left, target.right.mT):
        assert (vectors.mT @ vectors - identity).abs().max() < 1e-14
    assert abs(target.norm / target.dense.norm() - 1) < 1e-14


def test_spectra_are_what_their_names_say() -> None:
    values = {name: low_rank(Config(rank=5, spectrum=name)).values for name in choices("spectrum")}
    assert values["flat"].unique().numel() == 1
    assert (values["power-law"] * torch.arange(1, 6) - values["power-law"][0]).abs().max() < 1e-13
    # All of a 100 × 100 Gaussian matrix: the first five, or number 0, 10, 20, 30 and 40 of them.
    whole = low_rank(Config(rank=100, rank_bound=100)).values
    assert torch.equal(values["top"], whole[:5])
    assert torch.equal(values["spread"], whole[:50:10])


def test_masks_observe_the_fraction_that_was_asked_for_and_at_least_one_entry() -> None:
    observed = mask(Config(rows=200, cols=300, observed=0.2)).double().mean()
    assert abs(float(observed) - 0.2) < 5 * (0.2 * 0.8 / 60_000) ** 0.5
    assert mask(Config(rows=5, cols=5, rank=1, rank_bound=1, observed=1e-12)).sum() == 1
    assert mask(Config(observed=1.0)).all()


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    drawn = noise(Config(noise=0.25), 200, 300)
    assert abs(float(drawn.std()) - 0.25) < 0.005 and abs(float(drawn.mean())) < 0.005
    assert (noise(Config(), 5, 5) == 0).all()


def test_generators_differ_by_purpose_and_by_seed() -> None:
    seen = {
        float(torch.rand(1, generator=generator(purpose, seed), dtype=torch.float64))
        for purpose in ("target", "mask", "noise", "factors", "measurements", "split")
        for seed in range(5)
    }
    assert len(seen) == 30
    first, second = (torch.rand(3, generator=generator("mask", 2**31 - 1)) for _ in range(2))
    assert torch.equal(first, second)


def test_what_cannot_fit_into_memory_is_refused_before_the_machine_swaps() -> None:
    """A sentence at once instead of a machine that no longer answers."""
    need(1, "One byte")
    with pytest.raises(MemoryError, match="GB") as caught:
        prepare(small(problem="sensing", measurements=1_000_000, rows=20_000, cols=20_000))
    assert is_sentence(str(caught.value))
