"""``python -m docs.pictures``: the pictures on cards of presets, lessons, sweeps and figures.

Trains what each card shows and writes its curves as an SVG beside the page's own files. About half
an hour on two cores: figures whose runs take longer by far are those of a smaller matrix.
FashionMNIST and MovieLens must be on this machine, see ``docs/settings.md``. Arguments name the
pictures to make.
"""

import dataclasses
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dynamics.core.config import Config
from dynamics.draw.spark import miniature, mosaic, spark
from dynamics.draw.sweep import SCALE, draw
from dynamics.paper import baselines
from dynamics.paper.judge import judge
from dynamics.paper.plan import Plan, names
from dynamics.runs.executors.here import Here
from dynamics.runs.group import Group
from dynamics.runs.run import Run
from dynamics.runs.sweep import Training
from dynamics.teach.lesson import lessons
from pages.nonlinear.presets import PRESETS as OF_CLASSES
from pages.paper_figures.figure import SMALLER
from pages.shared.pictures import PAGES, file_of
from pages.side_by_side.presets import PRESETS as OF_MATRICES
from pages.sweeps.asked import Ready
from pages.sweeps.ready import READY


def main() -> None:
    """Write all pictures, or those that the arguments name."""
    for page, name, picture in cards():
        if name in sys.argv[1:] or len(sys.argv) < 2:
            file = file_of(page, name)
            file.parent.mkdir(exist_ok=True)
            file.write_text(picture(), encoding="utf-8")
            print(file.relative_to(PAGES), flush=True)


def cards() -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Each card's page and name, and what draws its picture."""
    for page, presets in (("side_by_side", OF_MATRICES), ("nonlinear", OF_CLASSES)):
        for preset in presets:
            yield page, preset.name, lambda settings=preset.settings: of_run(settings)
    for name, lesson in lessons().items():
        yield "lessons", name, lambda lesson=lesson: of_run(next(iter(lesson.runs.values())))
    for ready in READY:
        yield "sweeps", ready.name, lambda ready=ready: of_sweep(ready)
    for name in names():
        yield "paper_figures", name, lambda name=name: of_figure(name)


def of_run(settings: dict[str, Any]) -> str:
    """The singular values of a run."""
    with tempfile.TemporaryDirectory() as folder:
        (run,) = trained([Config.from_dict(settings)], Path(folder))
        return spark(run.trajectories)


def of_sweep(ready: Ready) -> str:
    """The map of a sweep, of its last small chart if it has several, or its lines."""
    with tempfile.TemporaryDirectory() as folder:
        for now in Training(ready.sweep, Path(folder), Here()):
            last = now.results
    if ready.asked.lines:
        return miniature(draw(last, lines=True, theory=False))
    values = last.middle.reshape(*last.sweep.shape[:2], -1)[..., -1]
    return mosaic(values.T, SCALE, log=last.sweep.measure.log)


def of_figure(name: str) -> str:
    """The first panel of a finished figure."""
    plan = Plan.of(name)
    if smaller := SMALLER.get(name):
        configs = {
            label: [dataclasses.replace(config, **smaller) for config in of_label]
            for label, of_label in plan.configs.items()
        }
        plan = Plan(name, plan.draw, configs)
    with tempfile.TemporaryDirectory() as folder:
        trained(plan.distinct, Path(folder))
        for config in plan.shared:
            baselines.compute(Run(Path(folder) / config.key))
        return miniature(judge(plan, Path(folder)).draw()[0])


def trained(configs: Sequence[Config], folder: Path) -> list[Run]:
    """The runs, once they have ended."""
    group = Group(configs, folder)
    for _ in group.watch():
        pass
    return group.runs


if __name__ == "__main__":
    main()
