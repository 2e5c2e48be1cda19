"""Film ratings less their means: parts, errors in stars, other methods, films for a reader."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error

from dynamics.core.altmin import Entries
from dynamics.core.config import Config
from dynamics.data import movielens
from dynamics.data.folder import folder
from dynamics.engine import ratings
from dynamics.engine.training.comparison import prepare
from dynamics.findings.films import popular, predicted, recommended
from dynamics.findings.story import story
from dynamics.findings.validation import least
from dynamics.runs import films as kept
from dynamics.runs.run import Run
from dynamics.runs.start import start
from tests.conftest import folder_of_runs
from tests.support.make import until


@pytest.fixture(scope="module")
def run(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run of the problem's own settings; other methods' errors are kept beside its data."""
    data = tmp_path_factory.mktemp("data")
    (data / "u.data").symlink_to(shared / "data" / "ml-100k" / "u.data")
    with (
        pytest.MonkeyPatch.context() as patched,
        folder_of_runs(tmp_path_factory.mktemp("runs")) as folder,
    ):
        patched.setenv("DLN_DATA", str(data))
        made = start(Config.from_dict({"problem": "films"}), folder)
        until(lambda: not made.status.live)
        assert made.status.phase == "done", made.status.message
        yield made


def test_errors_in_stars_are_those_of_scikit_learn_and_validation_stops_below_93(run: Run) -> None:
    """Means and network are put together anew, from the published file and the last factors."""
    (own,) = run.trajectories
    given = ratings.parts(run.config)
    mean = given.train.values.mean()
    of_films, of_users = np.zeros(1682), np.zeros(943)
    for film in range(1682):
        left = given.train.values[given.train.cols == film] - mean
        of_films[film] = left.sum() / (25 + len(left))
    for user in range(943):
        seen = given.train.rows == user
        left = given.train.values[seen] - mean - of_films[given.train.cols[seen]]
        of_users[user] = left.sum() / (10 + len(left))
    rows = [row["compressed"] for row in prepare(run.config).resumed({}) if row]
    assert rows[-1].moment is not None
    product = np.linalg.multi_dot([each.numpy() for each in reversed(rows[-1].moment.factors)])
    whole = mean + of_users[:, None] + of_films + product
    parts = {"held_out_rmse": given.held_out, "validation_rmse": given.validation}
    for name, part in parts.items():
        wanted = root_mean_squared_error(part.values, whole[part.rows, part.cols])
        assert abs(float(rows[-1].values[name]) / wanted - 1) < 1e-9
        assert abs(own.series[name][-1] / wanted - 1) < 1e-6
    sizes = [len(part.values) for part in given]
    places = [set(zip(part.rows.tolist(), part.cols.tolist(), strict=True)) for part in given]
    assert sizes == [72_000, 8_000, 20_000] and len(set.union(*places)) == 100_000
    stop = least(own)
    assert stop is not None and own.series["held_out_rmse"][stop] <= 0.93
    sentences = " ".join(story(run.config, [own]))
    assert f"at step {own.steps[stop]:,.0f}: there it misses" in sentences
    assert "soft-impute" in sentences


def test_other_methods_are_in_their_order_and_kept_beside_the_data(run: Run) -> None:
    facts = run.layout.facts
    errors = dict(zip(facts["peers"], facts["peers_rmse"], strict=True))
    given = ratings.parts(run.config)
    level = np.full(20_000, given.train.values.mean())
    wanted = root_mean_squared_error(given.held_out.values, level)
    assert abs(errors["global mean"] / wanted - 1) < 1e-12
    assert errors["global mean"] > errors["user and film means"] > 0.94 > errors["ridge ALS"]
    assert 0.9 < errors["soft-impute"] < errors["ridge ALS"]
    heard: list[str] = []
    assert ratings.peers(run.config, heard.append) == errors and not heard
    (file,) = folder().glob("peers-*.json")
    file.write_text("3", encoding="utf-8")
    assert ratings.peers(run.config, heard.append) == pytest.approx(errors) and len(heard) == 1


def test_soft_impute_of_a_whole_matrix_takes_the_threshold_off_its_singular_values() -> None:
    """Where nothing is missing the method has this solution in closed form."""
    block = 4 * np.random.default_rng(0).standard_normal((30, 20))
    rows, cols = map(np.ravel, np.indices(block.shape))
    found = list(ratings.soft_impute(Entries(rows, cols, block.ravel())))
    left, values, right = np.linalg.svd(block, full_matrices=False)
    for threshold, (first, last) in zip(ratings.THRESHOLDS, found, strict=True):
        wanted = (left * np.maximum(values - threshold, 0)) @ right
        assert np.abs((first @ last.T)[:30, :20] - wanted).max() < 0.02 * np.abs(wanted).max()


def test_the_best_network_of_a_run_recommends_by_ridge_regression(run: Run) -> None:
    (own,) = run.trajectories
    made, facts = kept.best(run), run.layout.facts
    stop = least(own)
    assert made is not None and stop is not None and made.step == own.steps[stop]
    assert kept.Films.from_bytes(made.to_bytes(), 1682).to_bytes() == made.to_bytes()
    values = np.linalg.norm(made.features, axis=1) * 943**0.5
    assert np.allclose(values[:10], own.series["singular_values"][stop][:10], rtol=1e-4)
    rated = dict.fromkeys(popular(facts["film_counts"])[:4], 5.0) | {0: 1.0}
    stars = predicted(made.features, facts["film_means"], made.noise, rated)
    means = np.array(facts["film_means"])
    left = np.array(list(rated.values())) - means[list(rated)]
    own_mean = left.sum() / (len(left) + 10)
    ridge = Ridge(alpha=made.noise, fit_intercept=False, solver="cholesky")
    ridge.fit(made.features.T[list(rated)].astype(float), left - own_mean)
    wanted = np.clip(means + own_mean + made.features.T @ ridge.coef_, 1, 5)
    assert np.abs(stars - wanted).max() < 1e-6
    ten = recommended(stars, facts["film_counts"], rated)
    assert len(ten) == 10 and not {each.film for each in ten} & {*rated}
    assert [each.stars for each in ten] == sorted((each.stars for each in ten), reverse=True)
    assert min(facts["film_counts"][each.film] for each in ten) >= 50


def test_modes_have_films_at_both_ends(run: Run) -> None:
    """The films are those of the largest and the least entries, among films that are known."""
    (own,) = run.trajectories
    made, stop = kept.best(run), least(own)
    assert made is not None and stop is not None
    familiar = np.flatnonzero(np.array(run.layout.facts["film_counts"]) >= 50)
    for mode in range(4):
        vector = made.features[mode][familiar]
        order = familiar[np.argsort(vector)] + 1
        ends = own.series["film_ends"][stop][mode].astype(int).tolist()
        both = [order[::-1][:2].tolist() + order[:2].tolist()]
        both.append(both[0][2:] + both[0][:2])
        assert ends in both


def test_too_few_ratings_for_three_parts_are_refused_in_a_sentence(run: Run) -> None:
    with pytest.raises(ValueError, match="observed must leave ratings to learn from"):
        ratings.parts(Config.from_dict({"problem": "films", "observed": 1}))


def test_titles_are_read_beside_the_ratings_or_left_out(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLN_DATA", str(tmp_path))
    (tmp_path / "u.data").symlink_to(shared / "data" / "ml-100k" / "u.data")
    assert movielens.titles() == []
    lines = [f"{number}|Mis\xe9rables, Les {number} (1995)|01|\n" for number in range(1, 1683)]
    lines[126] = "127|Godfather, The (1972)|01\n"
    (tmp_path / "u.item").write_text("".join(lines), encoding="latin-1")
    titles = movielens.titles()
    assert titles[126] == "The Godfather (1972)" and len(titles) == 1682
    assert titles[0] == "Mis\xe9rables, Les 1 (1995)"
    (tmp_path / "u.item").write_text("".join(lines[1:]), encoding="latin-1")
    assert movielens.titles() == []  # a list of other films
