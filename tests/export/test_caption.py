"""Caption: the words under a figure say what it shows and how it came about."""

import pytest

from dynamics.core.config import Config
from dynamics.core.description import labels
from dynamics.draw import waterfall
from dynamics.export.caption import about
from dynamics.export.caption import of_attribution as waterfall_caption
from dynamics.findings import attribution
from tests.support.make import recorded, small


def test_each_compared_run_has_a_label_of_its_own() -> None:
    """By the few settings that tell them apart; by its key where those are many, or none at all."""
    first = small(alpha=2.0)
    other = {"depth": 4, "rank_bound": 3, "learning_rate": 0.5, "init_scale": 0.2, "seed_data": 7}
    alone = {"networks": ("original",)}
    assert labels([first, small(alpha=3.0, **alone)]) == ["α = 2.0", "α = 3.0"]
    for each in (small(alpha=3.0, **other), small(alpha=2.0, **alone), small(problem="sensing")):
        told = labels([first, each])
        keys = [config.key[:6] for config in (first, each)]
        assert [label.split()[-1] for label in told] == keys


def test_the_seed_of_a_backbone_is_told_where_there_is_one() -> None:
    for problem in ("completion", "digits"):
        caption = about([Config.from_dict({"problem": problem})], "losses").caption
        assert ("backbone 0" in caption) == ("cross-entropy" in caption) == (problem == "digits")


def test_seeds_are_told_in_a_few_signs() -> None:
    """A line has room for no more: one number where all are the same, else each that differs."""

    def drawn(seed: int, data: int) -> Config:
        return small(seed_target=seed, seed_data=data, seed_noise=seed, seed_init=seed)

    assert labels([drawn(1, 1), drawn(2, 2)]) == ["seed 1", "seed 2"]
    assert labels([drawn(1, 7), drawn(2, 8)]) == ["seeds 1, 7, 1, 1", "seeds 2, 8, 2, 2"]
    assert labels([small(seed_init=4), small(alpha=3.0)]) == ["α = 2.0, seed 4", "α = 3.0, seed 0"]


def test_a_caption_names_dashes_only_where_there_are_lines() -> None:
    captions = {
        panel: about([Config()], panel).caption
        for panel in (
            "recovery_error",
            "heat_maps",
            "spectrum_over_time/original",
            "losses/original",
        )
    }
    dashed = {panel for panel, words in captions.items() if "(solid)" in words}
    assert dashed == {"recovery_error"}
    assert all("original network" in words for words in captions.values())


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("factorization", "½ mean square over all entries; test loss: the same"),
        ("semantic", "½ mean square over all entries; test loss: the same"),
        ("photograph", "over the observed entries; test loss: the same over all others"),
        ("movielens", "over the ratings that are seen; test loss: the same over the others"),
        ("sensing", "½ Σ (⟨A_i, W⟩ − y_i)²; test loss: ‖W − M*‖_F / ‖M*‖_F"),
    ],
)
def test_losses_are_defined_for_each_problem(problem: str, said: str) -> None:
    """Also where one of them is compared over runs; not where the runs have different ones."""
    config = Config.from_dict({"problem": problem})
    assert said in about([config], "losses").caption
    assert said in about([config, config], "test_loss").caption
    other = Config.from_dict({"problem": "sensing" if problem != "sensing" else "completion"})
    assert "Train loss:" not in about([config, other], "train_loss").caption


def test_many_values_of_a_setting_are_a_range() -> None:
    many = [small(alpha=float(each)) for each in range(1, 11)]
    caption = about(many, "recovery_error").caption
    assert "α = 1 to 10 (10 values)" in caption and "N = 10 runs" in caption
    few = about(many[:3], "recovery_error").caption
    assert "α = 1, 2, 3;" in few


def test_a_caption_of_causes_says_how_to_read_the_bars_and_what_draws_them_again() -> None:
    config = small(problem="factorization", steps=600, networks=attribution.networks(small()))
    seeds = attribution.ladder(config, 2)
    made = attribution.attribute(config, [recorded(each) for each in seeds], "0.5")
    words = waterfall_caption(made, seeds)
    assert waterfall.reading(made) in words.caption and "N = 2 seeds." in words.caption
    assert "a recovery error of 0.5" in words.caption
    assert words.source.startswith("python -m dynamics attribution --problem factorization")
    assert words.source.endswith("--seeds 2 --level 0.5") and "--networks" not in words.source


def test_a_caption_of_classes_names_images_backbone_and_what_theory_is() -> None:
    for changes, words in (
        ({}, "its times are a forecast"),
        ({"place": "hidden", "networks": "original"}, "no forecast for a hidden layer"),
    ):
        config = Config.from_dict({"problem": "digits"} | changes)
        caption = about([config], "singular_values").caption
        assert words in caption and "target's" not in caption
        for part in ("10 classes", "1,400 training images", "8 × 8 pixels", "backbone = mlp",
                     f"place of the factors = {config.place}", "B = 64", "ε = 0.1", "α = 1",
                     "η = 0.05", "optimizer = momentum", "backbone 0"):  # fmt: skip
            assert part in caption, part
    assert "times are a forecast" not in about([Config()], "singular_values").caption
