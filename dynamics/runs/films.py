"""Films: the file of a run that keeps what its network makes of films where it was best so far.

``films.f4`` is little-endian float32: the step, the validation RMSE, the variance of a rating about
its prediction, how many examples there are, W at each of them, then the film features, modes ×
films.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynamics.core.machine import files

if TYPE_CHECKING:
    from dynamics.runs.run import Run

FILE = "films.f4"
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Films:
    """What a network makes of films at one record.

    Attributes:
        step: of the record.
        error: RMSE in stars on the ratings that decide when to stop.
        noise: mean square of the training ratings about their predictions, in squared stars.
        examples: what W adds to the means at each example, in stars.
        features: modes × films; a user's ratings are means plus weights · features, and the mean
            square of a mode's weight over the users is 1.
    """

    step: int
    error: float
    noise: float
    examples: Floats
    features: Floats

    def to_bytes(self) -> bytes:
        """The content of the file."""
        head = np.array([self.step, self.error, self.noise, len(self.examples)])
        parts = [head, self.examples, self.features.ravel()]
        return np.concatenate(parts).astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, content: bytes, films: int) -> "Films":
        """What ``to_bytes`` wrote.

        Raises:
            ValueError: if the content is damaged.
        """
        values = np.frombuffer(content, "<f4")
        if len(values) < 4 or not np.isfinite(values).all() or values[3] < 0:
            raise ValueError("it holds other numbers than a network's films")
        step, error, noise, examples = map(float, values[:4])
        end = 4 + int(examples)
        return cls(int(step), error, noise, values[4:end], values[end:].reshape(-1, films))


def best(run: "Run") -> Films | None:
    """What the run's network makes of films; None before the first record, or if it is damaged."""
    try:
        content = (run.folder / FILE).read_bytes()
        return Films.from_bytes(content, run.config.shape[1])
    except (FileNotFoundError, ValueError):
        return None


def keep(run: "Run", films: Films) -> None:
    """Replace the file."""
    files.replace(run.folder / FILE, films.to_bytes())
