"""Presets: each can be trained, and has a picture that shows its networks."""

from xml.etree import ElementTree

import pytest

from dynamics.core.config import Config
from dynamics.draw.look import color
from pages.nonlinear.presets import PRESETS as OF_CLASSES
from pages.shared.pictures import file_of
from pages.shared.workbench.presets import Preset
from pages.side_by_side.presets import PRESETS as OF_MATRICES

ALL = [
    *(("side_by_side", preset) for preset in OF_MATRICES),
    *(("nonlinear", preset) for preset in OF_CLASSES),
]


@pytest.mark.parametrize(("page", "preset"), ALL, ids=[f"{page}-{each.name}" for page, each in ALL])
def test_every_preset_has_a_picture_of_its_networks(page: str, preset: Preset) -> None:
    """``python -m docs.pictures`` makes it."""
    config = Config.from_dict(preset.settings)
    lines = ElementTree.parse(file_of(page, preset.name)).getroot()
    drawn = {line.attrib["stroke"] for line in lines}
    assert {color(network) for network in config.networks} & drawn
    assert len(lines) >= 1
