"""Gaussian matrices: measurements A_i = G_i/m, in memory or in a file that is read in blocks.

The numbers are the same in both places, so the place is not a setting of a run. They are in a file
if they would take over half of the free memory (``cost.filed``). The file is written once into the
cache folder, for all later runs with the same m, size, seed and precision. It may be deleted.
"""

import mmap
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from dynamics.core import cost
from dynamics.core.config import Config
from dynamics.data.folder import DataError, folder
from dynamics.engine.draws import BLOCK, generator, spans

STALE = 600  # seconds without a write after which a partial file counts as abandoned


@dataclass(frozen=True)
class Matrices:
    """All A_i, row by row; call ``release`` with each block of rows after reading it.

    Rows of a file are loaded into memory when they are read, and without ``release`` they would
    stay there until memory is full.
    """

    rows: Float[Tensor, "m entries"]
    release: Callable[[Tensor], None] | None = None

    def sums(self, vector: Float[Tensor, " entries"]) -> Float[Tensor, " m"]:
        """⟨A_i, W⟩ from vec(W), in the vector's precision."""
        sums = []
        for block in torch.split(self.rows, max(1, BLOCK // self.rows.shape[1])):
            sums.append(block.to(vector) @ vector)
            if self.release is not None:
                self.release(block)
        return torch.cat(sums)


def filed(config: Config, like: Tensor) -> bool:
    """Whether the measurements are read from a file: on a CPU, if ``cost.filed`` says so."""
    return not like.is_cuda and cost.filed(config)


def held(config: Config, like: Tensor) -> Matrices:
    """The measurements, with the dtype and on the device of ``like``.

    Raises:
        MemoryError: if they fit neither in memory nor on the disk.
        DataError: if their file cannot be written.
    """
    if filed(config, like):
        return mapped(written(config, like.dtype, lambda _: None), config, like.dtype)
    numbers = torch.empty(_count(config), dtype=like.dtype, device=like.device)
    done = 0
    for block in drawn(config):
        numbers[done : done + len(block)] = block
        done += len(block)
    return Matrices(numbers.view(config.measurements, -1))


def drawn(config: Config) -> Iterator[Float[Tensor, " some"]]:
    """Yields the numbers of A_1, …, A_m in order, some at a time."""
    rng = generator("measurements", config.seed_data)
    for start, stop in spans(_count(config), 1):
        block = torch.randn(stop - start, generator=rng, dtype=torch.float64)
        yield block.div_(config.measurements)


def mapped(file: Path, config: Config, dtype: torch.dtype) -> Matrices:
    """The measurements of a file; only the block that is being read is in memory."""
    with open(file, "rb") as handle:
        space = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    with warnings.catch_warnings():
        # Torch warns that the numbers are read-only, but nothing writes to them.
        warnings.simplefilter("ignore")
        numbers = torch.frombuffer(space, dtype=dtype)
    first = numbers.data_ptr()

    def release(block: Tensor) -> None:
        start = block.data_ptr() - first
        page = start // mmap.PAGESIZE * mmap.PAGESIZE
        space.madvise(mmap.MADV_DONTNEED, page, start - page + block.nbytes)

    return Matrices(numbers.view(config.measurements, -1), release)


def written(config: Config, dtype: torch.dtype, report: Callable[[str], None]) -> Path:
    """Returns the file of the measurements, and writes it unless it is complete.

    Raises:
        MemoryError: if the disk has no room for it.
        DataError: if it cannot be written.
    """
    rows, cols = config.shape
    name = f"measurements-{config.seed_data}-{config.measurements}x{rows}x{cols}"
    file = folder() / f"{name}-{str(dtype).removeprefix('torch.')}.bin"
    size = _count(config) * dtype.itemsize
    try:
        if not file.exists() or file.stat().st_size != size:
            file.parent.mkdir(parents=True, exist_ok=True)
            _tidy(file.parent)
            _room(size, file.parent, _name(config))
            _write(file, config, dtype, report)
    except OSError as error:
        raise DataError(
            f"{_name(config)} needs a file that cannot be written to {folder()}: {error.strerror}."
        ) from None
    return file


def _write(file: Path, config: Config, dtype: torch.dtype, report: Callable[[str], None]) -> None:
    """Write a partial file and move it into place, so that nobody reads half of it."""
    handle, part = tempfile.mkstemp(dir=file.parent, prefix="measurements-", suffix=".part")
    try:
        with open(handle, "wb") as out:
            done = 0
            for block in drawn(config):
                report(f"writing measurements to {file.parent}: {done / _count(config):.0%}")
                out.write(block.to(dtype).numpy().data)
                done += len(block)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(part, 0o644)
        os.replace(part, file)
    finally:
        Path(part).unlink(missing_ok=True)


def _tidy(folder: Path) -> None:
    """Remove partial files whose writers were killed."""
    for part in folder.glob("measurements-*.part"):
        if time.time() - part.stat().st_mtime > STALE:
            part.unlink(missing_ok=True)


def _room(size: int, folder: Path, what: str) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise MemoryError(
            f"{what} takes {size / 1e9:,.1f} GB, more than the free memory and more than the "
            f"{free / 1e9:,.1f} GB free in {folder}; fewer or rank-one sums would take less."
        )


def _count(config: Config) -> int:
    """Numbers in all A_i."""
    return config.measurements * config.shape[0] * config.shape[1]


def _name(config: Config) -> str:
    rows, cols = config.shape
    return f"Sensing {rows} × {cols} by {config.measurements:,} Gaussian sums"
