"""Hiding: blocks of the first page that a link leaves out (``hide=``), so that a class sees less.

``?hide=presets,forecast`` leaves out two; a button brings them back.
"""

from collections.abc import Iterable

import streamlit as st

BLOCKS = {
    "settings": "the sidebar",
    "problem": "the problem and its settings",
    "network": "further settings of the networks",
    "training": "settings of the training",
    "seeds": "the random seeds",
    "presets": "the cards of presets",
    "pictures": "the drawings of the networks, to scale",
    "forecast": "the forecast before a run",
    "theory": "theory's curves and marks in the charts",
    "menus": "the menus of axes and charts",
    "changes": "changing, forking and compressing during a run",
    "tools": "new seed, link and export",
    "summary": "the account and the tables after a run",
}


def adopt(text: str) -> list[str]:
    """Hide the blocks with these comma-separated names; returns a sentence if some do not exist."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    st.session_state["hide"] = tuple(name for name in BLOCKS if name in asked)
    unknown = [name[:40] for name in asked if name not in BLOCKS]
    if not unknown:
        return []
    return [f"hide can name {', '.join(BLOCKS)}; there is no block {', '.join(unknown)} to hide."]


def hidden(block: str) -> bool:
    """Whether the page leaves this block out."""
    return block in st.session_state.get("hide", ())


def query(blocks: Iterable[str] | None = None) -> dict[str, str]:
    """The ``hide=`` of an address for these blocks; for the blocks hidden now if None."""
    chosen = st.session_state.get("hide", ()) if blocks is None else blocks
    named = [name for name in BLOCKS if name in chosen]
    return {"hide": ",".join(named)} if named else {}


def choice() -> list[str]:
    """A menu of blocks; returns the blocks that the copied link hides."""
    return st.pills(
        "Hide from whoever opens the link",
        list(BLOCKS),
        selection_mode="multi",
        default=list(st.session_state.get("hide", ())),
        key=f"hidden by the link {st.session_state.get('hide')}",
        help="  \n".join(f"*{name}*: {words}" for name, words in BLOCKS.items()),
    )


def sidebar() -> None:
    """Remove the sidebar from the page if its settings are hidden."""
    if hidden("settings"):
        st.html(
            "<style>[data-testid=stSidebar], [data-testid=stExpandSidebarButton] "
            "{ display: none; }</style>"
        )


def _show() -> None:
    st.session_state["hide"] = ()


def show_everything() -> None:
    """A button that brings back the hidden blocks, if any are hidden."""
    if st.session_state.get("hide"):
        st.button(
            "Show everything",
            on_click=_show,
            icon=":material/visibility:",
            type="tertiary",
            help="This link hides some parts of the page",
        )
