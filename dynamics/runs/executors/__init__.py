"""Executors: where the runs of a sweep are trained. Each file has one, with the same calls."""

import concurrent.futures
from collections.abc import Sequence
from typing import Protocol

from dynamics.core.config import Config
from dynamics.core.records import Trained


class DiedError(Exception):
    """The worker that trained these runs has died; they may be tried again."""


class LostError(Exception):
    """The connection was lost while these runs were trained; they were not at fault."""


class Executor(Protocol):
    """Trains lists of runs somewhere else."""

    @property
    def places(self) -> int:
        """How many lists are trained at once; it may change."""

    def submit(
        self, configs: Sequence[Config], more: Sequence[str]
    ) -> concurrent.futures.Future[list[Trained]]:
        """Train a list of runs, as ``many.train`` does.

        The future raises ``DiedError`` or ``LostError`` if nothing came back.
        """

    def close(self) -> None:
        """End everything that is being trained, at once."""
