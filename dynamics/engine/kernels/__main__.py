"""``python -m dynamics.engine.kernels``: compile in advance what presets and lessons need."""

import logging
from concurrent.futures import ThreadPoolExecutor

import torch

from dynamics.engine.kernels import USUAL, library, products

logging.basicConfig(format="%(message)s")
with ThreadPoolExecutor() as pool:
    made = list(pool.map(lambda width: library(width, torch.float64), USUAL))
products(torch.float64)
print("The compiled kernels are ready." if all(made) else "Training will run on torch alone.")
