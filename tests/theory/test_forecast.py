"""Forecast: held against drawn problems, trained networks and what the engine counts."""

import dataclasses
import gc
import json
import math
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dynamics.__main__ import main
from dynamics.core import cost, registry, traits
from dynamics.core.config import Config, choices
from dynamics.data import imported, own_matrix, own_picture
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.training.comparison import prepare
from dynamics.engine.training.facts import look
from dynamics.peers.trajectory_file import read
from dynamics.theory import spectrum
from dynamics.theory.course import expected
from dynamics.theory.escapes import measured_escapes
from dynamics.theory.forecast import Forecast, forecast
from dynamics.theory.prediction import ABOVE, TURNED, TYPICAL, Facts
from tests.support.few import few
from tests.support.make import FIXTURE, full, is_sentence, small, trained

DRAWN = ("factorization", "completion", "sensing")
KINDS = {name: traits.problem(name) for name in choices("problem")}
EXAMPLES = {"own_matrix": own_matrix.EXAMPLE, "own_picture": own_picture.EXAMPLE}  # data sets' ids
MATRICES = [
    name
    for name, kind in KINDS.items()
    if kind.trained and not kind.classifies and "dataset" not in kind.reads
]


def informed(config: Config, facts: Mapping[str, Any]) -> Forecast:
    """What can be said once the problem is drawn."""
    return forecast(config, Facts.of(facts), simulate=True)


def crossings(config: Config) -> dict[str, Any]:
    """Measured steps to half of each mode, by network."""
    goals = prepare(config).facts["target_singular_values"]
    return {
        name: measured_escapes(
            np.arange(len(found["singular_values"])) * float(config.record_every),
            found["singular_values"],
            goals,
        )
        for name, found in trained(config).items()
    }


def test_both_networks_escape_when_forecast_on_a_full_target() -> None:
    """The compressed one by quadrature, the original one by its exact simulation."""
    config = full(
        rows=20, cols=20, rank=3, alpha_original=2.0, init_scale=0.1, steps=1500, record_every=5
    )
    made, found = informed(config, look(config)), crossings(config)
    for name, standing in (("original", "exact"), ("compressed", "gradient-flow")):
        escapes = made.networks[name].escapes
        assert escapes.standing == standing and escapes.breaks == ()
        assert np.abs(np.array(escapes.value) / found[name] - 1).max() < 0.005
    assert made.warnings == ()


@pytest.mark.parametrize("problem", ["completion", "sensing"])
def test_escapes_are_forecast_where_not_all_is_seen(problem: str) -> None:
    """The compressed network's first one from the surrogate's top singular value, to 1 %.

    Later ones come some per cent later than forecast, as what is learned no longer disturbs them;
    the original network's depend on its random start.
    """
    config = Config(
        problem=problem,
        rows=30,
        cols=30,
        rank=3,
        rank_bound=6,
        observed=0.5,
        measurements=900,
        init_scale=0.03,
        learning_rate=0.2,
        rate_unit="limit",
        alpha_original=5.0,
        steps=1200,
        record_every=5,
    )
    made, found = informed(config, look(config)), crossings(config)
    for name, first, later in (("original", 0.15, 0.15), ("compressed", 0.01, 0.06)):
        predicted = made.networks[name].escapes
        assert predicted.standing == "heuristic" and "seen" in predicted.breaks[0]
        errors = np.abs(np.array(predicted.value) / found[name] - 1)
        assert errors[0] < first and (errors < later).all(), (name, errors)


def test_noise_on_a_full_target_is_a_part_of_what_is_learned() -> None:
    """Modes grow to the noisy matrix's singular values, a half of which counts as escaped."""
    config = full(noise=2.0, steps=400, record_every=1, networks="compressed", init_scale=0.4)
    facts = look(config)
    noisy = np.array(facts["surrogate_singular_values"])[:2] * 144
    assert abs(noisy[0] / facts["target_singular_values"][0] - 1) > 0.1
    values = trained(config)["compressed"]["singular_values"]
    assert values[-1, 0] == pytest.approx(noisy[0], rel=1e-6)
    escapes = informed(config, facts).networks["compressed"].escapes
    found = measured_escapes(1.0 * np.arange(len(values)), values, noisy)
    assert escapes.value == pytest.approx(found, rel=5e-3)


def test_a_forecast_without_facts_is_ready_at_a_slider_s_speed() -> None:
    """Under 50 ms of processor time, for every problem, with a new depth, ε and α each time."""
    for problem in choices("problem"):
        times = []
        for depth, alpha in ((2, 1.0), (3, 5.0), (5, 2.0), (6, 1.5), (4, 0.5)):
            rates = {"depth": depth, "alpha": alpha, "alpha_original": 1 / alpha}
            config = Config.from_dict(
                {"problem": problem, "dataset": EXAMPLES.get(problem, imported.EXAMPLE)} | rates
            )
            started = time.process_time()
            forecast(config)
            times.append(time.process_time() - started)
        assert sorted(times)[2] < 0.05, (problem, times)


@pytest.mark.parametrize("problem", DRAWN)
@pytest.mark.parametrize(
    "shape", [pytest.param((60, 150)), pytest.param((100, 100), marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("values", ["top", "spread", "flat", "power-law"])
def test_typical_spectra_are_near_those_of_the_draw(
    problem: str, shape: tuple[int, int], values: str
) -> None:
    """Targets to 4 % (exact where they are set), surrogates' largest to 15 %."""
    config = Config(
        problem=problem, rows=shape[0], cols=shape[1], spectrum=values, measurements=2000, noise=0.2
    )
    drawn, estimated = look(config), spectrum.estimate(config)
    for name, tolerance in (("target_singular_values", 0.04), ("surrogate_singular_values", 0.15)):
        found, typical = np.array(drawn[name])[:3], np.array(estimated[name])[:3]
        assert np.abs(typical / found - 1).max() < tolerance, (name, typical, found)
    if values in ("flat", "power-law"):
        assert estimated["target_singular_values"] == pytest.approx(
            drawn["target_singular_values"], rel=1e-12
        )


@pytest.mark.parametrize("equal", ["rate", "margin"])
@pytest.mark.parametrize("problem", DRAWN)
def test_limits_are_those_that_a_run_keeps(problem: str, equal: str) -> None:
    """One number for the page before a run and for the run that counts η in it."""
    config = small(problem=problem, rate_unit="limit", learning_rate=0.5, noise=0.1, equal=equal)
    made, comparison = informed(config, look(config)), prepare(config)
    facts = comparison.facts
    limits = [each.eta_star.value for each in made.networks.values()]
    assert limits == pytest.approx(facts["stability_limits"], rel=1e-12)
    assert made.learning_rate == pytest.approx(facts["learning_rate"][0], rel=1e-12)
    for name, limit in zip(made.networks, limits, strict=True):
        assert made.ratio(name) == pytest.approx(comparison.rate(name) / limit, rel=1e-12)
    assert informed(config, facts).to_dict() == made.to_dict()  # a run's facts are all it needs


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize(
    ("problem", "sensing"),
    [*((name, "gaussian") for name in MATRICES), ("sensing", "rank-one")],
)
def test_operations_are_those_that_training_counts(
    problem: str, sensing: str, depth: int, request: pytest.FixtureRequest
) -> None:
    if problem in ("movielens", "films"):
        request.getfixturevalue("ratings")
    config = Config.from_dict(
        {"problem": problem, "sensing": sensing, "rows": 30, "cols": 40, "rank": 2}
        | {"rank_bound": 4, "depth": depth}
    )
    comparison = prepare(config)
    for name, network in comparison.networks.items():
        descent = fastest(
            network, comparison.problem, registry.load("optimizers", "gradient_descent"), 0.1
        )
        assert cost.operations(config, name) == pytest.approx(descent.operations, rel=1e-12)
        assert forecast(config).networks[name].operations.standing == "exact"


@pytest.mark.parametrize(
    ("problem", "sensing"),
    few([*((name, "gaussian") for name in DRAWN), ("sensing", "rank-one")], 1),
)
@pytest.mark.parametrize(
    ("network", "optimizer"),
    [
        pytest.param("original", "gradient_descent", marks=pytest.mark.slow),
        ("original", "adam"),
        ("compressed", "gradient_descent"),
        pytest.param("compressed", "adam", marks=pytest.mark.slow),
    ],
)
def test_memory_is_about_what_training_holds(
    problem: str, sensing: str, network: str, optimizer: str
) -> None:
    """Counted over all tensors that are there, at the record at which there are most."""
    config = Config(
        problem=problem,
        rows=200,
        cols=200,
        sensing=sensing,
        measurements=50 if sensing == "gaussian" else 5000,
        networks=network,
        depth=4,
        steps=8,
        record_every=2,
        optimizer=optimizer,
        learning_rate=1e-3,
    )

    def held() -> float:
        gc.collect()
        tensors = [each for each in gc.get_objects() if type(each) is torch.Tensor]
        dense = [each for each in tensors if each.layout == torch.strided]
        stores = {each.untyped_storage().data_ptr(): each for each in dense}
        return float(sum(each.untyped_storage().nbytes() for each in stores.values()))

    before = held()
    # How many records are being measured at a time depends on how busy the machine is.
    rows = islice(filter(None, prepare(config)), 2, 4)
    most = max(held() for _ in rows) - before
    assert most / 1.6 < cost.memory(config, network) < 1.6 * most


@pytest.mark.parametrize(
    ("changes", "standings", "word"),
    [
        ({}, ("exact", "gradient-flow", "gradient-flow"), ""),
        ({"problem": "completion"}, ("heuristic",) * 3, "entries"),
        ({"problem": "sensing"}, ("heuristic",) * 3, "sums"),
        ({"optimizer": "momentum"}, ("heuristic", "gradient-flow", "gradient-flow"), "momentum"),
        ({"optimizer": "adam"}, ("heuristic", "unknown", "heuristic"), "adam"),
        ({"noise": 0.1}, ("exact", "gradient-flow", "heuristic"), "Noise"),
    ],
    ids=str,
)
def test_a_broken_assumption_is_named(
    changes: dict[str, Any], standings: tuple[str, ...], word: str
) -> None:
    config = small(**({"problem": "factorization"} | changes))
    network = informed(config, look(config)).networks["compressed"]
    found = (network.eta_star, network.escapes, network.floor)
    assert tuple(each.standing for each in found) == standings
    for each in found:
        assert bool(each.breaks) == (each.standing in ("heuristic", "unknown"))
        assert all(word in sentence and is_sentence(sentence) for sentence in each.breaks)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"initialization": "normal"}, "normal"),
        ({"cols": 14}, "square"),
        ({"width": 13}, "square"),
        ({"noise": 0.1}, "full rank"),
        ({"rank": 7, "rank_bound": 8}, "half the width"),
    ],
    ids=str,
)
def test_what_keeps_the_original_from_its_exact_course_is_named(
    changes: dict[str, Any], word: str
) -> None:
    config = full(**changes)
    escapes = informed(config, look(config)).networks["original"].escapes
    assert escapes.standing == "heuristic" and TURNED in escapes.breaks
    assert any(word in sentence for sentence in escapes.breaks)


def test_escapes_hold_until_rates_change_and_say_so() -> None:
    """Those before the change are the run's own; nothing is said where none comes after it."""
    plain = full(spectrum="power-law", init_scale=0.1, steps=3000, rank=3, rank_bound=5)
    steps = informed(plain, look(plain)).networks["compressed"].escapes.value
    for turn in (round((steps[1] + steps[2]) / 2), round(steps[-1]) + 50):
        config = dataclasses.replace(plain, changes=f"{turn}:alpha=3")
        facts = dict(prepare(config).facts)
        made = informed(config, facts).networks["compressed"].escapes
        run = expected(config, Facts.of(facts))["compressed"]
        before = [number for number, step in enumerate(steps) if step < turn]
        assert run.standing == "exact"
        for number, step in enumerate(made.value):
            near = abs(step / run.escapes[number] - 1) < 0.02
            assert near == (number in before), (turn, number, step)
        said = [sentence for sentence in made.breaks if f"step {turn:,}" in sentence]
        assert bool(said) == (len(before) < len(steps)) == (made.standing == "heuristic")
        assert all(is_sentence(sentence) for sentence in said)
    other = dataclasses.replace(plain, changes=f"{round(steps[0])}:alpha_original=3")
    assert informed(other, look(other)).networks["compressed"].escapes.breaks == ()


def test_escapes_follow_a_change_of_eta() -> None:
    """Within 2 % of the run's own: the time of the flow is the sum of η."""
    config = full(
        spectrum="power-law", init_scale=0.1, steps=3000, rank=3, rank_bound=5,
        changes="150:learning_rate=0.05;400:learning_rate=0.4",
    )  # fmt: skip
    facts = Facts.of(dict(prepare(config).facts))
    made = forecast(config, facts).networks["compressed"].escapes
    assert made.standing == "heuristic" and "sum of η" in " ".join(made.breaks)
    assert made.value == pytest.approx(expected(config, facts)["compressed"].escapes, rel=0.02)
    assert made.value[0] < 150 and made.value[1] > 400


def test_escapes_after_a_change_of_alpha_are_not_known() -> None:
    config = full(spectrum="power-law", init_scale=0.1, steps=3000, rank=3, changes="150:alpha=1")
    made = forecast(config).networks["compressed"].escapes
    assert made.value[0] < 150 and all(map(math.isnan, made.value[1:]))
    assert "not known" in " ".join(made.breaks)


@pytest.mark.parametrize("optimizer", ["gradient_descent", "momentum"])
@pytest.mark.parametrize("ratio", [1.7, 3.0])
def test_above_the_limit_there_is_no_final_loss_and_nothing_else_on_stdout(
    ratio: float, optimizer: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """LAPACK prints a text of its own when it is given infinity; the JSON must stand alone."""
    flags = ("--problem", "factorization", "--rows", 30, "--cols", 30, "--rank", 2)
    limit = ("--rank-bound", 4, "--rate-unit", "limit", "--learning-rate", ratio)
    assert main(["forecast", *map(str, (*flags, *limit)), "--optimizer", optimizer, "--json"]) == 0
    out, _ = capfd.readouterr()
    for network in json.loads(out)["networks"].values():
        assert network["floor"] is None and network["zone"] in ("oscillates", "diverges")
        assert all(step > 0 for step in network["escapes"])
        assert ABOVE in network["breaks"]["floor"]


@pytest.mark.parametrize(
    "changes",
    [
        {"problem": "completion", "observed": 0.01, "rank": 3},
        {"problem": "completion", "observed": 0.03, "rank": 5},
        {"problem": "sensing", "measurements": 1, "rank": 2},
        {"problem": "sensing", "sensing": "rank-one", "measurements": 2, "rank": 5},
        {"width": 1, "rank": 3},
        {"learning_rate": 5.0, "rank": 3},
        {"learning_rate": 2.0, "rank": 3, "optimizer": "momentum"},
        {"depth": 8, "init_scale": 1e-30, "rank": 3},
    ],
    ids=str,
)
def test_no_forecast_has_nan_and_never_is_infinity(changes: dict[str, Any]) -> None:
    """One entry pulls one mode alone, three pull three of five; a width of 1 has room for one."""
    config = full(**changes)
    for made in (forecast(config), informed(config, look(config))):
        for network in made.networks.values():
            for times in (network.escapes.value, network.rises.value):
                assert not np.isnan(times).any() and np.all(np.array(times) >= 0)
            assert network.floor.value is None or math.isfinite(network.floor.value)
            assert not any(map(math.isnan, network.incrementality))
    original = made.networks["original"].escapes.value
    few = changes.get("observed") == 0.01 or "width" in changes
    deficient = "observed" in changes or "sensing" in changes
    assert not deficient or original[-1] == math.inf
    assert math.isfinite(original[0]) and (np.isinf(original[1:]).all() or not few)


def test_a_typical_spectrum_is_said_to_be_one() -> None:
    """Until the facts are known; values that the config sets need none."""
    typical = forecast(full(spectrum="top")).networks["compressed"].escapes
    assert (typical.standing, typical.breaks) == ("heuristic", (TYPICAL,))
    assert forecast(full(spectrum="flat")).networks["compressed"].escapes.breaks == ()


def sentences(made: Forecast) -> str:
    return " ".join(each.sentence for each in made.warnings)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rank": 5, "rank_bound": 3}, ["below the rank 5", "last 2"]),
        ({"rank": 4, "rank_bound": 10}, ["above d − r = 8"]),
        ({"learning_rate": 1.2}, ["1.2 times the stability limit", "not settle"]),
        ({"learning_rate": 3.0}, ["3 times the stability limit", "diverge"]),
        ({"learning_rate": 0.8, "optimizer": "momentum"}, ["with momentum", "diverge"]),
        ({"steps": 20}, ["20 steps, fewer"]),
        ({"depth": 4, "init_scale": 1e-3, "steps": 9, "record_every": 1}, ["steps, fewer"]),
    ],
    ids=str,
)
def test_what_will_go_wrong_is_said_once_and_mended_by_its_button(
    changes: dict[str, Any], words: list[str]
) -> None:
    config = full(**({"init_scale": 0.1, "steps": 2000, "spectrum": "power-law"} | changes))
    made = forecast(config)
    [warning] = [each for each in made.warnings if words[0] in each.sentence]
    assert is_sentence(warning.sentence) and all(word in warning.sentence for word in words)
    mended = forecast(Config.from_dict(config.to_dict() | dict(warning.mend)))
    assert words[-1] not in sentences(mended)


def test_nothing_is_warned_of_at_the_settings_that_problems_suggest(ratings: Path) -> None:
    for problem in MATRICES:
        config = Config.from_dict({"problem": problem})
        assert sentences(forecast(config)) == sentences(informed(config, look(config))) == ""


def test_modes_that_a_narrow_network_cannot_hold_never_escape() -> None:
    made = forecast(full(rank=4, rank_bound=3))
    assert made.networks["compressed"].escapes.value[3] == math.inf
    assert made.to_dict()["escapes"][3] is None  # JSON has no infinity
    assert None not in made.to_dict()["networks"]["original"]["escapes"]


def test_the_first_mode_of_real_ratings_escapes_when_the_gradient_at_zero_says(
    ratings: Path,
) -> None:
    """MovieLens: within two per cent of the half of what it grows to, unknown beforehand."""
    config = Config.from_dict(
        {
            "problem": "movielens",
            "observed": 0.2,
            "learning_rate": 4,
            "rank_bound": 8,
            "steps": 1600,
            "record_every": 20,
        }
    )
    made = informed(config, look(config)).networks["compressed"]
    values = trained(config)["compressed"]["singular_values"]
    found = measured_escapes(20.0 * np.arange(len(values)), values, values[-1][:1])
    assert made.escapes.value[0] == pytest.approx(found[0], rel=0.02)
    assert made.floor.standing == "unknown" and made.floor.value is None


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    status = main(["forecast", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert status == 0, err
    return out


def test_the_command_prints_json_and_lines(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--problem", "factorization", "--rows", 20, "--cols", 20, "--rank", 2)
    made = json.loads(printed(capsys, *flags, "--json"))
    assert {"eta_star", "escapes", "floor", "operations", "memory"} <= set(made)
    assert len(made["escapes"]) == 2 and set(made["networks"]) == {"original", "compressed"}
    assert made["escapes"] == made["networks"]["compressed"]["escapes"]
    assert made["networks"]["original"]["standing"]["escapes"] == "exact"
    text = printed(capsys, *flags, "--optimizer", "adam", "--rank-bound", 1)
    assert "escapes     –" in text and "Warning: r̂ = 1" in text and "rescales" in text


def test_the_command_reads_a_published_run(
    capsys: pytest.CaptureFixture[str], shared: Path
) -> None:
    """Settings and target from the file; what it leaves open, or not, from flags."""
    folder = shared / "reference" / "published"
    made = json.loads(printed(capsys, "--reference", folder / "factorization.npz", "--json"))
    assert np.abs(np.array(made["escapes"]) / FIXTURE - 1).max() < 0.005
    assert made["floor"] == pytest.approx(5.0e-16, rel=1e-6)
    assert made["ratio"] == pytest.approx(0.008, abs=5e-4)
    open_alpha = ("--reference", folder / "ablation_alpha.npz", "--json", "--alpha")
    fast, slow = (json.loads(printed(capsys, *open_alpha, each))["escapes"] for each in (5, 0.5))
    assert fast[0] < slow[0] / 3


@pytest.mark.parametrize(
    "name", ["completion_d100_r5_L3", "completion_d60_r4_L2", "sensing_d20_r2_L3"]
)
def test_the_authors_first_escapes_are_forecast_from_their_files(shared: Path, name: str) -> None:
    file = shared / "reference" / f"{name}.npz"
    config, facts = read(file)
    with np.load(file) as content:
        values, steps = content["compressed_end_to_end_singular_values"], content["iteration"]
    found = measured_escapes(steps, values, facts["target_singular_values"][: config.rank])
    predicted = np.array(informed(config, facts).networks["compressed"].escapes.value)
    assert abs(predicted[0] / found[0] - 1) < 0.09 and (abs(predicted / found - 1) < 0.2).all()


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["forecast", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and is_sentence(err.strip())
    return err


def test_files_and_flags_that_make_no_sense_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, trajectory_file: Path
) -> None:
    """``trajectory_file`` has all that a forecast needs; each case takes something away."""
    printed(capsys, "--reference", trajectory_file)
    assert "rank is fixed" in refused(capsys, "--reference", trajectory_file, "--rank", 1)
    assert "α (alpha)" in refused(capsys, "--reference", trajectory_file, "--alpha", -1)
    assert "--alpha" in refused(capsys, "--alpha", "x")
    assert "No such file" in refused(capsys, "--reference", tmp_path / "none.npz")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(trajectory_file.read_bytes()[:500])
    assert str(broken) in refused(capsys, "--reference", broken)
    with np.load(trajectory_file) as content:
        arrays = dict(content)
    for key, value in (("config", "[]"), ("config", "{"), ("target", np.zeros(3)), ("r", None)):
        changed = arrays | ({key: value} if value is not None else {})
        if key == "r":
            stored = json.loads(str(arrays["config"]))
            changed["config"] = json.dumps({k: v for k, v in stored.items() if k != "r"})
        np.savez(broken, **changed)
        assert str(broken) in refused(capsys, "--reference", broken)


def test_data_that_are_not_there_are_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "u.data").write_text("no ratings\n")
    assert "u.data" in refused(capsys, "--problem", "movielens", "--data", tmp_path)
