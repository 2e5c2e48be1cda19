"""Hiding: the blocks of the first page that a link leaves out (``hide=``), for a class to see less.

``?hide=presets,forecast`` leaves two out; whoever wants them back has a button for it.
"""

from collections.abc import Iterable

import streamlit as st

BLOCKS = {
    "settings": "everything at the side",
    "problem": "the problem and its settings",
    "network": "further settings of the networks",
    "training": "settings of the training",
    "seeds": "the random seeds",
    "presets": "the row of presets",
    "pictures": "both networks, drawn to scale",
    "forecast": "what to expect before a run",
    "theory": "theory's curves and marks in the charts",
    "menus": "the menus of axes and charts",
    "changes": "changing, forking and compressing on the way",
    "tools": "new seed, link and export",
    "summary": "what happened, and the tables after a run",
}


def adopt(text: str) -> list[str]:
    """Hide the blocks with these comma-separated names; a sentence if some are no blocks."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    st.session_state["hide"] = tuple(name for name in BLOCKS if name in asked)
    strange = [name[:40] for name in asked if name not in BLOCKS]
    if not strange:
        return []
    return [f"hide can name {', '.join(BLOCKS)}; there is no block {', '.join(strange)} to hide."]


def hidden(block: str) -> bool:
    """Whether the page leaves this block out."""
    return block in st.session_state.get("hide", ())


def query(blocks: Iterable[str] | None = None) -> dict[str, str]:
    """``hide=`` for an address, of the blocks that are hidden now, or of these."""
    chosen = st.session_state.get("hide", ()) if blocks is None else blocks
    named = [name for name in BLOCKS if name in chosen]
    return {"hide": ",".join(named)} if named else {}


def choice() -> list[str]:
    """A menu of blocks; gives those that a link to be copied shall hide."""
    return st.pills(
        "Hide from whoever opens the link",
        list(BLOCKS),
        selection_mode="multi",
        default=list(st.session_state.get("hide", ())),
        key=f"hidden by the link {st.session_state.get('hide')}",
        help="  \n".join(f"*{name}*: {words}" for name, words in BLOCKS.items()),
    )


def _show() -> None:
    st.session_state["hide"] = ()


def show_everything() -> None:
    """A button that brings back what is hidden; nothing if nothing is."""
    if st.session_state.get("hide"):
        st.button(
            "Show everything",
            icon=":material/visibility:",
            type="tertiary",
            on_click=_show,
            help="This link hides some parts of the page",
        )
