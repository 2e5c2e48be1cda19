"""Table: a few rows of text as HTML, without pandas and Arrow."""

import html
from collections.abc import Mapping, Sequence

import streamlit as st

from dynamics.core.config import choices
from dynamics.core.traits import short_name
from dynamics.draw.look import written


def table(rows: Sequence[Mapping[str, str]], label: str) -> None:
    """A table on the page; in a heading ``network`` or ``network, quantity`` the name is coloured.

    ``st.dataframe`` needs pandas and Arrow, half of a page's memory.

    Args:
        rows: the cells of each row by their column's heading; all rows have the same headings.
        label: what a screen reader says of the table.
    """
    head = "".join(f'<th scope="col">{_heading(name)}</th>' for name in rows[0])
    body = "".join(f"<tr>{_cells(list(row.values()))}</tr>" for row in rows)
    st.html(
        f'<div class="figures" role="region" tabindex="0" aria-label="{html.escape(label)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _heading(text: str) -> str:
    network, comma, quantity = text.partition(", ")
    names = {short_name(name): name for name in choices("networks")}
    if network not in names:
        return html.escape(text)
    paint = written(names[network])
    return f'<span style="color:{paint}">{html.escape(network)}</span>{comma}{quantity}'


def _cells(texts: list[str]) -> str:
    """The cells of a row; a setting and its value, such as L = 3, stay in one line."""
    first, *others = (html.escape(text).replace(" = ", "\u00a0=\u00a0") for text in texts)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{text}</td>" for text in others)
