"""Saved runs: the table says of each run what its records say."""

import base64
from xml.etree import ElementTree

import pytest

from dynamics.core.config import Config
from dynamics.draw.look import color
from dynamics.runs.remarks import Remarks
from dynamics.runs.run import Run, Status
from pages.saved_runs.finding import Entry
from pages.saved_runs.table import table


def test_results_are_those_of_the_records(finished: Run) -> None:
    """Of the compressed network; the picture has a line of each network at least."""
    config = finished.config
    (row,) = table([Entry(finished, config, finished.status, Remarks())]).to_dict("records")
    named = {each.network: each for each in finished.trajectories}
    errors = named["compressed"].series["recovery_error"]
    assert row["last error"] == errors[-1] and row["least error"] == errors.min()
    assert row["seconds"] == pytest.approx(sum(each.seconds[-1] for each in named.values()))
    head, code = row["picture"].split(",")
    assert head == "data:image/svg+xml;base64"
    lines = ElementTree.fromstring(base64.b64decode(code))
    assert {line.attrib["stroke"] for line in lines} >= {color(name) for name in named}
    for line in lines:
        places = [tuple(map(float, each.split(","))) for each in line.attrib["points"].split()]
        assert all(0 <= x <= 120 and 0 <= y <= 54 for x, y in places)


@pytest.mark.parametrize("config", [Config(), None])
def test_a_run_that_trains_or_is_damaged_has_no_results(
    finished: Run, config: Config | None
) -> None:
    (row,) = table([Entry(finished, config, Status("running"), Remarks())]).to_dict("records")
    assert row["picture"] is None and row["seconds"] is None
