"""History: what is kept of the records so far is what a search through all of them finds."""

import numpy as np

from dynamics.core.records import Record
from dynamics.findings.history import LATELY, History


def test_the_level_is_the_lowest_loss_of_the_last_steps() -> None:
    """At every record of losses that fall, bounce and stay, at uneven steps."""
    draw = np.random.default_rng(0)
    for _ in range(20):
        steps = np.cumsum(draw.integers(1, 30, size=300))
        losses = np.round(np.abs(np.cumsum(draw.normal(size=300))), 1)
        history = History(np.empty(0))
        for count, (step, loss) in enumerate(zip(steps, losses, strict=True), 1):
            history.add(Record(int(step), 0.0, 0.0, 0.0, {"train_loss": np.array(loss)}))
            late = steps[:count] >= LATELY * step
            assert history.level == losses[:count][late].min()
