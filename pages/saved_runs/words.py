"""Words: the form in which a reader names ticked runs, notes something, tags and pins them."""

from collections.abc import Sequence

import streamlit as st

from dynamics.runs import control
from dynamics.runs.remarks import LONGEST, Remarks
from dynamics.runs.run import RunError
from pages.saved_runs.finding import Entry
from pages.shared.session.who import visitor

REFUSED = "remarks refused"  # session key: why the last remarks could not be kept


def words(picked: Sequence[Entry], tags: Sequence[str]) -> None:
    """A button that opens the form: name and note of one run, tags and pin of all ticked ones.

    Args:
        picked: the ticked runs.
        tags: those that any saved run has, which are offered.
    """
    with st.popover("Name, note, tags", icon=":material/edit_note:", key="words"):
        if sentence := st.session_state.pop(REFUSED, ""):
            st.error(sentence)
        with st.form("remarks", border=False):
            first = picked[0].remarks
            alone = len(picked) == 1
            place = picked[0].run.key if alone else "several"
            if alone:
                st.text_input("Name", first.name, LONGEST["name"], key=f"name {place}")
                st.text_area("Note", first.note, max_chars=LONGEST["note"], key=f"note {place}")
            common = [tag for tag in first.tags if all(tag in each.remarks.tags for each in picked)]
            st.multiselect(
                "Tags",
                [*dict.fromkeys([*tags, *common])],
                common,
                accept_new_options=True,
                key=f"tags {place}",
                help="Short words of your own that gather runs",
            )
            pinned = all(each.remarks.pinned for each in picked)
            st.toggle("First in the table", pinned, key=f"pinned {place}")
            st.form_submit_button(
                "Keep",
                type="primary",
                on_click=_keep,
                args=(list(picked), common, place),
            )


def _keep(picked: list[Entry], common: list[str], place: str) -> None:
    """Take over the form; tags that only some of the runs had stay with them."""
    chosen = {
        name: st.session_state.get(f"{name} {place}") for name in ("name", "note", "tags", "pinned")
    }
    try:
        for run, _, _, before in picked:
            own = [tag for tag in before.tags if tag not in common]
            control.steer(
                run,
                "remark",
                visitor(),
                Remarks(
                    before.name if chosen["name"] is None else chosen["name"],
                    before.note if chosen["note"] is None else chosen["note"],
                    (*own, *(chosen["tags"] or ())),
                    bool(chosen["pinned"]),
                ),
            )
    except (RunError, ValueError) as error:
        st.session_state[REFUSED] = str(error)
