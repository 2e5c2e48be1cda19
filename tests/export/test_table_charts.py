"""Charts of a table of named items in files: TikZ has the names' room, a film the moments."""

import io
import itertools
import operator
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dynamics.core.config import Config
from dynamics.draw import panel
from dynamics.export.chart import of_runs
from dynamics.export.layout.layout import POINT, dressed
from dynamics.export.layout.sizes import Print
from dynamics.export.layout.traces import LETTER
from dynamics.export.picture import picture
from dynamics.export.tikz import tikz
from dynamics.runs.run import Run
from dynamics.runs.start import start
from tests.support.make import until

CONFIG = Config.from_dict({"problem": "semantic", "steps": 2000, "record_every": 100})
NUMBER = r"(-?[\d.]+)"


@pytest.fixture
def run(folder: Path) -> Run:
    done = start(CONFIG, folder)
    until(lambda: not done.status.live)
    return done


def test_maps_of_a_table_have_room_for_the_names_of_their_rows(run: Run) -> None:
    """No name reaches beyond the left edge, no map beyond the right one, none over the next."""
    for name, size in itertools.product(("item_similarity", "heat_maps"), ("column", "text")):
        how = Print(size)
        drawn = panel.of_runs([run], name)
        printed = dressed(drawn.to_plotly_json(), how)
        code = tikz(printed, how)
        rows = printed["layout"]["yaxis"]
        wanted = ",".join(f"{{{word}}}" for word in rows["ticktext"])
        assert code.count(f"yticklabels={{{wanted}}}") == 1
        found = re.findall(rf"at=\{{\({NUMBER}bp,{NUMBER}bp\)\}},\nwidth={NUMBER}bp, height", code)
        places = sorted(tuple(map(float, each)) for each in found)
        assert len(places) == len(drawn.data) == 3
        longest = LETTER * rows["tickfont"]["size"] / POINT * max(map(len, rows["ticktext"]))
        ends = [x + wide for x, _, wide in places]
        starts = [x for x, *_ in places]
        assert starts[0] >= longest
        assert all(map(operator.lt, ends, [*starts[1:], how.inches.width * 72]))


@pytest.mark.slow
def test_a_film_of_item_similarity_shows_the_moments_of_the_run(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first no two items are alike, then all networks learn what the target has."""
    monkeypatch.setattr(panel, "MOMENTS", 9)
    made = picture(of_runs([run], "item_similarity"), "gif", Print("column"))
    gif: Any = Image.open(io.BytesIO(made))

    def ink(frame: int) -> list[int]:
        gif.seek(frame)
        pixels = np.asarray(gif.convert("RGB")).astype(int)
        row = np.ptp(pixels[gif.height // 4 : gif.height // 2], axis=2)
        return [int(third.sum()) for third in np.array_split(row, 3, 1)]

    inks = np.array([ink(frame) for frame in range(gif.n_frames)])
    assert (inks[0] < inks[-1]).tolist() == [True, True, False]  # the target stays
    assert len(np.unique(inks[:, 2])) == 1 and len(np.unique(inks, axis=0)) > 4
    import av

    with av.open(io.BytesIO(picture(of_runs([run], "item_similarity"), "mp4", Print()))) as film:
        assert len(list(film.decode(video=0))) >= 9
