"""A completion kept as a list of observed entries is the same problem as with whole matrices."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.cost import listed
from dynamics.data.folder import DataError
from dynamics.engine.draws import given, low_rank, mask
from dynamics.engine.factors import spectral
from dynamics.engine.losses.entries import Entries, kept_apart, sampled
from dynamics.engine.losses.masked import Masked
from dynamics.engine.measurements import validation_error
from dynamics.engine.network import Network
from dynamics.engine.steps.plain import Descent
from dynamics.engine.training.comparison import prepare
from tests.support.make import is_sentence

LIKE = torch.empty(0, dtype=torch.float64)


def problems(**settings: object) -> tuple[Entries, Masked]:
    """The same completion, as a list and with whole matrices."""
    config = Config.from_dict({"rows": 70, "cols": 45, "observed": 0.1, **settings})
    target = low_rank(config)
    return sampled(config, target, LIKE), Masked(target, mask(config), given(config, target, LIKE))


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("spectrum", ["top", "flat"])
def test_the_same_entries_are_observed_with_the_same_noise(noise: float, spectrum: str) -> None:
    """Who switches between the two forms by adding a network must not get other data."""
    ours, whole = (problem.samples for problem in problems(noise=noise, spectrum=spectrum))
    assert torch.equal(ours.starts, whole.starts)
    assert torch.equal(ours.places, whole.places)
    torch.testing.assert_close(ours.values, whole.values, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_validation_part_is_taken_from_what_is_observed(noise: float) -> None:
    """What is trained on and what is kept apart are all that would be observed, and once each."""
    settings = {"rows": 70, "cols": 45, "observed": 0.3, "noise": noise}
    whole, config = (Config.from_dict(settings | {"validation": share}) for share in (0.0, 0.25))
    target = low_rank(config)
    given_ = target.dense + (given(config, target, LIKE) - target.dense if noise else 0.0)
    kept = kept_apart(config, target, LIKE)
    assert kept is not None and kept_apart(whole, target, LIKE) is None
    apart = torch.zeros(70, 45, dtype=torch.bool)
    apart[kept.negative.to_sparse_coo().indices().unbind()] = True
    assert not (mask(config) & apart).any() and torch.equal(mask(config) | apart, mask(whole))
    assert int(apart.sum()) == pytest.approx(0.25 * int(mask(whole).sum()), rel=0.15)
    torch.testing.assert_close(kept.values, given_[apart], rtol=0, atol=1e-13)
    for problem in (sampled(config, target, LIKE), prepare(config).problem):
        assert problem.samples is not None
        assert len(problem.samples.values) == int(mask(config).sum())
    none = torch.zeros(70, 1).double(), torch.zeros(1, 45).double()
    error = validation_error.measure(
        SimpleNamespace(left=none[0], right=none[1]),
        prepare(config).problem,  # type: ignore[arg-type]
    )
    assert error is not None and float(error) == pytest.approx(1)  # W = 0 misses all of it


def test_a_validation_part_without_an_entry_is_refused() -> None:
    config = Config.from_dict({"rows": 4, "cols": 4, "observed": 0.5, "validation": 1e-6})
    with pytest.raises(DataError, match="keeps none of the 8 observed entries apart") as caught:
        prepare(config)
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize("rows", [16, 17, 31, 33, 47, 48])
def test_blocks_of_rows_hold_the_numbers_of_one_draw(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Normal numbers come in groups of 16: a last block that is too small would shift them."""
    settings = {"rows": rows, "cols": 3, "rank": 2, "rank_bound": 2, "noise": 0.1, "observed": 1}
    _, whole = problems(**settings)
    monkeypatch.setattr("dynamics.engine.draws.BLOCK", 48)
    ours, _ = problems(**settings)
    torch.testing.assert_close(ours.samples.values, whole.samples.values, rtol=0, atol=1e-13)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_losses_of_the_list_are_those_of_the_whole_matrices(noise: float) -> None:
    """The test loss is all minus what is observed: no unobserved entry is ever computed."""
    ours, whole = problems(noise=noise)
    draw = torch.Generator().manual_seed(1)
    left, right = torch.randn(70, 4, generator=draw), torch.randn(4, 45, generator=draw)
    for name in ("train_loss", "test_loss"):
        found, wanted = (
            getattr(each, name)(left.double(), right.double()) for each in (ours, whole)
        )
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=0)


def test_training_on_the_list_equals_training_on_whole_matrices() -> None:
    """The plain path on sparse residuals, without any kernel."""
    plain, factors = registry.load("optimizers", "gradient_descent"), []
    for problem in problems():
        left, _, right = problems()[1].surrogate(6)
        network = Network(spectral(left, right, 3, 0.3), 2.0)
        Descent(network, problem, plain, 5.0).step(50)
        factors.append(network.factors)
    for ours, whole in zip(*factors, strict=True):
        torch.testing.assert_close(ours, whole, rtol=0, atol=1e-12 * float(whole.abs().max()))


def test_a_list_is_kept_for_large_and_sparse_matrices_alone() -> None:
    """The rule of docs/performance.md; the original network needs whole matrices anyway."""
    large = {"rows": 600, "cols": 600, "networks": ("compressed",), "observed": 0.05}
    assert listed(Config(**large))
    assert not listed(Config(**large | {"observed": 0.3}))
    assert not listed(Config(**large | {"rows": 100}))
    assert not listed(Config(**large | {"networks": ("original", "compressed")}))


@pytest.mark.slow
def test_a_matrix_of_20000_rows_trains_within_a_gigabyte() -> None:
    """One whole array of it would take 3.2 GB.

    Read as VmHWM: ru_maxrss counts what the process that starts this one had, too.
    """
    script = (
        "from dynamics.core.config import Config\n"
        "from dynamics.engine.training.comparison import prepare\n"
        "c = Config(rows=20_000, cols=20_000, spectrum='flat', observed=0.001, steps=20,\n"
        "           record_every=10, networks=('compressed',), rate_unit='limit',\n"
        "           learning_rate=0.3, init_scale=0.5)\n"
        "losses = [r['compressed'].values['train_loss'] for r in prepare(c) if r]\n"
        "assert losses[0] > losses[1] > losses[2]\n"
        "print(*(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 1_000_000
