"""Film: lines that grow, heat maps and charts in space as they come about, for slides."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dynamics.core.config import Config
from dynamics.draw import panel
from dynamics.export.caption import About, about
from dynamics.export.chart import Chart, of_runs
from dynamics.export.layout.layout import dressed
from dynamics.export.layout.sizes import Print
from dynamics.export.picture import picture
from dynamics.export.render.film import film
from dynamics.runs.run import Run
from dynamics.runs.start import start as start_run
from tests.support.charts import chart, two_panels
from tests.support.make import small, until


@pytest.fixture(scope="module")
def words() -> About:
    return about([Config()], "recovery_error")


def test_films_grow_their_lines_and_end_with_the_whole_chart(finished: Run, words: About) -> None:
    """The first frame has the axes, the last every line of every panel; slide programs play it."""
    import av

    gif: Any = Image.open(
        io.BytesIO(picture(Chart(two_panels(finished), words), "gif", Print("text")))
    )

    def ink(frame: int) -> list[int]:
        gif.seek(frame)
        pixels = np.asarray(gif.convert("RGB")).astype(int)[gif.height // 3 :]  # below the legend
        return [int((np.ptp(half, axis=2) > 60).sum()) for half in np.array_split(pixels, 2, 1)]

    inks = [ink(frame) for frame in (0, gif.n_frames // 2, gif.n_frames - 1)]
    assert all(start < middle < end for start, middle, end in zip(*inks, strict=True))
    assert gif.n_frames > 60
    with av.open(io.BytesIO(picture(Chart(chart(100), words), "mp4", Print()))) as container:
        frames = list(container.decode(video=0))
    assert (frames[0].width, frames[0].height) == (974, 720) and len(frames) > 60
    first, last = (frames[i].to_ndarray(format="rgb24").astype(int) for i in (0, -1))
    assert (np.ptp(first, axis=2) > 60).sum() < (np.ptp(last, axis=2) > 60).sum() / 2


@pytest.mark.slow
def test_a_film_of_heat_maps_shows_the_moments_of_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first W is empty, in the end it is the target; the paper is as white as a slide."""
    monkeypatch.setattr(panel, "MOMENTS", 7)
    run = start_run(small(learning_rate=10.0, steps=2000), folder)
    until(lambda: not run.status.live)
    assert len(panel.moments(run, "heat_maps")) == 7
    made = picture(of_runs([run], "heat_maps"), "gif", Print("column"))
    gif: Any = Image.open(io.BytesIO(made))

    def seen(frame: int) -> Any:
        gif.seek(frame)
        return np.asarray(gif.convert("RGB")).astype(int)

    first, last = seen(0), seen(gif.n_frames - 1)
    assert gif.n_frames > 5 and (first[1, 1] == 255).all() and (last[-1, 1] == 255).all()
    top = slice(first.shape[0] // 5, first.shape[0] // 2)
    across = slice(first.shape[1] // 4, first.shape[1] // 2)  # where the compressed network's W is
    start, end = ((np.ptp(frame[top, across], axis=2) > 40).sum() for frame in (first, last))
    assert end > 100 > start


@pytest.mark.slow
def test_a_film_of_a_chart_in_space_grows_along_its_time_axis(
    finished: Run, words: About, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Axes and words are there from the first frame on, and stay."""
    import av

    monkeypatch.setattr("dynamics.export.render.film.SLOW", 3)
    figure = panel.of_runs([finished], "spectrum_over_time/original").to_plotly_json()
    made = film([dressed(figure, Print("column"))], "mp4", Print("column"), words)
    with av.open(io.BytesIO(made)) as container:
        assert container.metadata["comment"] == words.caption
        frames = [each.to_ndarray(format="rgb24").astype(int) for each in container.decode(video=0)]
    inks = [int((np.ptp(frame, axis=2) > 60).sum()) for frame in frames[:3]]
    assert inks[0] < inks[1] < inks[2]
    dark = [int((frame.max(axis=2) < 110).sum()) for frame in frames[:3]]  # the axes
    assert max(dark) < 1.1 * min(dark) and min(dark) > 100
