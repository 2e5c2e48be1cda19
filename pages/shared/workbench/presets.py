"""Presets: cards, each with settings that show one thing and a picture of it."""

import functools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from dynamics.core.config import SEEDS, Config
from pages.shared import settings
from pages.shared.pictures import cards
from pages.shared.session import desk


class Preset(NamedTuple):
    """What a card offers.

    Attributes:
        name: in a few words.
        look: what to look at.
        settings: those that differ from what the problem suggests.
    """

    name: str
    look: str
    settings: dict[str, Any]


def choose(presets: Sequence[Preset]) -> Preset | None:
    """The presets as cards with pictures; returns the one that is in force, None if none is."""
    lit = next((number for number, preset in enumerate(presets) if _in_force(preset)), None)
    names = [preset.name for preset in presets]
    cards(desk.folder(), names, lit, lambda number: _pick(presets[number]))
    return None if lit is None else presets[lit]


def named(presets: Sequence[Preset]) -> str:
    """The name of the preset that is in force; empty if none is."""
    return next((preset.name for preset in presets if _in_force(preset)), "")


def _pick(preset: Preset) -> None:
    """Take over the settings of a preset, and show no run; nothing if it is in force."""
    if not _in_force(preset):
        settings.adopt(preset.settings)
        st.session_state["run"] = None


def _in_force(preset: Preset) -> bool:
    """Whether the settings are those of the preset; seeds may differ."""
    values = _whole(json.dumps(preset.settings, sort_keys=True))
    chosen = settings.settings()
    return all(chosen[name] == value for name, value in values.items() if name not in SEEDS)


@functools.lru_cache
def _whole(text: str) -> dict[str, Any]:
    """All settings of a preset, from those that it names."""
    return Config.from_dict(json.loads(text)).to_dict()
