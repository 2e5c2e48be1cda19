"""Products: ``out = left · right`` by torch, or by compiled code where that is faster.

On some processors the libraries behind torch use only half of the vector width;
``kernels/products.cpp`` uses all of it, and makes many steps in one call (``steps/replayed.py``).
It is used on x86 processors with AVX2, for matrices with no side below THIN. For thinner matrices
the calls cost more than the products. A large product is cut into two halves of its rows, one for a
second thread; the digits are the same. Waiting uses no core.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import psutil
import torch
from torch import Tensor

from dynamics.engine.kernels import products

THIN = 48  # smallest side of a matrix that compiled code multiplies
WORTH_TWO = 600**3  # least rows × inner × cols for which a second thread gains


def multiply(left: Tensor, right: Tensor, out: Tensor) -> Tensor:
    """out ← left · right; returns ``out``."""
    if _thick(left, right) and _compiled(left, right, out, 1.0, 0.0):
        return out
    return torch.mm(left, right, out=out)


def add_product(out: Tensor, left: Tensor, right: Tensor, alpha: float) -> None:
    """out ← out + alpha · left · right."""
    if not (_thick(left, right) and _compiled(left, right, out, alpha, 1.0)):
        out.addmm_(left, right, alpha=alpha)


def _thick(left: Tensor, right: Tensor) -> bool:
    return min(*left.shape, right.shape[1]) >= THIN and not left.is_cuda


def _compiled(left: Tensor, right: Tensor, out: Tensor, alpha: float, beta: float) -> bool:
    """Multiply by compiled code; returns False if it is missing or the matrices do not fit it."""
    functions = products(out.dtype)
    if functions is None or left.is_sparse_csr or right.is_sparse_csr:
        return False
    if not left.dtype == right.dtype == out.dtype or 1 not in out.stride():
        return False
    rows, *rest = arguments(left, right, out)
    cols, inner, a, down, across, b, b_down, b_across, c, c_down = rest
    size = left.element_size()

    def run(start: int, stop: int) -> None:
        functions.multiply(
            stop - start, cols, inner, a + start * down * size, down, across, b, b_down, b_across,
            c + start * c_down * size, c_down, alpha, beta,
        )  # fmt: skip

    if rows * inner * cols >= WORTH_TWO:
        middle = rows // 2
        half = _pool().submit(run, 0, middle)
        run(middle, rows)
        half.result()
    else:
        run(0, rows)
    return True


def arguments(left: Tensor, right: Tensor, out: Tensor) -> list[int]:
    """The arguments of compiled code: sizes, then address and strides of each matrix.

    Compiled code writes contiguous rows, so for a transposed ``out`` the arguments are those of the
    transposed product.
    """
    if out.stride(1) != 1:
        left, right, out = right.mT, left.mT, out.mT
    sizes = [*out.shape, left.shape[1]]
    sides = [number for side in (left, right) for number in (side.data_ptr(), *side.stride())]
    return [*sizes, *sides, out.data_ptr(), out.stride(0)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(psutil.cpu_count(), "products")
