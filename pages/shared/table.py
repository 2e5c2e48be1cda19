"""Table: a few rows of text as HTML, without pandas and Arrow."""

import html
from collections.abc import Mapping, Sequence

import streamlit as st

from dynamics.core.config import choices
from dynamics.core.traits import short_name
from dynamics.draw.look import color


def table(rows: Sequence[Mapping[str, str]], label: str) -> None:
    """Rows of cells by column; a heading ``network, quantity`` has the network in its colour.

    ``st.dataframe`` needs pandas and Arrow, half of a page's memory.
    """
    head = "".join(f'<th scope="col">{_heading(name)}</th>' for name in rows[0])
    body = "".join(f"<tr>{_cells(list(row.values()))}</tr>" for row in rows)
    st.html(
        f'<div class="figures" role="region" tabindex="0" aria-label="{html.escape(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _heading(name: str) -> str:
    network, comma, quantity = name.partition(", ")
    if not comma:
        return html.escape(name)
    paint = next(
        (color(each) for each in choices("networks") if short_name(each) == network), "inherit"
    )
    return f'<span style="color:{paint}">{html.escape(network)}</span>, {quantity}'


def _cells(texts: list[str]) -> str:
    first, *others = map(html.escape, texts)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{text}</td>" for text in others)
