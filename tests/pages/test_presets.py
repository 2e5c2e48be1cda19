"""Cards: each has a picture of what it shows; presets can be trained."""

from xml.etree import ElementTree

import pytest

from docs.pictures import cards
from dynamics.core.config import Config
from dynamics.draw.look import color
from dynamics.engine.kernels import USUAL
from dynamics.teach.lesson import lessons
from pages.nonlinear.presets import PRESETS as OF_CLASSES
from pages.shared.pictures import PAGES, file_of
from pages.shared.workbench.presets import Preset
from pages.side_by_side.presets import PRESETS as OF_MATRICES

PRESETS = [
    *(("side_by_side", preset) for preset in OF_MATRICES),
    *(("nonlinear", preset) for preset in OF_CLASSES),
]


@pytest.mark.parametrize(
    ("page", "preset"), PRESETS, ids=[f"{page}-{each.name}" for page, each in PRESETS]
)
def test_every_preset_has_a_picture_of_its_networks(page: str, preset: Preset) -> None:
    """``python -m docs.pictures`` makes it."""
    config = Config.from_dict(preset.settings)
    lines = ElementTree.parse(file_of(page, preset.name)).getroot()
    drawn = {line.attrib["stroke"] for line in lines}
    assert {color(network) for network in config.networks} & drawn
    assert len(lines) >= 1


def test_every_card_has_a_picture_and_every_picture_a_card() -> None:
    """Of presets, lessons, sweeps and the paper's figures; none of them is empty."""
    files = {file_of(page, name) for page, name, _ in cards()}
    assert files == set(PAGES.glob("*/pictures/*.svg"))
    for file in files:
        parts = list(ElementTree.parse(file).getroot().iter())[1:]
        lines = [part.attrib["points"].split() for part in parts if "points" in part.attrib]
        assert max(map(len, lines), default=0) > 2 or len(parts) > 5, file.name


def test_set_up_compiles_what_presets_and_lessons_need_and_nothing_else() -> None:
    """So that no first press of Train waits for a compiler, and no set-up for what nobody needs."""
    configs = [Config.from_dict(preset.settings) for preset in OF_MATRICES]
    configs += [config for lesson in lessons().values() for config in lesson.configs.values()]
    needed = {config.rank_bound for config in configs if not config.contents}
    assert needed == {*USUAL}
    assert {config.dtype for config in configs if not config.contents} == {"float64"}
