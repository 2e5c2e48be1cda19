"""Report: the paper's figures with verdict, settings, time and machine, as page, PDF and table."""

import html
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from dynamics.core.config import Config
from dynamics.core.description import seeds as drawn
from dynamics.core.description import settings
from dynamics.core.machine import files
from dynamics.core.seeds import shown
from dynamics.core.words import raised
from dynamics.export.layout.subplots import abreast
from dynamics.export.render import html as standalone
from dynamics.export.render.chrome import SILENT
from dynamics.paper.check import DEVIATION, said
from dynamics.paper.judge import Judged
from dynamics.paper.plan import about
from dynamics.runs.run import RunError

FEW = 4  # largest number of labels for which a figure's settings are listed one by one
PATIENCE = 180.0  # seconds for the browser to print
STYLE = """
body { font: 15px/1.5 sans-serif; color: #1f2430 }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
td, th { text-align: left; padding: 3px 12px 3px 0; border-bottom: 1px solid #e3e5ea }
section { break-before: page } .differs { color: #d1453b } .agrees { color: #2f9e5f }
"""


def write(judged: Sequence[Judged], missing: dict[str, str], folder: Path) -> list[Path]:
    """Write ``report.html``, ``report.pdf``, ``verdicts.md`` and ``verdicts.json``; return them.

    ``missing`` has, by name, why a figure could not be made.

    Raises:
        RunError: with one sentence, if no browser can print the PDF; all other files are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "report.html"
    files.replace(page, _page(judged, missing).encode())
    lines = "\n".join(table(judged, missing)) + "\n"
    files.replace(folder / "verdicts.md", lines.encode())
    verdicts = json.dumps([figure.to_dict() for figure in judged], indent=1, ensure_ascii=False)
    files.replace(folder / "verdicts.json", verdicts.encode())
    _print(page, folder / "report.pdf")
    return sorted(folder.iterdir())


def table(judged: Sequence[Judged], missing: dict[str, str]) -> list[str]:
    """Lines of a Markdown table: one row per figure with its verdict, time and machine."""
    rows = [
        "| figure | authors' file | verdict | why | worst deviation | training |",
        "|---|---|---|---|---|---|",
    ]
    for figure in judged:
        deviations = [check.found for check in figure.checks if check.kind == DEVIATION]
        worst = raised(f"{max(deviations):.1e}") if deviations else "–"
        plan = figure.plan
        rows.append(
            f"| `{plan.name}` | `{plan.source}` | **{figure.verdict}** | {figure.why} | "
            f"{worst} | {figure.seconds:,.0f} s, {figure.machine} |"
        )
    return rows + [f"| `{name}` | | **not run** | {why} | – | – |" for name, why in missing.items()]


def _page(judged: Sequence[Judged], missing: dict[str, str]) -> str:
    summary = "".join(
        f"<tr><td>{about(figure.plan.name)[0]}</td><td class={figure.verdict.split()[0]}>"
        f"{figure.verdict}</td><td>{html.escape(figure.why)}</td>"
        f"<td>{figure.seconds:,.0f}&nbsp;s</td></tr>"
        for figure in judged
    )
    summary += "".join(
        f"<tr><td>{about(name)[0]}</td><td>not run</td><td>{html.escape(why)}</td><td>–"
        for name, why in missing.items()
    )
    sections: list[str] = []
    for figure in judged:
        size = "width:860px;height:400px"
        chart = standalone.chart(abreast(figure.draw()), size, displayModeBar=False)
        sections.append(_section(figure, chart))
    body = (
        f"<h1>Figures of Kwon et al. (2024), reproduced</h1><p>{date.today()}. arXiv 2311.05061."
        f"</p><table>{summary}</table>{''.join(sections)}"
    )
    return standalone.page("Reproduction report", body, STYLE)


def _section(judged: Judged, chart: str) -> str:
    title, line = about(judged.plan.name)
    rows = "".join(
        f"<tr><td>{html.escape(check.what)}</td>"
        f"<td>{'–' if check.published is None else said(check.published)}</td>"
        f"<td>{check.words}</td><td>{check.verdict}</td></tr>"
        for check in judged.checks
    )
    seeds = judged.plan.draw.seeds
    found = "found" if seeds == 1 else f"median ({shown(seeds)}), N = {seeds} seeds"
    runs = "".join(
        f"<p>{html.escape(label)}: {html.escape(settings(configs))} "
        f"{html.escape(drawn(configs))}</p>"
        for label, configs in _settings(judged).items()
    )
    return (
        f"<section><h2>{title}</h2><p>{line}. <b class={judged.verdict.split()[0]}>"
        f"{judged.verdict.capitalize()}.</b> {html.escape(judged.why)}</p>{chart}<table>"
        f"<tr><th>what<th>published<th>{found}<th>verdict</tr>{rows}</table>{runs}"
        f"<p>{judged.seconds:,.0f} s of training on {judged.machine}; "
        f"<code>{judged.plan.command}</code></p></section>"
    )


def _settings(judged: Judged) -> Mapping[str, Sequence[Config]]:
    """The runs by label; more than ``FEW`` labels are joined into one."""
    configs = judged.plan.configs
    if 1 < len(configs) <= FEW:
        return configs
    return {"Settings": [config for listed in configs.values() for config in listed]}


def _print(page: Path, file: Path) -> None:
    """Print the page as PDF, with the browser that draws all other files.

    Raises:
        RunError: with one sentence, if no browser exists, or it fails or does not answer.
    """
    from choreographer.browsers.chromium import Chromium

    browser = Chromium.find_browser(skip_local=False)
    if not browser:
        raise RunError(f"{file.name} needs Chrome or Chromium; {page} has been written.")
    flags = ["--headless", "--no-sandbox", "--no-pdf-header-footer", "--virtual-time-budget=20000"]
    flags += ["--use-gl=swiftshader", "--enable-unsafe-swiftshader", f"--print-to-pdf={file}"]
    printing = subprocess.Popen(
        [browser, *flags, page.resolve().as_uri()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = printing.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        raise RunError(f"{SILENT} {page} has been written.") from None
    finally:
        if printing.poll() is None:
            os.killpg(printing.pid, signal.SIGKILL)
            printing.wait()
    if status or not file.exists():
        raise RunError(f"The browser could not print {file.name}; {page} has been written.")
