"""Plotly.js: the shipped parts are what the installed Plotly brings, and draw all that is drawn."""

import gzip

import plotly.graph_objects as go
import plotly.offline
import pytest

from dynamics.core import registry
from dynamics.draw import panel
from dynamics.export.render import plotlyjs
from dynamics.runs.run import Run
from tests.support.classes import OF_CLASSES
from tests.support.make import OF_TABLES

VERSION = plotly.offline.get_plotlyjs_version()


@pytest.mark.parametrize("name", plotlyjs.PARTS)
def test_a_part_is_of_the_version_that_draws_all_other_files(name: str) -> None:
    """Else run `make plotlyjs`."""
    head = gzip.decompress(plotlyjs.FILES[name].read_bytes())[:400].decode()
    assert f"({name} - minified) v{VERSION}" in head and "MIT license" in head


@pytest.mark.parametrize("name", plotlyjs.PARTS)
def test_a_part_registers_each_trace_that_is_said_of_it(name: str) -> None:
    """Every trace module names its type where it registers itself."""
    library = gzip.decompress(plotlyjs.FILES[name].read_bytes()).decode()
    for kind in plotlyjs.PARTS[name]:
        assert f'moduleType:"trace",name:"{kind}"' in library, kind


def test_every_figure_of_a_run_has_a_part_that_draws_it(finished: Run) -> None:
    wanted = {"heat_maps": "cartesian", "spectrum_over_time": "gl3d"}
    for name in set(registry.options("charts")) - {*OF_CLASSES, *OF_TABLES}:
        drawn = panel.of_runs([finished], name).to_plotly_json()
        assert plotlyjs.part(drawn) == wanted.get(name, "basic"), name


def test_a_trace_that_no_part_draws_is_named() -> None:
    with pytest.raises(ValueError, match="pie"):
        plotlyjs.part(go.Figure(go.Pie(values=[1])).to_plotly_json())
