"""Records of a run that tells three classes apart: numbers from which a chart's place is known."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamics.core.config import Config
from dynamics.core.records import Layout, Record, Trajectory

# Charts that only such runs have.
OF_CLASSES = ("accuracy", "confusion", "inner_coordinates", "sharpness", "update_angles", "updates")
CLASSES = ["cat", "dog", "fox"]
LABELS = [0, 1, 2, 0, 1, 2, 2, 1]
VECTORS = np.array([[0.8, -0.6, 0.0], [-0.1, 0.2, 0.97], [0.0, 0.6, -0.8], [0.0, 0.0, 0.0]])
WIDTHS = {"original": 0, "compressed": 2, "narrow_random": 3}  # 0: no inner coordinates
FACTS: dict[str, list[Any]] = {
    "classes": CLASSES,
    "shown_labels": LABELS,
    "backbone_weights": ["0.weight", "2.weight"],
    "test_loss": ["cross-entropy, held-out images"],
    "learning_rate": [0.05],
}


def settings(**changes: Any) -> Config:
    """The settings of such a run."""
    given = {"problem": "digits", "networks": ",".join(WIDTHS), "features": 16, "rank_bound": 3}
    given |= {"optimizer": "momentum", "steps": 1000, "record_every": 1, "alpha": 1.0}
    return Config(**(given | changes))


def record(network: str, step: int) -> Record:
    """A share of step/1000 of each class is right; image i lies at i · step/1000 and below."""
    share = step / 1000
    values: dict[str, Any] = {
        "accuracy": share,
        "train_accuracy": share / 2,
        "confusion": share * np.eye(3) + (1 - share) * np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
        "singular_values": share * np.array([4.0, 3.0, 0.1, 0.0]),
        "class_vectors": VECTORS,
        "own_energy": 1 - share * np.array([0.1, 0.2, 0.3, 0.4, 0.5]),
        "gradient_energy": share * np.array([0.1, 0.2, 0.3, 0.4, 0.5]),
        "sharpness": 40.0 * share if step % 50 == 0 else np.nan,
        "factor_singular_values": share * np.array([[4.0, 1.0], [3.0, 1.0], [2.0, 1.0]]),
        "spectrum_error": share * np.array([0.0, 0.5, 0.2]),
        "gradient_angles": share * np.array([0.5, 0.7, 0.9, 1.1, 1.3]),
        "train_loss": 1.1 - share,
        "test_loss": 1.2 - share,
    }
    if width := WIDTHS[network]:
        across = np.arange(len(LABELS))[:, None] * np.array([1.0, -2.0, 3.0])[:width]
        values["inner_coordinates"] = share * across
    arrays = {name: np.asarray(value, float) for name, value in values.items()}
    return Record(step, 1e-3 * step, 1e-4 * step, 1e6 * step, arrays)


def records(step: int) -> dict[str, Record]:
    return {network: record(network, step) for network in WIDTHS}


def trajectories(steps: Sequence[int]) -> list[Trajectory]:
    layout = Layout.of(records(0), FACTS)
    rows = [layout.row(records(step)) for step in steps]
    return layout.trajectories(np.reshape(rows, (-1, layout.width)))
