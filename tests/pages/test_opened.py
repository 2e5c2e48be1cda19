"""An open dialog is held by the browser, which may send anything."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.make import PATIENCE


def page() -> None:
    import streamlit as st

    from pages.shared.session import opened

    st.text(repr(opened.asked("export", None)))
    opened.close()


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (json.dumps(["export", {"panel": "losses"}, "a"]), "{'panel': 'losses'}"),
        (json.dumps(["check", True, "a"]), "None"),
        pytest.param("[" * 100_000, "None", id="deep"),
        ("[", "None"),
        ("5", "None"),
        ("{}", "None"),
        ("[1, 2]", "None"),
    ],
)
def test_only_a_request_opens_a_dialog(held: str, said: str) -> None:
    app = AppTest.from_function(page, default_timeout=PATIENCE)
    app.session_state["open dialog"] = held
    app.run()
    assert not app.exception, app.exception
    assert [each.value for each in app.text] == [said]
