"""The frame of DLN Explorer: its routes next to Streamlit's, and the navigation.

``streamlit run app.py``, or any ASGI server with ``app:app``.
"""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent


def sentence(error: Exception) -> bool:
    """Show one sentence instead of a traceback; the traceback is in the server's log."""
    from dynamics.core.config import ConfigError
    from dynamics.runs.run import RunError

    if isinstance(error, RunError | ConfigError):
        st.error(str(error))
    else:
        st.error("This page met an unexpected error. Reload it to continue; all records are kept.")
    return True


def page(file: Path) -> st.Page:
    """``1_Side_by_side.py`` as the page "Side by side"."""
    number, _, name = file.stem.partition("_")
    return st.Page(file, title=name.replace("_", " "), default=number == "1")


if __name__ != "__main__":
    from dynamics.core.machine import memory, threads

    try:
        memory.check()
    except MemoryError as error:
        sys.exit(f"DLN Explorer: {error}")
    from starlette.middleware import Middleware
    from streamlit.config import set_option
    from streamlit.runtime import memory_media_file_storage, websocket_session_manager
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.runtime.scriptrunner import script_runner

    from dynamics.runs import limits
    from pages.shared import loading
    from pages.shared.door import Door, announcement
    from pages.shared.files.media import SharedFiles
    from pages.shared.live.routes import ROUTES
    from pages.shared.session.reconnect import WholeFirst
    from pages.shared.session.whole import WholeSessionState

    loading.install()

    # Workers have the other cores; threads that wait for one another there make a page slow.
    threads.use_one()

    # Streamlit lists the files of a folder called pages by itself; without this line, a server's
    # first visitor would see that list.
    PagesManager.uses_pages_directory = False

    # Streamlit offers no other way to choose where the files behind download buttons are kept.
    memory_media_file_storage.MemoryMediaFileStorage = SharedFiles

    # Nor has it an option that lets a new session hear what is done in an open dialog.
    vars(websocket_session_manager)["AppSession"] = WholeFirst

    @contextlib.asynccontextmanager
    async def announced(_: st.App) -> AsyncIterator[None]:
        """Tell the owner of a server that strangers reach how a browser becomes theirs."""
        if line := announcement():
            set_option("server.maxUploadSize", limits.given("server")["upload"])
            print(line, file=sys.stderr, flush=True)
        yield

    # Nor has it an option that lets a callback write all that it has to write.
    vars(script_runner)["SafeSessionState"] = WholeSessionState

    app = st.App(
        Path(__file__).resolve(),
        lifespan=announced,
        routes=ROUTES,
        middleware=[Middleware(Door)],
        on_script_error=sentence,
    )
else:
    from dynamics.runs import launcher
    from pages.shared import door, number
    from pages.shared.files import downloads
    from pages.shared.session import reconnect

    with reconnect.heard():
        look = HERE / "pages" / "shared" / "look"
        st.set_page_config("DLN Explorer", page_icon=str(look / "icon.svg"), layout="wide")
        st.html(look / "style.css")
        st.html(look / "instrument.css")
        if not door.own(st.context.headers):
            st.error(door.STRANGER)
            st.stop()
        number.arrows()
        downloads.hand_over()
        files = sorted(HERE.glob("pages/[0-9]*.py"), key=lambda file: int(file.stem.split("_")[0]))
        pages = [page(file) for file in files]
        chosen = st.navigation(pages)
        if st.session_state.get("page") != chosen.title:
            st.session_state["arrived"] = True  # until the page has read the address that led here
            st.session_state["page"] = chosen.title
        chosen.run()
        launcher.keep()
