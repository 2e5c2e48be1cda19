"""Labelled data: the digits, and how images are split, scaled and given wrong labels."""

from collections.abc import Callable

import numpy as np
import pytest

from dynamics.data.digits import digits
from dynamics.data.folder import DataError
from dynamics.data.labelled import Labelled, Labels, Part, draws, noisy, split, standardised
from tests.support.make import is_sentence


def numbered(labels: list[int], held: int = 0) -> Labelled:
    """Images of one pixel, whose value is their number; the held ones are numbered from 1000."""

    def images(start: int, count: int) -> np.ndarray:
        return np.arange(start, start + count, dtype=np.float32).reshape(-1, 1, 1, 1)

    names = tuple(str(label) for label in range(max(labels) + 1))
    test = (images(1000, held), np.zeros(held, dtype=np.int64)) if held else (None, None)
    return Labelled(images(0, len(labels)), np.array(labels), *test, names)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(DataError) as caught:
        call()
    assert is_sentence(str(caught.value)), str(caught.value)
    return str(caught.value)


def test_digits_are_those_of_scikit_learn() -> None:
    found = digits()
    assert found.images.shape == (1797, 1, 8, 8) and found.images.dtype == np.float32
    assert (found.images.min(), found.images.max()) == (0, 1)
    assert list(found.labels[:10]) == list(range(10)) and found.labels.dtype == np.int64
    assert found.classes == tuple("0123456789") and found.held_images is found.held_labels is None
    # The first rows of the first image, a zero, with brightness in sixteenths.
    assert list(found.images[0, 0, 0] * 16) == [0, 0, 5, 13, 9, 1, 0, 0]


def test_every_image_is_in_one_part() -> None:
    """Parts keep the order of the data set, and images keep their labels."""
    data = numbered([0, 1, 2, 3] * 25)
    parts = split(data, 0.25, 20, seed=3)
    assert [len(part.labels) for part in parts] == [60, 20, 20]
    numbers = [part.images.ravel() for part in parts]
    assert sorted(np.concatenate(numbers)) == list(range(100))
    for part, order in zip(parts, numbers, strict=True):
        assert (np.diff(order) > 0).all()
        assert (part.labels == data.labels[order.astype(int)]).all()


def test_parts_have_the_same_share_of_every_class() -> None:
    """Digits: between 174 and 183 images a class, so that exact shares are not whole numbers."""
    data = digits()
    whole = np.bincount(data.labels) / len(data.labels)
    for seed in range(5):
        for part in split(data, 0.13, 500, seed):
            exact = whole * len(part.labels)
            assert np.abs(np.bincount(part.labels) - exact).max() < 2


@pytest.mark.parametrize(
    ("labels", "held_out", "left"),
    [
        ([0] * 20 + [1, 2, 3], 8, [12, 1, 1, 1]),  # a class's last image stays
        ([0, 0, 1, 1, 2, 2], 3, [1, 1, 1]),
        ([0, 1, 2, 3, 4, 5], 4, [0, 0, 0, 0, 1, 1]),  # every image is its class's last
        ([0] * 5 + [2] * 5, 4, [3, 0, 3]),  # nothing has the label 1
        ([0, 0, 0, 1], 3, [1, 0]),
    ],
)
def test_rare_classes_stay_in_training_as_far_as_possible(
    labels: list[int], held_out: int, left: list[int]
) -> None:
    train, _, held = split(numbered(labels), 0, held_out, seed=0)
    assert list(np.bincount(train.labels, minlength=len(left))) == left
    assert len(held.labels) == held_out


def test_a_published_test_part_is_the_held_out_one() -> None:
    data = numbered([0, 1] * 20, held=7)
    train, validation, held = split(data, 0.1, 11, seed=0)
    assert held.images is data.held_images and held.labels is data.held_labels
    assert (len(train.labels), len(validation.labels)) == (36, 4)


def test_the_seed_decides_and_validation_does_not_change_what_is_held_out() -> None:
    data = numbered([0, 1, 2] * 40)
    one, same, other, more = (
        split(data, share, 30, seed) for share, seed in ((0.2, 1), (0.2, 1), (0.2, 2), (0.4, 1))
    )
    for mine, again, different in zip(one, same, other, strict=True):
        assert (mine.images == again.images).all()
        assert not np.array_equal(mine.images, different.images)
    assert (one[2].images == more[2].images).all()
    published = numbered([0, 1, 2] * 40, held=7)
    one, other = (split(published, 0.2, 0, seed) for seed in (1, 2))
    assert not np.array_equal(one[1].images, other[1].images)


def test_validation_is_left_out_by_a_share_of_0() -> None:
    train, validation, held = split(digits(), 0, 297, seed=0)
    assert (len(train.labels), len(validation.labels), len(held.labels)) == (1500, 0, 297)
    assert validation.images.shape == (0, 1, 8, 8)


@pytest.mark.parametrize(
    ("validation", "held_out", "words"),
    [
        (0.2, 0, ["10 images", "0 cannot be held out"]),
        (0.2, 10, ["10 images", "10 cannot be held out"]),
        (0.2, -1, ["-1 cannot"]),
        (0.01, 5, ["0.01 of 5 images has 0"]),
        (0.99, 5, ["0.99 of 5 images has 5"]),
        (1, 5, ["below 1, not 1"]),
        (-0.1, 5, ["not -0.1"]),
        (float("nan"), 5, ["not nan"]),
    ],
)
def test_an_empty_part_is_refused(validation: float, held_out: int, words: list[str]) -> None:
    sentence = refused(lambda: split(numbered([0, 1] * 5), validation, held_out, seed=0))
    assert all(word in sentence for word in words), sentence


def test_standardised_channels_have_mean_0_and_deviation_1_in_training_alone() -> None:
    """Two channels of different scale; blocks are smaller than the images."""
    rng = np.random.default_rng(0)
    images = rng.normal([[[3.0]], [[-500.0]]], [[[0.1]], [[200.0]]], (9000, 2, 16, 16))
    shift = np.array([1.0, 0.0]).reshape(2, 1, 1)
    parts = [
        Part(some.astype(np.float32), np.zeros(len(some), dtype=np.int64))
        for some in (images, images[:50] + shift)
    ]
    train, other = standardised(*parts)
    assert train.images.dtype == np.float32
    flat = train.images.astype(float)
    assert np.abs(flat.mean((0, 2, 3))).max() < 1e-6
    assert np.abs(flat.std((0, 2, 3)) - 1).max() < 1e-6
    # The other part is moved as the training part is: its first channel by 1 / 0.1.
    difference = (other.images - train.images[:50]).mean((0, 2, 3))
    assert difference == pytest.approx([10, 0], abs=0.01)
    assert (parts[0].images == images.astype(np.float32)).all()  # the raw values are kept


def test_a_constant_channel_becomes_zero() -> None:
    """Also 0.1, whose sums are rounded in float32; an empty part stays empty."""
    images = np.full((1001, 3, 1, 1), 0.1, dtype=np.float32)
    images[:, 1] = 7
    images[:, 2, 0, 0] = np.arange(1001)
    labels = np.zeros(1001, dtype=np.int64)
    train, other, empty = standardised(
        Part(images, labels), Part(images[:2] + 1, labels[:2]), Part(images[:0], labels[:0])
    )
    assert (train.images[:, :2] == 0).all()
    assert other.images[:, :2] == pytest.approx(np.ones((2, 2, 1, 1)))
    assert empty.images.shape == (0, 3, 1, 1)


def test_numbers_that_become_infinite_are_refused() -> None:
    """A column of 0 and 1e-40 has a deviation by which 1 cannot be divided in float32."""
    labels = np.zeros(2, dtype=np.int64)
    train = Part(np.array([0, 1e-40], dtype=np.float32).reshape(2, 1, 1, 1), labels)
    other = Part(np.ones((2, 1, 1, 1), dtype=np.float32), labels)
    assert "nearly constant" in refused(lambda: standardised(train, other))


def test_noise_replaces_the_share_by_other_classes_drawn_uniformly() -> None:
    labels = np.repeat(np.arange(4), 3000)
    found = noisy(labels, 0.4, 4, seed=5)
    wrong = found != labels
    assert wrong.sum() == 4800 and found.dtype == np.int64
    for label in range(4):
        others = np.bincount(found[wrong & (labels == label)], minlength=4)
        assert others[label] == 0
        # 400 expected in each of the three, with a deviation of 18.
        assert (np.abs(np.delete(others, label) - 400) < 90).all()


def test_more_noise_replaces_the_same_labels_and_more() -> None:
    labels: Labels = np.arange(1000) % 10
    little, much = noisy(labels, 0.1, 10, seed=1), noisy(labels, 0.5, 10, seed=1)
    changed = little != labels
    assert (little[changed] == much[changed]).all() and (much != labels).sum() == 500
    assert (noisy(labels, 0, 10, seed=1) == labels).all()
    assert (noisy(labels, 1, 10, seed=1) != labels).all()
    assert not np.array_equal(little, noisy(labels, 0.1, 10, seed=2))


@pytest.mark.parametrize(("share", "classes"), [(-0.1, 3), (1.1, 3), (float("nan"), 3), (0.5, 1)])
def test_noise_that_cannot_be_drawn_is_refused(share: float, classes: int) -> None:
    refused(lambda: noisy(np.zeros(4, dtype=np.int64), share, classes, seed=0))


def test_purposes_have_generators_of_their_own() -> None:
    first = [draws(purpose, seed).random() for purpose in "ab" for seed in (0, 1)]
    assert len(set(first)) == 4 and draws("a", 0).random() == first[0]
