"""The export dialog of every chart; its preview is the file itself.

``python -m dynamics.export.picture`` draws the files, so that the page's own process holds no
browser and no drawing code. A change of any control ends that process and starts a new one.
"""

import base64
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from dynamics.core.words import size as size_of
from dynamics.export import chart
from dynamics.export.caption import About
from dynamics.export.chart import Asked, Chart
from dynamics.export.formats import CHARTS, FORMATS, Format, refused
from dynamics.export.layout.sizes import SIZES, Print
from dynamics.runs.run import Run, RunError, find, root
from pages.shared.files.media import STRANGE
from pages.shared.files.process import PACE, forget, forget_ended, held
from pages.shared.live.panels import descriptions
from pages.shared.number import between, number
from pages.shared.session import opened

PATIENCE = 180  # seconds for one file
LONG = 40  # usual seconds for a film in which every frame is drawn anew
CODE = 12  # lines of TikZ in the preview
KEPT = 6  # files that a visitor can return to


class DrawingError(Exception):
    """A file that could not be drawn; the message is one clear sentence."""


def open_runs(
    keys: Sequence[str],
    panel: str,
    versus: str = "steps",
    view: Mapping[str, Any] | None = None,
    *,
    theory: bool = True,
) -> None:
    """Open the dialog for one run's panel, or one series of several runs, as shown on screen.

    Raises:
        RunError: if a run or the panel does not exist.
    """
    runs = [find(key, root()) for key in keys]
    name = STRANGE.sub("-", f"{panel}_{'_'.join(keys)}"[:120])
    asked = Asked([str(run.folder) for run in runs], panel, versus, view or {}, theory)
    dialog(chart.outline(runs, panel, _types(runs, panel, versus)), name, asked)


def _types(runs: Sequence[Run], panel: str, versus: str) -> list[str]:
    """Plotly's types of a chart's traces, without a look at the records.

    Raises:
        RunError: if the panel does not exist or the run has no numbers for it.
    """
    if len(runs) > 1:
        return ["scatter"]  # lines of one series
    for described in descriptions(runs[0], panel, versus):
        if described.figure is None:
            raise RunError(described.lack or f"Run {runs[0].key} has no numbers for this chart.")
        return [str(trace.get("type", "scatter")) for trace in described.figure["data"]]
    raise RunError(f"Run {runs[0].key} has no records yet.")


def button(figure: Any, words: About, name: str) -> None:
    """A button that opens the dialog for a Plotly figure; ``name`` is the file's name."""
    pressed = st.button("For a paper or talk …", icon=":material/image:", key=f"export {name}")
    if opened.asked(f"export {name}", pressed):
        dialog(Chart.of(figure, words), STRANGE.sub("-", name))


@st.dialog("Export this chart", width="large", on_dismiss=opened.close)
def dialog(chart: Chart, name: str, asked: Asked | None = None) -> None:
    """Choose a format, see the file, save it.

    Args:
        chart: what is drawn, or its ``outline``.
        name: the file's name without its ending.
        asked: what the process that draws the file reads of runs, in place of the chart.
    """
    opened.hold()
    form, printing = _choices(chart)
    drawn = {"asked": asdict(asked)} if asked else {"chart": chart.to_dict()}
    job = json.dumps({"form": form.name, "print": asdict(printing), **drawn}, default=_plain)
    kept = st.session_state.setdefault("export files", {})
    forget_ended("export")
    # Poll until the file exists; a change of a control above starts this dialog again.
    st.fragment(_result, run_every=None if job in kept else PACE)(chart, name, form, job)
    _caption(chart.about)


def _result(chart: Chart, name: str, form: Format, job: str) -> None:
    """The progress of the drawing, or the file and its button."""
    place = st.container(key="export-preview")
    below = st.container()
    try:
        file = _file(chart, form, job, place, below)
    except DrawingError as error:
        place.error(str(error), icon=":material/error:")
        return
    if file:
        content, preview = file
        with place:
            _show(form, content, preview)
        below.download_button(
            f"Save {form.label} · {size_of(len(content))}",
            data=content,
            file_name=f"{name}.{form.ending}",
            mime=form.mime,
            type="primary",
            icon=":material/download:",
            on_click="ignore",
        )


def _choices(chart: Chart) -> tuple[Format, Print]:
    """The chosen format and print settings; type and lines start at values that suit the size."""
    unfit, why = refused(chart.figure)
    names = [name for name in CHARTS if name not in unfit]
    if st.session_state.get("export form", "pdf") not in names:  # chosen for a different chart
        del st.session_state["export form"]
    name = st.segmented_control(
        "Format",
        names,
        default="pdf",
        required=True,
        format_func=lambda name: FORMATS[name].label,
        key="export form",
        help="PDF and TikZ for LaTeX, SVG and HTML for the web, PNG for slides; GIF and MP4 move",
    )
    if why:
        st.caption(why)
    size = st.segmented_control(
        "Size",
        list(SIZES),
        default="column",
        required=True,
        format_func=lambda name: SIZES[name].title,
        key="export size",
    )
    suits = SIZES[size]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        font, line = (
            number(label, f"export {label} {size}", start, between(label, low, high), width=120)
            for label, start, low, high in (
                ("Type (pt)", float(suits.font), 4.0, 72.0),
                ("Lines (pt)", float(suits.line), 0.25, 10.0),
            )
        )
        grey = st.toggle("Grey", key="export grey", help="Lines differ by dash as well as colour")
    return FORMATS[name], Print(size, font, line, grey)


def _file(
    chart: Chart, form: Format, job: str, place: Any, below: Any
) -> tuple[bytes, bytes] | None:
    """The file and, for a PDF, a PNG of its page; None while it is being drawn.

    Raises:
        DrawingError: if it was cancelled, takes too long, or cannot be drawn.
    """
    kept: dict[str, tuple[bytes, bytes]] = st.session_state["export files"]
    if job in kept:
        return kept[job]
    command = [sys.executable, "-m", "dynamics.export.picture", f"{{}}/chart.{form.name}"]
    process = held("export", job, command, {"given": job})
    seconds = process.look()
    if not process.over and not process.ended:
        share = min(seconds / _seconds(chart, form), 0.95)
        place.progress(share, f"Drawing the file, {seconds:.0f} s")
        if seconds > PATIENCE or below.button("Cancel", icon=":material/stop:"):
            process.end()
        return None
    if process.ended:
        raise DrawingError("Cancelled. Change anything above to draw it again.")
    if process.status:
        errors = process.text("errors").strip().splitlines()
        if process.status == 2 and errors:
            raise DrawingError(errors[-1])
        raise DrawingError("This chart could not be drawn; try another format.")
    file = process.folder / f"chart.{form.name}"
    preview = file.with_name(f"{file.name}.png")
    kept[job] = (file.read_bytes(), preview.read_bytes() if preview.exists() else b"")
    forget("export")
    for old in list(kept)[:-KEPT]:
        del kept[old]
    return kept[job]


def _seconds(chart: Chart, form: Format) -> float:
    """Usual time to draw, in seconds."""
    flat = all(trace.get("type", "scatter") == "scatter" for trace in chart.figure["data"])
    return LONG if form.kind == "film" and (chart.run or not flat) else form.seconds


def _show(form: Format, content: bytes, preview: bytes) -> None:
    """The file itself, as a picture, a film or text."""
    if form.name == "mp4":
        st.video(content, autoplay=True, loop=True, muted=True)
    elif form.name == "tikz":
        code = content.decode().partition("\\begin{tikzpicture}")
        lines = "".join(code[1:]).splitlines()
        st.code("\n".join([*lines[:CODE], "…"]), language="latex")
    elif form.name == "html":
        st.info(
            "One page with this chart and its caption; the chart can be zoomed, without a network."
        )
    else:
        mime, picture = ("image/png", preview) if preview else (form.mime, content)
        data = base64.b64encode(picture).decode()
        st.html(f'<img class="export" alt="The file" src="data:{mime};base64,{data}">')


def _caption(words: About) -> None:
    with st.expander("Caption and citation"):
        st.code(words.caption, language=None, wrap_lines=True)
        st.code(words.bibtex, language="bibtex")


def _plain(array: Any) -> Any:
    """An array as nested lists, for JSON."""
    return array.tolist()
