"""Metrics: a few numbers for the server's owner, in the text format that Prometheus reads."""

import asyncio
from collections import Counter

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from streamlit.runtime.stats import GaugeStat

from dynamics.runs import queue
from dynamics.runs.run import LIVE, listing, root
from pages.shared.live import stream

FORMAT = "text/plain; version=0.0.4"


def gauges() -> list[GaugeStat]:
    """What there is now: runs by their phase, those that wait, viewers of this web process."""
    phases = Counter(status.phase for _, _, status in listing(root()))
    told = "Runs in the folder, by phase"
    named = sorted({*phases, *LIVE})  # a graph would miss a phase that comes and goes
    return [
        *(GaugeStat("dln_runs", phases[name], {"phase": name}, help=told) for name in named),
        GaugeStat("dln_runs_waiting", len(queue.waiting(root())), help="Runs that wait for a core"),
        GaugeStat("dln_cores", queue.capacity(), help="Runs that train at once"),
        GaugeStat("dln_viewers", stream.viewers(), help="Viewers of this web process"),
    ]


def text() -> str:
    """The metrics, each family after what it is."""
    lines: list[str] = []
    known: set[str] = set()
    for gauge in gauges():
        name = gauge.family_name
        if name not in known:
            lines += [f"# HELP {name} {gauge.help}", f"# TYPE {name} {gauge.type}"]
        known.add(name)
        lines.append(gauge.to_metric_str())
    return "\n".join([*lines, ""])


async def metrics(request: Request) -> Response:
    """The route; the door lets the owner alone come to it."""
    return PlainTextResponse(await asyncio.to_thread(text), media_type=FORMAT)
