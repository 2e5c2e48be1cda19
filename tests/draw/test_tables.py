"""Charts of a table of named items: similarities of a moment, names of rows, columns and modes."""

import functools
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from dynamics.core.cells import Cells
from dynamics.core.config import Config
from dynamics.core.records import Layout, Trajectory
from dynamics.draw.panel import NothingToDrawError, Panel
from dynamics.engine.training.comparison import prepare
from tests.support.make import is_sentence, recorded, small

CONFIG = Config.from_dict({"problem": "semantic", "steps": 400, "record_every": 100})


@functools.cache
def whole() -> list[Trajectory]:
    return recorded(CONFIG)


def described() -> list[Trajectory]:
    """The same run before its first record."""
    comparison = prepare(CONFIG)
    first = next(each for each in comparison if each)
    layout = Layout.of(first, comparison.facts)
    return layout.trajectories(np.empty((0, layout.width)))


def draw(name: str, trajectories: list[Trajectory], **how: Any) -> go.Figure:
    return Panel.named(name).draw(CONFIG, trajectories, **how)


def test_similarity_is_that_of_the_moment_beside_the_table_s() -> None:
    """Columns that a trace names hold the same numbers; the goal has none, and ends the scale."""
    figure = draw("item_similarity", whole(), at=350)
    items = whole()[0].facts["items"]
    assert figure.layout.title.text == "Item similarity at step 300"
    assert [trace.name for trace in figure.data] == ["original", "compressed", "target"]
    for trace, own in zip(figure.data, whole(), strict=False):
        wanted = own.series["item_similarity"][3]
        assert np.array(trace.z) == pytest.approx(wanted, rel=1e-3, abs=1e-6)
        assert trace.meta["y"][1][2] == f"{own.network}.item_similarity.2.3"
        assert trace.customdata[1][2] == f"robin and salmon: {wanted[1, 2]:.3g}"
    goal = figure.data[-1]
    assert goal.meta is None and goal.z[0][1] == 4
    assert figure.layout.coloraxis.cmax == -figure.layout.coloraxis.cmin == np.max(goal.z)
    assert list(figure.layout.xaxis.ticktext) == items == figure.layout.meta["classes"]
    empty = draw("item_similarity", described())
    assert [trace.meta for trace in empty.data] == [trace.meta for trace in figure.data]
    assert empty.data[-1].z == goal.z and "step" not in empty.layout.title.text


def test_a_run_without_items_has_no_similarity() -> None:
    with pytest.raises(NothingToDrawError) as refused:
        Panel.named("item_similarity").draw(small(), recorded(small(steps=10)))
    assert is_sentence(str(refused.value))


def test_heat_maps_name_rows_and_columns() -> None:
    """Where each entry has a name, nothing is subtracted: the table itself stands beside W."""
    facts = whole()[0].facts
    cells = [Cells(400.0, np.zeros((20, 8)), np.ones((20, 8)), True, (1, 1)) for _ in whole()]
    figure = draw("heat_maps", whole(), cells=cells)
    assert [trace.name for trace in figure.data] == ["original W", "compressed W", "target M*"]
    assert figure.layout.meta["called"] == [facts["properties"], facts["items"]]
    assert list(figure.layout.yaxis.ticktext) == facts["properties"]
    assert figure.layout.yaxis.showticklabels and not figure.layout.yaxis2.showticklabels
    assert figure.data[0].customdata[4][0] == "fly of canary"


def test_modes_have_the_names_of_what_they_tell_apart() -> None:
    """In the order of modes, groups by their names; the page names the same columns."""
    figure = draw("singular_values/compressed", whole(), theory=False)
    assert [trace.name for trace in figure.data if trace.showlegend][:3] == [
        "σ<sub>1</sub> all alike",
        "σ<sub>2</sub> animals | plants",
        "σ<sub>3</sub> birds | fish",
    ]
    assert figure.layout.meta["groups"]["fish"] == ["salmon", "sunfish"]
    first = next(trace for trace in figure.data if "vector" in (trace.meta or {}))
    assert first.meta["vector"][7] == "compressed.item_vectors.1.8"
