"""Pictures with holes: masks, simple fills, scores, and what a run keeps of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from dynamics.core import holes
from dynamics.core.config import Config
from dynamics.core.pictures import Still, of_modes
from dynamics.data.photograph import photograph
from dynamics.draw.panel import NothingToDrawError, Panel, of_runs
from dynamics.draw.score import best
from dynamics.engine.draws import mask
from dynamics.engine.losses.picture import FILL, psnr, ssim
from dynamics.engine.problems import photograph as problems
from dynamics.engine.training.comparison import prepare
from dynamics.runs import pictures
from dynamics.runs.run import Run
from dynamics.runs.writer import Writer
from tests.support.make import is_sentence, recorded, small

KINDS = ("scratches", "text", "block")


def config(**more: object) -> Config:
    values = {"problem": "photograph", "rows": 24, "cols": 32, "rank_bound": 6, "rank": 3}
    return Config.from_dict(values | {"steps": 60, "record_every": 20} | more)


def written(whole: Config, folder: Path) -> Run:
    """A run that was trained here, in this process."""
    run = Run(folder / whole.key)
    run.folder.mkdir()
    run.write("config.json", whole.to_dict())
    comparison = prepare(whole)
    writer = Writer(run, whole, comparison)
    for records in comparison:
        if records:
            writer.write(records)
    return run


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("observed", [0.05, 0.5, 0.8, 1.0])
def test_as_many_pixels_are_seen_as_p_says(kind: str, observed: float) -> None:
    """A block's sides are whole numbers, all others hit p exactly; the seed decides the place."""
    whole = config(holes=kind, observed=observed, rows=60, cols=80)
    seen = holes.seen(whole)
    assert seen.shape == (60, 80) and seen.dtype == bool
    assert seen.mean() == pytest.approx(observed, abs=0.02 if kind == "block" else 1e-9)
    assert (seen == holes.seen(whole)).all()
    other = holes.seen(config(holes=kind, observed=observed, rows=60, cols=80, seed_data=1))
    assert observed in (0.05, 1.0) or (seen != other).any()


def test_holes_are_what_they_are_called() -> None:
    """A block is one rectangle; scratches are thin and upright; the random mask is completion's."""
    block = holes.seen(config(holes="block", rows=60, cols=80))
    rows, cols = (~block).any(1), (~block).any(0)
    assert (~block).sum() == rows.sum() * cols.sum()
    scratches = ~holes.seen(config(holes="scratches", observed=0.9, rows=60, cols=80))
    down, across = ((scratches & np.roll(scratches, 1, axis)).sum() for axis in (0, 1))
    assert down > across
    words = ~holes.seen(config(holes="text", observed=0.9, rows=60, cols=80))
    assert 4 < words.any(1).sum() < 60
    like = torch.empty(0, dtype=torch.float64)
    drawn = problems.make(config(), like)
    completion = Config(rows=24, cols=32, observed=0.5, rank_bound=6)
    assert (drawn.still.seen == mask(completion).numpy()).all()


def test_scores_are_those_of_scikit_image() -> None:
    """On the completed picture that the page shows, with grey values from 0 to 255."""
    whole = config(noise=0.02)
    problem = problems.make(whole, torch.empty(0, dtype=torch.float64))
    still = problem.still
    assert (still.truth == photograph(24, 32)).all()
    fills = dict(zip(("nearest", "linear"), still.fills, strict=True))
    seen = still.seen > 0
    for number, fill in enumerate(fills.values()):
        assert (fill[seen] == still.given[seen]).all()
        wanted = peak_signal_noise_ratio(still.truth, fill, data_range=255)
        assert problem.facts["psnr_of_fills"][number] == pytest.approx(wanted)
        wanted = structural_similarity(still.truth, fill, data_range=255)
        assert problem.facts["ssim_of_fills"][number] == pytest.approx(wanted)
    distances = np.abs(np.argwhere(seen)[:, None] - np.argwhere(~seen)[None]).astype(float)
    nearest = np.hypot(*distances.transpose(2, 0, 1)).min(0)
    for place, least in zip(np.argwhere(~seen), nearest, strict=True):
        near = [still.given[tuple(each)] for each in np.argwhere(seen)
                if np.hypot(*(each - place)) <= least + 1e-9]  # fmt: skip
        assert fills["nearest"][tuple(place)] in near
    assert psnr(still.truth, still.truth) == 100 and ssim(still.truth, still.truth) == 1


def test_a_linear_fill_finds_a_plane() -> None:
    rows, cols = np.mgrid[:20, :30]
    plane = (3 * rows + 4 * cols).astype(np.uint8)
    known = np.random.default_rng(0).random(plane.shape) < 0.5
    known[[0, 0, -1, -1], [0, -1, 0, -1]] = True
    assert np.abs(FILL["linear"](plane, known).astype(int) - plane).max() <= 1
    line = np.zeros_like(known)
    line[3] = True
    assert (FILL["linear"](plane, line) == FILL["nearest"](plane, line)).all()


def test_a_run_keeps_its_pictures_and_their_scores(tmp_path: Path) -> None:
    """PSNR and SSIM of the arrays in the folder, by scikit-image, are those of the records."""
    run = written(config(holes="text", observed=0.7, steps=400), tmp_path)
    still = pictures.still(run)
    assert still is not None
    for moment in (0, 200, 400):
        for own, picture in zip(run.trajectories, pictures.at_step(run, moment), strict=True):
            record = int((own.steps <= moment).sum()) - 1
            assert picture.step == moment == own.steps[record]
            values = still.truth, picture.values
            # W is kept in float16, which moves a grey value by one here and there.
            wanted = peak_signal_noise_ratio(*values, data_range=255)
            assert own.series["psnr"][record] == pytest.approx(wanted, abs=0.02)
            wanted = structural_similarity(*values, data_range=255)
            assert own.series["ssim"][record] == pytest.approx(wanted, abs=1e-3)
    shown = pictures.shown(run, 400, 0)
    grey = np.frombuffer(shown, np.uint8, offset=8).reshape(2, 24, 32)
    assert np.frombuffer(shown, "<f8", count=1) == 400
    assert (grey[1] == pictures.at_step(run)[1].values).all()
    _, matrices = pictures.matrices(run, 400, 2) or (0, np.empty(0))
    left, values, right = np.linalg.svd(matrices[1], full_matrices=False)
    one = np.clip(np.outer(left[:, 0] * values[0], right[0]) + 0.5, 0, 1) * 255
    first = np.frombuffer(pictures.shown(run, 400, 1), np.uint8, offset=8).reshape(2, 24, 32)[1]
    assert np.abs(first - one).max() <= 0.51
    assert np.abs(of_modes(matrices[1], 24) - np.clip(matrices[1] + 0.5, 0, 1) * 255).max() < 0.51
    figure = of_runs([run], "picture", at=200)
    assert figure.layout.title.text == "The picture at step 200"
    names = ["with holes", "original", "compressed", "nearest pixel", "linear in between"]
    assert [trace.name for trace in figure.data] == [*names, "the picture itself"]
    record = 10
    psnr_then = run.trajectories[1].series["psnr"][record]
    assert figure.data[2].meta["scores"].startswith(f"{psnr_then:.1f} dB, SSIM 0.")
    missing = sum(value is None for row in figure.data[0].z for value in row)
    assert missing == (still.seen == 0).sum()


def test_the_best_moment_is_marked_only_where_it_has_passed() -> None:
    assert best(np.array([1.0, 3.0, 2.0, np.nan]), 0.5) == 1
    assert best(np.array([1.0, 3.0, 2.9]), 0.5) is None
    assert best(np.array([np.nan]), 0.5) is None
    whole = recorded(config(steps=200))
    figure = Panel.named("psnr").draw(config(), whole)
    assert [line.y0 for line in figure.layout.shapes] == whole[0].facts["psnr_of_fills"]
    series = whole[1].series["psnr"]
    assert figure.data[-1].meta["fallen"] > 0 or series.argmax() < len(series) - 1


def test_other_runs_have_no_picture() -> None:
    for name in ("picture", "psnr", "ssim"):
        with pytest.raises(NothingToDrawError) as refused:
            Panel.named(name).draw(small(), recorded(small(steps=10)))
        assert is_sentence(str(refused.value))


def test_a_damaged_file_is_no_picture(tmp_path: Path) -> None:
    run = Run(tmp_path)
    still = Still(*(np.zeros((2, 3), np.uint8) for _ in range(3)), (np.ones((2, 3), np.uint8),) * 2)
    read = Still.from_bytes(still.to_bytes(), (2, 3))
    assert read is not None and (read.fills[1] == 1).all()
    assert Still.from_bytes(b"123", (2, 3)) is None
    assert pictures.content(run) == b""
