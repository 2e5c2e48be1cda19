"""Fork: settings that continue from a moment of a run, and the last step that two runs share.

A fork is a Config like any other: trained from step 0, it has the same numbers. If the run that it
comes from still exists, the steps that both share are copied and not trained again.
"""

import dataclasses
from itertools import zip_longest
from typing import Any

from dynamics.core.changes import Change, effective, written
from dynamics.core.config import Config

# Settings in which two runs with the same first records may differ.
MAY_DIFFER = ("changes", "steps", "tolerance")


def forked(config: Config, step: int, *, compress: bool = False, **rates: float) -> Config:
    """The run that continues from a step with these rates, or with the original compressed there.

    Later changes of the run are left out. A run cannot continue with a different target, network or
    optimizer, because its factors or its optimizer's memory would mean nothing there.

    Raises:
        ConfigError: if nothing can change at that step.
    """
    if step == 0 and not compress:
        return dataclasses.replace(config, changes="", **dict[str, Any](rates))
    earlier = [change for change in config.schedule if change.step < step]
    if compress:
        earlier = [dataclasses.replace(change, compress=False) for change in earlier]
    changes = effective([*earlier, Change(step, rates, compress)], config.rates)
    return dataclasses.replace(config, changes=written(changes))


def shared(config: Config, origin: Config) -> int:
    """The step up to which both runs are the same; 0 if they differ from the start."""
    ours = config.canonical()
    theirs = origin.canonical()
    starts = [run.late.step for run in (ours, theirs) if run.late]
    # If the losses decide which steps are recorded, one more network changes those steps.
    moved = ours.recording == "escapes" and ours.late and not theirs.late
    if _fixed(ours) != _fixed(theirs) or moved:
        return 0
    if ours.sharpness and ours.steps != theirs.steps:
        return 0  # the moments at which it is measured are spread over all steps
    steps = min(ours.steps, theirs.steps)
    schedules = [[change for change in run.schedule if change.rates] for run in (ours, theirs)]
    for our, their in zip_longest(*schedules):
        if not (our and their and our.step == their.step and our.rates == their.rates):
            steps = min([steps, *(change.step for change in (our, their) if change)])
            break
    # Measurements that compare with the start of a late network begin at that start.
    if ours.late or not theirs.late:
        return min([steps, *starts])
    return 0


def _fixed(config: Config) -> dict[str, Any]:
    return {name: value for name, value in config.to_dict().items() if name not in MAY_DIFFER}
