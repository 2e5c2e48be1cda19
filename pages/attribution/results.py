"""Results: the runs of an attribution, and what they show."""

import csv
import io
import json

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.words import raised
from dynamics.draw import waterfall
from dynamics.export import caption, tables
from dynamics.export.formats import FORMATS
from dynamics.findings import attribution
from dynamics.findings.attribution import Attribution
from dynamics.runs.group import ENDED, Group
from dynamics.runs.run import Run, RunError, root
from pages.shared import address, group
from pages.shared.files import dialog
from pages.shared.networks import overview
from pages.shared.plotted import plotted
from pages.shared.table import table


def show(config: Config, configs: list[Config], level: str) -> None:
    """The button or the progress of the runs, and the results of the runs that have ended."""
    runs = Group(configs, root())
    progress = runs.progress()
    remaining = progress.runs - progress.ended
    if progress.live:
        group.show_training(runs, progress)
    elif remaining:
        st.button(
            f"Measure the other {remaining}" if progress.ended else "Measure",
            on_click=group.start,
            args=(runs,),
            type="primary",
            icon=":material/play_arrow:",
        )
    group.show_refusal()
    for broken in progress.of("failed", "lost"):
        st.error(f"{broken.key}: {runs.run(broken).status.sentence}")
    if progress.ended:
        _results(config, [runs.run(ended) for ended in progress.of(*ENDED)], level)
    else:
        alone = [name for name, causes in attribution.NETWORKS.items() if len(causes) <= 1]
        trained = attribution.networks(config)
        overview(config, [name for name in (*alone, "compressed") if name in trained])


def _results(config: Config, ended: list[Run], level: str) -> None:
    """The sentences, the chart, the table and the files made from the runs that have ended."""
    try:
        result = attribution.attribute(config, [run.trajectories for run in ended], level)
    except (RunError, ValueError) as error:
        st.error(str(error))
        return
    first, *others = attribution.sentences(result)
    with st.container(border=True, key="story"):
        st.markdown(f"**{first}**")
        st.markdown("\n".join(f"- {sentence}" for sentence in others))
    drawn = bool(result.orders)
    if drawn:
        plotted(waterfall.draw(result), "waterfall")
        st.caption(waterfall.reading(result))
    head, *rows = attribution.table(result)
    shown = rows[: len(result.corners)]
    cells = [dict(zip(head, map(raised, row), strict=True)) for row in shown]
    table([_folded(row) for row in cells], "Costs of each network")
    scatter = "quartiles" if len(ended) >= attribution.FEW else "all seeds"
    if len(ended) > 1:
        st.caption(f"Medians over the seeds that reached it, with {scatter} below.")
    with st.container(horizontal=True):
        if drawn:
            words = caption.of_attribution(result, [run.config for run in ended], address.address())
            dialog.button(waterfall.draw(result), words, "attribution")
        _downloads(result, head, rows, ended)


def _folded(cells: dict[str, str]) -> dict[str, str]:
    """A row with the scatter below each median, without the factors, which the chart shows."""
    columns = {"network": "network or cause", "reached": "reached"}
    columns |= {name: name for name in attribution.COUNTERS}
    return {
        name: f"{cells[column]}\n{cells.get(f'{column} over seeds', '')}".rstrip()
        for name, column in columns.items()
    }


def _downloads(
    result: Attribution, head: list[str], rows: list[list[str]], ended: list[Run]
) -> None:
    """Buttons for the numbers."""

    def as_csv() -> bytes:
        text = io.StringIO()
        csv.writer(text).writerows([head, *rows])
        return text.getvalue().encode()

    def as_json() -> bytes:
        return json.dumps(attribution.to_dict(result), indent=1, ensure_ascii=False).encode()

    def as_zip() -> bytes:
        return tables.bundle(ended, "attribution", {"attribution.json": as_json()})

    for label, form, data in (
        ("CSV", "csv", as_csv),
        ("JSON", "json", as_json),
        ("All numbers (zip)", "zip", as_zip),
    ):
        st.download_button(
            label,
            data=data,
            file_name=f"attribution.{form}",
            mime=FORMATS[form].mime,
            icon=":material/folder_zip:" if form == "zip" else ":material/download:",
            on_click="ignore",
        )
