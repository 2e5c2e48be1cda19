"""Charts that Streamlit draws; ``live`` draws the charts of a run."""

from typing import Any, Literal

import streamlit as st

SHORT = 4  # lines of a legend that fit into the usual height
LONGEST = 16  # lines of a legend for which the chart grows
LINE = 18  # pixels of a legend line; on a phone, a line may need a whole row


def plotted(
    figure: Any, key: str, name: str = "", height: int | Literal["content"] = "content"
) -> None:
    """A chart below its title, which wraps on a phone.

    ``name`` is the name of the file that the chart's own menu saves. ``figure`` is not changed.
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
