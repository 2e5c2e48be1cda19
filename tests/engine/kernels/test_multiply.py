"""Compiled products equal torch's, whatever the shapes, strides and threads."""

import functools

import pytest
import torch
from torch import Tensor

from dynamics.engine import kernels
from dynamics.engine.kernels import NUMBERS
from dynamics.engine.kernels import multiply as module
from dynamics.engine.kernels import products as library
from dynamics.engine.kernels.multiply import add_product, multiply

compiled = pytest.mark.skipif(
    library(torch.float64) is None, reason="no compiled products: no compiler, or no AVX2"
)
SHAPES = [
    (48, 48, 48),
    (100, 100, 100),
    (61, 77, 53),
    (49, 400, 97),
    (391, 50, 200),
    (400, 193, 65),
]


def random(rows: int, cols: int, dtype: torch.dtype, turned: bool) -> Tensor:
    draw = torch.Generator().manual_seed(rows * 1000 + cols)
    if turned:
        return torch.randn(cols, rows, generator=draw, dtype=torch.float64).to(dtype).mT
    return torch.randn(rows, cols, generator=draw, dtype=torch.float64).to(dtype)


@compiled
@pytest.mark.parametrize("flags", [(), ("-mno-avx512f",)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("turned", range(8))
@pytest.mark.parametrize("shape", SHAPES)
def test_products_of_all_strides(
    shape: tuple[int, int, int],
    turned: int,
    dtype: torch.dtype,
    flags: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows or columns contiguous in each of the three, sizes off every block; the buffer is NaN.

    With the vectors of this processor, and with those of one that has none of 64 bytes.
    """
    built = functools.partial(kernels._loaded, "products", NUMBERS[dtype], *flags)
    monkeypatch.setattr(module, "products", lambda dtype: built())
    rows, inner, cols = shape
    left = random(rows, inner, dtype, bool(turned & 1))
    right = random(inner, cols, dtype, bool(turned & 2))
    out = random(rows, cols, dtype, bool(turned & 4))
    exact = left.double() @ right.double()
    allowed = (1e-13 if dtype == torch.float64 else 1e-5) * inner
    wanted = out.double() - 0.25 * exact
    assert module._compiled(left, right, out, -0.25, 1.0)
    torch.testing.assert_close(out.double(), wanted, rtol=0, atol=allowed)
    out.fill_(torch.nan)
    assert module._compiled(left, right, out, 1.0, 0.0)
    torch.testing.assert_close(out.double(), exact, rtol=0, atol=allowed)


@compiled
def test_two_threads_give_the_same_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are cut in two, and every row is summed up as before."""
    left, right = random(633, 301, torch.float64, False), random(301, 310, torch.float64, True)
    together, alone = torch.empty(633, 310).double(), torch.empty(633, 310).double()
    monkeypatch.setattr(module, "WORTH_TWO", 0)
    multiply(left, right, out=together)
    monkeypatch.setattr(module, "WORTH_TWO", 10**12)
    multiply(left, right, out=alone)
    assert torch.equal(together, alone)


@pytest.mark.parametrize("side", [20, 90])
def test_small_and_uncompiled_products_are_torchs(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the library, and below the size that is worth a call, nothing changes."""
    monkeypatch.setattr(module, "products", lambda dtype: None)
    left, right = (random(side, side, torch.float64, False) for _ in range(2))
    out = torch.empty_like(left)
    assert multiply(left, right, out=out) is out
    assert torch.equal(out, left @ right)
    add_product(out, left, right, -1.0)
    assert float(out.abs().max()) < 1e-12 * side
