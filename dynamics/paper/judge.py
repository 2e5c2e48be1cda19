"""Judge: a paper figure from its finished runs, its numbers held against the authors'."""

import dataclasses
import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dynamics.core import registry, traits
from dynamics.data.published import NAMES, arrays
from dynamics.export import tables
from dynamics.export.caption import About, signed
from dynamics.export.chart import Chart
from dynamics.export.formats import CHARTS
from dynamics.export.layout.sizes import Print
from dynamics.paper import baselines, draws
from dynamics.paper.draws import THEIRS, Draw, configs, distinct
from dynamics.paper.figure import Check, Found, curve_checks, over_seeds, verdict
from dynamics.runs.run import Run, RunError

if TYPE_CHECKING:
    import plotly.graph_objects as go


FORMATS = (*CHARTS, "json", "zip")


def found(name: str, folder: Path, draw: Draw = THEIRS) -> Found:
    """What the finished runs of a figure have given, and other methods on the same data.

    Raises:
        RunError: if one of them is damaged.
    """
    given = {
        label: [
            {each.network: each for each in _whole(Run(folder / config.key)).trajectories}
            for config in of
        ]
        for label, of in configs(name, draw).items()
    }
    theirs = draw.theirs and name in NAMES
    label = traits.figure(name).beside
    same = configs(name, draw)[label] if label else []
    beside = [baselines.beside(Run(folder / config.key)) for config in same]
    return Found(given, arrays(name) if theirs else {}, beside)


def _whole(run: Run) -> Run:
    """The finished run, all of whose records are there.

    Raises:
        RunError: if they are not, with what to do.
    """
    try:
        rows, last = run.rows(), run.status.step
        if len(rows) and rows[-1, 0] == last:
            return run
        raise RunError(f"Run {run.key} is damaged: its last record is missing.")
    except RunError as error:
        again = f"Delete it (runs delete {run.key}), and the figure trains it again."
        raise RunError(f"{error} {again}") from None


@dataclass(frozen=True)
class Judged:
    """A finished figure: what its runs gave, its numbers beside the authors', what they say."""

    name: str
    draw: Draw
    runs: tuple[Run, ...]
    found: Found
    checks: tuple[Check, ...]
    seconds: float  # of training, over all runs
    machine: str

    @property
    def panels(self) -> "list[go.Figure]":
        """The picture's panels from left to right, the authors' numbers on them."""
        panels: list[go.Figure] = registry.load("figures", self.name).draw(self.found)
        return panels

    @property
    def figure(self) -> "go.Figure":
        """The whole picture, for a file."""
        from dynamics.export.layout.subplots import abreast

        return abreast(self.panels)

    @property
    def verdict(self) -> str:
        """``agrees``, ``differs`` or ``no number published``."""
        return verdict(self.checks)

    @property
    def why(self) -> str:
        """The reason in one sentence."""
        known = self.name in NAMES or traits.figure(self.name).published
        if known and not self.draw.theirs:
            return "These are other draws than the authors'; their numbers do not apply."
        differing = "; ".join(filter(None, (check.why for check in self.checks)))
        judged = sum(check.published is not None for check in self.checks)
        if not judged:
            return "The authors gave no number for this figure."
        return f"{differing}." if differing else f"All {judged} published numbers are met."

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        rows = [
            dataclasses.asdict(check) | {"verdict": check.verdict, "why": check.why}
            for check in self.checks
        ]
        return {
            "figure": self.name,
            "verdict": self.verdict,
            "why": self.why,
            "draw": dataclasses.asdict(self.draw),
            "checks": rows,
            "runs": {
                label: [{"key": each.key, "config": each.canonical().to_dict()} for each in of]
                for label, of in configs(self.name, self.draw).items()
            },
            "seconds": self.seconds,
            "machine": self.machine,
        }


def judge(name: str, folder: Path, draw: Draw = THEIRS) -> Judged:
    """Hold the numbers of a figure whose runs have all ended against the authors'."""
    module, given = registry.load("figures", name), found(name, folder, draw)
    checks = _checks(module, given)
    if draw.seeds > 1:
        seeds = [
            dataclasses.replace(draw, seed=(draw.seed or 0) + i, seeds=1) for i in range(draw.seeds)
        ]
        checks = over_seeds([_checks(module, found(name, folder, each)) for each in seeds])
    if not draw.theirs:
        checks = [dataclasses.replace(check, published=None) for check in checks]
    ended = tuple(Run(folder / config.key) for config in distinct(name, draw))
    seconds = sum(float(each.seconds[-1]) for run in ended for each in run.trajectories)
    machine = ", ".join(sorted({run.status.machine for run in ended}))
    return Judged(name, draw, ended, given, tuple(checks), seconds, machine)


def _checks(module: ModuleType, given: Found) -> list[Check]:
    """Every number of the first seed."""
    own = module.checks(given) if hasattr(module, "checks") else []
    return [*curve_checks(given, module.CURVES), *own]


def content(judged: Judged, form: str, how: Print | None = None) -> bytes:
    """The figure as one of ``FORMATS``; ``json`` is its verdict, ``zip`` that and all its numbers.

    Raises:
        PictureError: with one sentence, if it cannot be drawn here.
        ValueError: if there is no such form.
    """
    if form not in FORMATS:
        raise ValueError(f"{form!r} is not one of {', '.join(FORMATS)}.")
    if form in ("json", "zip"):
        verdict = json.dumps(judged.to_dict(), indent=1, ensure_ascii=False).encode()
        if form == "json":
            return verdict
        return tables.bundle(judged.runs, judged.name, {"verdict.json": verdict})
    from dynamics.export import picture  # not at the top: the page's own process draws no files

    chart = Chart.of(judged.figure, told(judged))
    return picture.picture(chart, form, how or Print("text"))


def told(judged: Judged, link: str = "") -> About:
    """What a file of the figure says of itself; ``link`` is the address of its page."""
    title, line = draws.about(judged.name)
    source = traits.figure(judged.name).source
    drawn = inspect.getdoc(registry.load("figures", judged.name).draw) or ""
    words = [f"{line}, as in the authors' {source}.", drawn, judged.why]
    seeds, wanted = judged.draw.seeds, draws.distinct(judged.name, judged.draw)
    if seeds > 1:
        words.append(f"Median and quartiles over N = {seeds} seeds.")
    runs = f"{len(wanted)} run{'s' * (len(wanted) > 1)}"
    count = f"{seeds} seed{'s' * (seeds > 1)}, {runs}"
    return signed(title, words, wanted, count, link or command(judged.name, judged.draw))


def command(name: str, draw: Draw = THEIRS) -> str:
    """The command line that makes a figure again."""
    words = [f"python -m dynamics figure {name}"]
    words += [f"--target {draw.target}"] if draw.target != THEIRS.target else []
    words += [] if draw.seed is None else [f"--seed {draw.seed}"]
    words += [f"--seeds {draw.seeds}"] if draw.seeds > 1 else []
    return " ".join(words)
