"""Content: a judged figure as a file, with its caption."""

import json
from typing import IO

from dynamics.core import traits
from dynamics.core.seeds import shown
from dynamics.core.words import count
from dynamics.export import tables
from dynamics.export.caption import About, signed
from dynamics.export.chart import Chart
from dynamics.export.formats import CHARTS
from dynamics.export.layout.sizes import Print
from dynamics.paper.judge import Judged
from dynamics.paper.plan import about

FORMATS = (*CHARTS, "json", "zip")


def write(judged: Judged, form: str, file: IO[bytes], size: Print | None = None) -> None:
    """Write the figure in one of ``FORMATS``; ``json`` has its verdict, ``zip`` all numbers, too.

    Raises:
        PictureError: with one sentence, if it cannot be drawn here.
        ValueError: if ``form`` is not one of ``FORMATS``.
    """
    if form not in FORMATS:
        raise ValueError(f"{form!r} is not one of {', '.join(FORMATS)}.")
    if form in ("json", "zip"):
        verdict = json.dumps(judged.to_dict(), indent=1, ensure_ascii=False).encode()
        if form == "json":
            file.write(verdict)
        else:
            more = {"verdict.json": verdict}
            tables.write_bundle(judged.runs, judged.plan.name, file, more)
        return
    # Not imported at the top, because the process that shows the page draws no files.
    from dynamics.export import picture
    from dynamics.export.layout.subplots import abreast

    chart = Chart.of(abreast(judged.draw()), caption(judged))
    file.write(picture.picture(chart, form, size or Print("text")))


def caption(judged: Judged) -> About:
    """The caption in the figure's file."""
    plan = judged.plan
    title, line = about(plan.name)
    figure = traits.figure(plan.name)
    sentences = [f"{line}, as in the authors' {figure.source}.", figure.caption, judged.why]
    seeds = plan.draw.seeds
    runs = len(plan.distinct)
    if seeds > 1:
        sentences.append(f"Median and {shown(seeds)}, N = {seeds}.")
    size = f"{count(seeds, 'seed')}, {count(runs, 'run')}"
    return signed(title, sentences, plan.distinct, size, plan.command)
