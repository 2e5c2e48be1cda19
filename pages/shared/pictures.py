"""Pictures: small pictures on cards, which ``python -m docs.pictures`` makes from real runs."""

import base64
import functools
import html
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

PAGES = Path(__file__).parents[1]


def file_of(page: str, name: str) -> Path:
    """The file of a picture.

    Args:
        page: the folder of the page's own files.
        name: what the card shows, in words or as the name of a file.
    """
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return PAGES / page / "pictures" / f"{stem}.svg"


@functools.lru_cache
def address(page: str, name: str) -> str:
    """A picture as the address of an SVG, which needs no file."""
    return f"data:image/svg+xml;base64,{encoded(page, name)}"


def encoded(page: str, name: str) -> str:
    """The content of a picture's file, as base64."""
    return base64.b64encode(file_of(page, name).read_bytes()).decode()


def cards(page: str, names: Sequence[str], lit: int | None, pick: Callable[[int], None]) -> None:
    """Cards in a row, each a button with its picture; ``lit`` is framed, ``pick`` gets its number.

    Args:
        page: the folder of the page's own files.
        names: the words on the cards.
        lit: the number of the card that is in force, from 0; None if none is.
        pick: called before the script runs again.
    """
    st.html(_style(page, tuple(names)))
    with st.container(key="presets"):
        for number, name in enumerate(names):
            st.button(
                name,
                key=f"preset {number} button",
                on_click=pick,
                args=(number,),
                type="primary" if number == lit else "secondary",
                width="stretch",
            )


@functools.lru_cache
def _style(page: str, names: tuple[str, ...]) -> str:
    """A style that draws each card's picture: one message, which the browser keeps."""
    rules = (
        f'.st-key-preset-{number}-button {{ --picture: url("{address(page, name)}"); }}'
        for number, name in enumerate(names)
        if file_of(page, name).exists()
    )
    return f"<style>{' '.join(rules)}</style>"


def on_card(page: str, name: str, words: str = "") -> str:
    """A picture at the top of a card, as HTML.

    The card's own words say what it shows; ``words`` add what they do not.
    """
    title = f' title="{html.escape(words)}"' if words else ""
    return f'<img class="picture" alt="{html.escape(words)}"{title} src="{address(page, name)}">'
