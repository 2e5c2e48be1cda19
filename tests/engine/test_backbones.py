"""Backbones: shapes, starts that follow from a seed alone, and first values as torch draws them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dynamics.core.registry import load, options

ALL = sorted(options("backbones"))


def built(name: str, seed: int, activation: str = "relu", side: int = 8) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    module: nn.Module = load("backbones", name).build((1, side, side), 12, activation, generator)
    return module


def vector(module: nn.Module) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in module.parameters()])


@pytest.mark.parametrize("name", ALL)
def test_a_start_follows_from_its_generator_alone(name: str) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = vector(built(name, 0))
    assert torch.equal(torch.rand(3), expected)  # the process's own numbers go on as they were
    assert torch.equal(vector(built(name, 0)), first)
    assert not torch.equal(vector(built(name, 1)), first)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("side", [8, 28])
@pytest.mark.parametrize("name", ALL)
def test_images_become_features_that_differ_and_have_gradients(
    name: str, side: int, activation: str
) -> None:
    module = built(name, 0, activation, side)
    images = torch.rand(5, 1, side, side, generator=torch.Generator().manual_seed(0))
    features = module(images)
    assert features.shape == (5, 12)
    assert (features[0] - features[1]).abs().max() > 1e-3
    gradients = torch.autograd.grad(features.square().sum(), list(module.parameters()))
    assert all(gradient.abs().max() > 0 for gradient in gradients)
    # Each image by itself: nothing is shared over a batch.
    assert torch.allclose(module(images[:1]), features[:1], atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_the_activation_matters(name: str) -> None:
    images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(built(name, 0)(images), built(name, 0, "gelu")(images))


def test_images_that_no_patches_fit_are_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"multiples of 4; these are 10 × 10\.$"):
        built("vit", 0, side=10)


def test_the_guide_s_backbone_is_one() -> None:
    """Its file as docs/extending.md has it: the same start from a seed, features of each image."""
    text = Path("docs/extending.md").read_text(encoding="utf-8").partition("## A backbone")[2]
    made: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], made)
    module, again = (
        made["build"]((1, 8, 8), 12, "relu", torch.Generator().manual_seed(0)) for _ in range(2)
    )
    images = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert module(images).shape == (5, 12)
    assert torch.equal(vector(module), vector(again))
    assert torch.allclose(module(images[:1]), module(images)[:1], atol=1e-6)
