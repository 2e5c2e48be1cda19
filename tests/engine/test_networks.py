"""Networks: each is what its file says of it, and differs from its neighbour in one thing only."""

import dataclasses
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch

from dynamics.core import traits
from dynamics.core.config import NETWORK_SETTINGS, Config, choices
from dynamics.core.rates import alpha
from dynamics.core.sizes import widths
from dynamics.draw.look import COLORS, DASHES
from dynamics.engine.training.comparison import Comparison, prepare
from dynamics.findings.story import story
from tests.support.make import is_sentence, recorded, relative, small

# The others tell classes apart: test_digits.
ALL = tuple(name for name in choices("networks") if not traits.network(name).classifies)
TRAINED = tuple(name for name in ALL if not traits.network(name).reduced)
VARIANTS = {
    "original_alpha": "original",
    "original_spectral_alpha": "original_spectral",
    "compressed_even": "compressed",
    "narrow_random_alpha": "narrow_random",
}


def made(networks: tuple[str, ...] = ALL, **changes: object) -> Comparison:
    return prepare(small(problem="factorization", networks=networks, **changes))


@pytest.mark.parametrize("network", ALL)
def test_a_network_is_what_its_constants_say(network: str) -> None:
    """Pages and forecasts read the constants alone; here they meet the factors."""
    comparison = made((network,), alpha=3.0, alpha_original=0.5)
    built = comparison.networks[network]
    assert built.widths == widths(comparison.config, network)
    assert (built.widths[1] == 4) == traits.network(network).narrow
    assert built.alpha == alpha(comparison.config, network)
    assert bool(built.reduction) == traits.network(network).reduced
    left, _, _ = comparison.problem.surrogate(2)
    aligned = relative(built.factors[-1][:, :2] / 0.1, left) < 1e-12
    assert aligned == traits.network(network).spectral


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_differs_from_its_namesake_by_alpha_alone(variant: str) -> None:
    """The same first factors; with α = α₀ the same course to the last digit, else another."""
    pair = (VARIANTS[variant], variant)
    first, second = (made(pair, alpha=3.0).networks[name] for name in pair)
    assert all(torch.equal(a, b) for a, b in zip(first.factors, second.factors, strict=True))
    for alpha_original, same in ((3.0, True), (1.0, False)):
        config = small(networks=pair, alpha=3.0, alpha_original=alpha_original)
        ours, theirs = (each.series["train_loss"] for each in recorded(config))
        assert np.array_equal(ours, theirs) == same


@pytest.mark.parametrize(("rows", "cols", "width"), [(12, 12, 0), (9, 14, 0), (12, 12, 17)])
def test_a_wide_network_with_spectral_start_learns_as_the_compressed_one(
    rows: int, cols: int, width: int
) -> None:
    """On a full target modes are independent: width adds none that has anything to learn."""
    config = small(
        problem="factorization", rows=rows, cols=cols, width=width, steps=200,
        networks="original_spectral,compressed_even", tolerance=0,
    )  # fmt: skip
    narrow, wide = (each.series["singular_values"] for each in recorded(config))
    assert wide[-1, 0] > 10 * wide[0, 0]
    np.testing.assert_allclose(wide[:, :2], narrow[:, :2], rtol=1e-12)


@pytest.mark.parametrize("initialization", ["orthogonal", "normal"])
def test_a_narrow_random_start_has_the_size_of_a_spectral_one(initialization: str) -> None:
    """Factors of equal Frobenius norm, drawn by a seed of the original's but not as it."""
    config = {"rows": 9, "cols": 14, "initialization": initialization, "seed_init": 3}
    networks = made(("narrow_random", "compressed"), **config).networks
    found, like = (networks[name].factors for name in ("narrow_random", "compressed"))
    for ours, theirs in zip(found, like, strict=True):
        assert ours.shape == theirs.shape
        exact = initialization == "orthogonal"
        assert float(ours.norm() / theirs.norm()) == pytest.approx(1, abs=1e-12 if exact else 0.4)
    other = made(("narrow_random",), **(config | {"seed_init": 4})).networks["narrow_random"]
    assert not torch.equal(other.factors[0], found[0])


@pytest.mark.parametrize("unit", ["absolute", "limit"])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_an_equal_margin_is_the_same_share_of_every_limit(unit: str, depth: int) -> None:
    """η/η* is one number for all networks; counted in limits it is the number that was given."""
    comparison = made(
        TRAINED, equal="margin", rate_unit=unit, learning_rate=0.4, depth=depth, alpha=4.0
    )
    limits = dict(zip(comparison.networks, comparison.facts["stability_limits"], strict=True))
    shares = [comparison.rate(name) / limits[name] for name in TRAINED]
    assert len({round(limit, 12) for limit in limits.values()}) == 2
    np.testing.assert_allclose(shares, shares[0], rtol=1e-12)
    if unit == "limit":
        assert shares[0] == pytest.approx(0.4, rel=1e-12)
    else:
        assert comparison.rate("original") == 0.4


def test_an_equal_margin_trains_at_the_smaller_rate() -> None:
    """α = 8, L = 3: the compressed network moves as with a quarter of η, the original as before."""
    settings = {"alpha": 8.0, "steps": 100}
    margin = recorded(small(learning_rate=0.4, equal="margin", **settings))
    alone = {rate: recorded(small(learning_rate=rate, **settings)) for rate in (0.4, 0.1)}
    for place, rate in ((0, 0.4), (1, 0.1)):
        found, wanted = (each[place].series["train_loss"] for each in (margin, alone[rate]))
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_every_network_is_told_apart_in_colour_and_in_grey() -> None:
    """A colour and a dash of its own, and a name in words."""
    networks = [name for name in choices("networks") if not traits.network(name).reduced]
    assert set(COLORS) == set(DASHES) == set(networks)
    for one, other in combinations(networks, 2):
        assert COLORS[one] != COLORS[other]
        assert DASHES[one] != DASHES[other]
    names = [traits.short_name(name) for name in choices("networks")]
    assert len(set(names)) == len(names)
    assert not any("_" in name or "network" in name for name in names)


@pytest.mark.parametrize("problem", ["completion", "factorization", "sensing"])
def test_all_networks_at_once_are_told_in_sentences(problem: str) -> None:
    config = Config(**{**small(problem=problem).to_dict(), "networks": ",".join(TRAINED)})
    sentences = story(config, recorded(config))
    assert all(is_sentence(each) for each in sentences), sentences
    for name in TRAINED:
        assert (
            sum(each.startswith(f"The {traits.full_name(name)} reached") for each in sentences) == 1
        )


UNREAD: dict[str, Any] = {"width": 14, "initialization": "normal", "alpha_original": 2.0}


def outcome(config: Config) -> Any:
    """All that a run records, or why it cannot be trained."""
    try:
        comparison = prepare(config)
        records = [next(iter(each.values())) for each in comparison if each]
    except ValueError as error:
        return str(error)
    values = [{name: array.tolist() for name, array in each.values.items()} for each in records]
    return dict(comparison.facts), [each.step for each in records], values


@pytest.mark.parametrize("setting", UNREAD)
@pytest.mark.parametrize("network", ALL)
def test_a_setting_that_a_network_does_not_read_changes_neither_records_nor_key(
    network: str, setting: str
) -> None:
    """One that it reads changes both: equal runs have equal keys, others have not."""
    assert set(UNREAD) == set(NETWORK_SETTINGS)
    one = small(problem="factorization", networks=network, steps=20)
    other = dataclasses.replace(one, **{setting: UNREAD[setting]})
    read = setting in traits.network(network).decided_by
    assert (one.key != other.key) == read
    assert (outcome(one) != outcome(other)) == read


def test_a_rate_that_changes_during_the_run_counts_though_no_network_reads_it() -> None:
    """A change makes a record of its own, so the run is a different one."""
    config = small(networks="compressed", alpha_original=3.0, changes="15:alpha_original=2")
    assert config.canonical().alpha_original == 3
    assert config.canonical().key == config.key
    equal = dataclasses.replace(config, alpha_original=2.0)  # what is changed to the same is none
    assert equal.key == small(networks="compressed").key


def test_the_seed_of_the_first_factors_is_read_by_random_starts_alone() -> None:
    for name in ALL:
        read = "seed_init" in traits.network(name).reads
        one, other = (
            outcome(small(problem="factorization", networks=name, steps=1, seed_init=seed))
            for seed in (0, 1)
        )
        assert (one != other) == read, name
