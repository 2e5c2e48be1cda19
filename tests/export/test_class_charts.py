"""Charts of one moment in files: names of classes, marks that grey tells apart."""

import pytest

from dynamics.draw.panel import Panel
from dynamics.export.layout.layout import dressed
from dynamics.export.layout.sizes import Print
from dynamics.export.tikz import tikz
from tests.support.classes import CLASSES, settings, trajectories


@pytest.mark.parametrize("grey", [False, True])
def test_confusion_is_printed_with_the_names_of_its_classes(grey: bool) -> None:
    """Under the lowest matrix of a column and left of the first; the height has room for them."""
    how = Print("column", grey=grey)
    drawn = Panel("confusion").draw(settings(), trajectories(range(0, 1001, 100)))
    printed = dressed(drawn.to_plotly_json(), how)
    layout = printed["layout"]
    sizes = {layout[name]["tickfont"]["size"] for name in layout if name[1:5] == "axis"}
    assert len(sizes) == 1 and 0 < sizes.pop() < layout["font"]["size"]
    code = tikz(printed, how)
    assert code.count("\\begin{axis}") == 3
    names = ",".join(f"{{{name}}}" for name in CLASSES)
    assert code.count(f"yticklabels={{{names}}}") == 1
    assert code.count(f"xticklabels={{{names}}}") == 3 and code.count("ytick=\\empty") == 2
    assert "{1 wrong}" in code


@pytest.mark.parametrize("network", ["compressed", "narrow_random"])
def test_inner_coordinates_are_printed_with_a_mark_for_each_class(network: str) -> None:
    how = Print("column", grey=True)
    panel = Panel("inner_coordinates", network)
    printed = dressed(panel.draw(settings(), trajectories([0, 500])).to_plotly_json(), how)
    code = tikz(printed, how)
    planes = 1 if network == "compressed" else 2
    assert code.count("\\begin{axis}") == planes
    for mark in ("*", "square*", "triangle*"):
        assert code.count(f", mark={mark},") == planes + 1  # and in the legend
