"""Saved runs: the table says of each run what its records say."""

import base64
import math
import re
from xml.etree import ElementTree

import pytest

from dynamics.core.config import Config
from dynamics.draw.look import color
from dynamics.runs.remarks import Remarks
from dynamics.runs.run import Run, Status
from pages.saved_runs.finding import Entry
from pages.saved_runs.table import table, written


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


def test_small_numbers_are_written_with_a_power_and_large_ones_plainly(finished: Run) -> None:
    """As people read them, of settings every digit; the numbers below them are what sorts."""
    config = Config(init_scale=1e-6, learning_rate=0.0625)
    rows = table([Entry(finished, config, finished.status, Remarks()) for _ in range(3)])
    rows["last error"] = [9.61e-13, 0.1234567, math.nan]
    told = written(rows)
    assert told.data["last error"].dtype == float
    cells = dict(re.findall(r'class="data (\w+ \w+)" >([^<]*)</td>', told.to_html()))
    for name, wanted in (
        ("last error", ["9.6 × 10⁻¹³", "0.123", "–"]),
        ("ε", ["10⁻⁶"] * 3),
        ("η", ["0.0625"] * 3),
    ):
        column = list(rows).index(name)
        assert [cells[f"row{row} col{column}"].replace("\u00a0", " ") for row in range(3)] == wanted
