"""Earlier: the sweeps that this machine has, to be opened again."""

import streamlit as st

from dynamics.core.sweep import Sweep
from dynamics.core.words import raised
from dynamics.runs.run import RunError, root
from dynamics.runs.sweep import PHASES, listing
from pages.shared import settings as shared_settings
from pages.shared.session import desk
from pages.sweeps.asked import of_sweep
from pages.sweeps.choices import take

MOST = 20  # sweeps in the menu, the newest first


def menu() -> None:
    """A menu of the newest sweeps, each with how far it is."""
    places = listing(root())[:MOST]
    if not places:
        return
    with st.popover("Earlier sweeps", icon=":material/history:", on_change="rerun") as opened:
        for place in places if opened.open else ():
            try:
                sweep, now = place.sweep, place.standing
            except RunError as error:
                st.caption(str(error))
                continue
            st.button(
                raised(sweep.caption),
                key=f"earlier {place.key}",
                on_click=_open,
                args=(sweep,),
                width="stretch",
                type="tertiary",
                help=f"{now.ended:,} of {now.total:,} runs, {PHASES[now.phase]}",
            )


def _open(sweep: Sweep) -> None:
    desk.sit(desk.kind_of(sweep.base.problem))
    shared_settings.adopt(sweep.base.to_dict())
    take(of_sweep(sweep))
