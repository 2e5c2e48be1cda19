"""Number: a box in which a number is typed, with a point or a comma, or stepped by arrow keys.

Streamlit's own box drops a comma, so that 2,5 becomes 25, and its arrow keys add 0.01 to 1e-30.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from dynamics.core.description import text_of
from dynamics.core.words import value

THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?")
TWOFOLD = re.compile(r"[1-9]\d{0,2},\d{3}")  # 1,500 is 1500 to some readers and 1.5 to others
_arrows = st.components.v2.component(
    "dln_arrows", js=(Path(__file__).parent / "look" / "arrows.js").read_text(encoding="utf-8")
)


def arrows() -> None:
    """Give the number boxes of the page their arrow keys."""
    with st.container(key="arrows"):
        _arrows(key="arrow keys")


def read(text: str, *, whole: bool = False) -> float:
    """The number that a visitor typed: ``2.5``, ``2,5``, ``1,234.5``, ``1e-6`` or ``10⁻⁶``.

    Where a ``whole`` number is asked for, ``1,500`` is 1500.

    Raises:
        ValueError: with one sentence, if it is no number or can be read as two.
    """
    text = text.strip().replace("−", "-")
    if TWOFOLD.fullmatch(text) and not whole:
        thousands = text.replace(",", "")
        point = text_of(float(text.replace(",", ".")))
        raise ValueError(f"{text} can be read as {thousands} or as {point}; type one of them.")
    decimal = text if THOUSANDS.fullmatch(text) and text[0] != "0" else text.replace(",", ".")
    try:
        return value(decimal)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a number.") from None


def number(
    label: str,
    key: str,
    start: float,
    check: Callable[[float], float],
    *,
    whole: bool = False,
    on_change: Callable[..., object] | None = None,
    args: tuple[Any, ...] = (),
    **options: Any,
) -> float:
    """A box in which a number is typed; returns the number.

    A text that is refused leaves the number as it was, and one sentence says why. Another sentence
    says how a comma was read.

    Args:
        label: the words above the box.
        key: where the session keeps the number.
        start: the number at first.
        check: returns a number that fits, or raises ValueError with one sentence.
        whole: whether it is a whole number.
        on_change: is called after the number has changed.
        args: what ``on_change`` is called with.
        options: as of ``st.text_input``.
    """
    box = f"{key} {'whole' if whole else 'text'}"  # arrows.js knows these endings
    st.session_state[box] = text_of(st.session_state.setdefault(key, start))
    if sentence := st.session_state.pop(f"{key} told", None):
        st.toast(sentence, icon=":material/tune:", duration="long")

    def typed() -> None:
        text = st.session_state[box]
        try:
            st.session_state[key] = check(read(text, whole=whole))
        except ValueError as error:
            st.session_state[f"{key} told"] = str(error)
            return
        if "," in text:
            shown = text_of(st.session_state[key])
            st.session_state[f"{key} told"] = f"{text.strip()} is read as {shown}."
        if on_change:
            on_change(*args)

    st.text_input(label, key=box, on_change=typed, **options)
    value: float = st.session_state[key]
    return value


def between(label: str, low: float, high: float) -> Callable[[float], float]:
    """A check that a number lies from ``low`` to ``high``."""

    def check(number: float) -> float:
        if not low <= number <= high:
            raise ValueError(f"{label} must be from {low:g} to {high:g}; {number:g} was given.")
        return number

    return check
