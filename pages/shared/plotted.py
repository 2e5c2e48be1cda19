"""Plotted: a chart that Streamlit draws; those of a run are ``live``."""

from typing import Any, Literal

import streamlit as st

SHORT, LONGEST = 4, 16  # lines of a legend: those that leave the chart enough room, and at most
LINE = 18  # pixels of a line, which may stand alone in its row on a phone


def plotted(
    figure: Any, key: str, name: str = "", height: int | Literal["content"] = "content"
) -> None:
    """The chart below its title, which wraps on a phone, and clear of it the chart's own menu.

    ``name`` is that of a file that the menu saves; the figure itself stays as it is.
    """
    if title := figure.layout.title.text:
        st.markdown(f"**{title}**")
    shown = type(figure)(figure).update_layout(title_text="", modebar_bgcolor="rgba(0,0,0,0)")
    saved = {"format": "svg", "filename": name or key}
    legend = sum(trace.showlegend is not False for trace in figure.data)
    if height == "content" and not figure.layout.height and legend > SHORT:
        height = 450 + LINE * (min(legend, LONGEST) - SHORT)
    config = {"displaylogo": False, "toImageButtonOptions": saved}
    st.plotly_chart(shown, key=key, config=config, height=height)
