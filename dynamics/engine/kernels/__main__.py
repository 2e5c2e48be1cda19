"""``python -m dynamics.engine.kernels``: compile the usual widths in advance."""

import logging
from concurrent.futures import ThreadPoolExecutor

import torch

from dynamics.engine.kernels import library, products

USUAL = 20  # largest width that is compiled in advance, in float64

logging.basicConfig(format="%(message)s")
with ThreadPoolExecutor() as pool:
    widths = range(1, USUAL + 1)
    made = list(pool.map(lambda width: library(width, torch.float64), widths))
products(torch.float64)
print("The compiled kernels are ready." if all(made) else "Training will run on torch alone.")
