"""Pictures: small pictures on cards, which ``python -m docs.pictures`` makes from real runs."""

import base64
import functools
import re
from pathlib import Path

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


def on_card(page: str, name: str) -> str:
    """A picture at the top of a card, as HTML, whose words say what it shows; empty if none is."""
    if not file_of(page, name).exists():  # of a figure that takes an hour
        return ""
    return f'<img class="picture" alt="" src="{address(page, name)}">'
