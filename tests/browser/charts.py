"""A page with nothing but the live charts of ``?run=``, served with the app's own routes."""

import gc
import sys
from pathlib import Path

import streamlit as st

if __name__ != "__main__":
    from pages.shared.live.routes import ROUTES

    app = st.App(Path(__file__).resolve(), routes=ROUTES)
else:
    from dynamics.draw.time_axis import VERSUS
    from pages.shared.live.component import live

    USUAL = "singular_values/original,singular_values/compressed,principal_angles,recovery_error"

    st.set_page_config("Charts", layout="wide")
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    collections = gc.get_stats()[2]["collections"]
    heavy = sorted({"torch", "pandas", "pyarrow", "scipy"} & set(sys.modules))
    st.button("Again")
    versus = st.segmented_control("Over", list(VERSUS), default="steps") or "steps"
    result = live(
        st.query_params.get("run", ""),
        st.query_params.get("panels", USUAL).split(","),
        versus,
        at=int(st.query_params["at"]) if "at" in st.query_params else None,
    )
    st.text(f"runs={st.session_state.runs} full={collections} heavy={heavy} phase={result.phase}")
    st.text(f"at={result.at}")
