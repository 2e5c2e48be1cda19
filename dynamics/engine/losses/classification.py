"""Classification: softmax cross-entropy of the classes of images."""

import copy
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.finite import finite
from dynamics.data import labelled
from dynamics.data.labelled import Labelled
from dynamics.engine.draws import generator
from dynamics.engine.problem import Pull, Task

SHOWN = 2000  # most images that a record's losses and accuracy read
PASS = 2000  # images that go through a backbone together


@dataclass(frozen=True)
class Images:
    """Images, n × channels × height × width, and the number of the class of each."""

    pixels: Float[Tensor, "n channels height width"]
    labels: Int[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> "Images":
        """The first images, at most ``count``."""
        return Images(self.pixels[:count], self.labels[:count])


class Classification(Task):
    """Mean cross-entropy −log softmax(h(x) W)_y of images x of class y, over a batch or all images.

    h are the features of a backbone and W is features × classes, so that its classes are the
    columns. Records read at most SHOWN images: the first ones of the training images, and of the
    held-out images, of which the last record reads all.

    Args:
        images: the training images.
        held: the held-out images.
        classes: how many classes there are.
        features: how many features the backbone has.
        backbone: the backbone at its start.
        batch: images of a mini-batch; 0 for all images in each step.
        seed: of the order of the images. Each epoch has an order of its own, and leaves out the
            images that do not fill a mini-batch.

    Raises:
        ValueError: if there are fewer training images than a mini-batch has, or no held-out image.
    """

    scale = 1.0

    def __init__(
        self,
        images: Images,
        held: Images,
        classes: int,
        features: int,
        backbone: nn.Module,
        batch: int = 0,
        seed: int = 0,
    ) -> None:
        if batch > len(images):
            raise ValueError(
                f"batch must be at most {len(images):,}, the number of training images; "
                f"{batch:,} was given."
            )
        if not len(images) or not len(held):
            raise ValueError("There must be at least one training image and one held-out image.")
        self.shape = (features, classes)
        self.measures = "cross-entropy, held-out images"
        self.size = batch or len(images)  # images of a step
        self._images, self._held, self._shown = images, held, held.first(SHOWN)
        self._start = self._behind = backbone
        self._parameters = _moving(backbone)
        self._whole, self._seed = not batch, seed

    def backbone(self) -> nn.Module:
        """Returns a new backbone at its start, the same at each call."""
        return copy.deepcopy(self._start)

    def behind(self, backbone: nn.Module | None) -> "Classification":
        """Returns the task of a network with this backbone, with mini-batches of its own.

        Raises:
            ValueError: if there is no backbone.
        """
        if backbone is None:
            raise ValueError("A network that tells classes apart needs a backbone.")
        task = copy.copy(self)
        task._behind, task._parameters, task.next_step = backbone, _moving(backbone), 0
        return task

    def at_end(self) -> "Classification":
        """Returns the task whose ``test_loss`` and ``accuracy`` read all held-out images."""
        task = copy.copy(self)
        task._shown = self._held
        return task

    def batch(self) -> tuple[Tensor, Tensor]:
        """The pixels and labels of the next step."""
        images = self._images
        if self._whole:
            return images.pixels, images.labels
        epoch, number = divmod(self.next_step, len(images) // self.size)
        self.next_step += 1
        rows = _order(self._seed, epoch, len(images))[number * self.size :][: self.size]
        rows = rows.to(images.labels.device)
        return images.pixels[rows], images.labels[rows]

    def pull(self, left: Tensor, right: Tensor) -> tuple[Pull, Pull]:
        """G · rightᵀ and Gᵀ · left for G = ∂loss/∂W = Hᵀ (softmax(H W) − Y)/n.

        H are the features of the n images of the next step, and Y has a row with a single 1 for
        each. Leaves the gradients of the backbone, from (softmax(H W) − Y) Wᵀ/n by autograd, in the
        ``grad`` of its parameters, unless they require none.
        """
        pixels, labels = self.batch()
        parameters = self._parameters
        with torch.set_grad_enabled(bool(parameters)):
            features = self._behind(pixels)
        matrix = left @ right
        known = features.detach()
        errors = torch.softmax(known @ matrix, 1)
        errors[torch.arange(len(labels), device=labels.device), labels] -= 1
        errors /= len(labels)
        if parameters:
            gradients = torch.autograd.grad(features, parameters, errors @ matrix.mT)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
        gradient = known.mT @ errors
        return (gradient, right.mT), (gradient.mT, left)

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Singular triplets of −∇loss(W = 0) = (1/n) Σ h (e_y − 1/K)ᵀ, features × classes.

        The sum is over all training images, with the features of the backbone at its start. For K
        classes its rank is at most K − 1.
        """
        left, values, right = self._gradient
        return left[:, :count], values[:count], right[:count]

    @functools.cached_property
    def _gradient(self) -> tuple[Tensor, Tensor, Tensor]:
        images = self._images
        total = images.pixels.new_zeros(self.shape)
        for features, labels in _features(self._start, images):
            errors = torch.full_like(features[:, :1], -1 / self.shape[1]).repeat(1, self.shape[1])
            errors[torch.arange(len(labels), device=labels.device), labels] += 1
            total += features.mT @ errors
        return torch.linalg.svd(finite(total / len(images)), full_matrices=False)

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """The mean cross-entropy of the training images, or of the first SHOWN of them."""
        logits, labels = self._logits(self._images.first(SHOWN), left, right)
        return nn.functional.cross_entropy(logits, labels)

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """The mean cross-entropy of the held-out images that records read."""
        return nn.functional.cross_entropy(*self._logits(self._shown, left, right))

    def accuracy(self, left: Tensor, right: Tensor) -> Tensor:
        """The share of the held-out images that records read whose largest logit is their class."""
        logits, labels = self._logits(self._shown, left, right)
        return (logits.argmax(1) == labels).to(logits).mean()

    def _logits(self, images: Images, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.cat([part for part, _ in _features(self._behind, images)])
        return features @ (left @ right), images.labels

    def operations(self, width: int) -> float:
        """Operations of ``pull`` and of its two products if ``right`` has ``width`` rows."""
        rows, cols = self.shape
        products = 3 if self._parameters else 2
        own = 2.0 * products * self.size * rows * cols
        return 6.0 * rows * cols * width + own + self._backbone_operations

    def layered_operations(self, sizes: list[int]) -> float:
        """Operations of a step whose features go through factors of these many parameters."""
        last = 0 if self._parameters else 2.0 * self.size * sizes[-1]
        return 6.0 * self.size * sum(sizes) - last + self._backbone_operations

    @property
    def look(self) -> float:  # type: ignore[override]
        """Operations of the features of all training images, and of their product with labels."""
        forward, _ = _counted(self._start, self._images.pixels[:1])
        return len(self._images) * (forward + 2.0 * self.shape[0] * self.shape[1])

    @property
    def facts(self) -> dict[str, list[Any]]:
        """The facts of every task, and the singular values of −∇loss(W = 0)."""
        return super().facts | {"gradient_singular_values": self._gradient[1].tolist()}

    @property
    def _backbone_operations(self) -> float:
        """Operations of the backbone's products in a step, and of their gradients if it moves."""
        forward, both = _counted(self._behind, self._images.pixels[:1])
        return self.size * (both if self._parameters else forward)


def prepared(config: Config, data: Labelled, held_out: int, like: Tensor) -> Classification:
    """The task of a config on a data set: split, standardised, with the config's label noise.

    Args:
        config: the settings.
        data: the data set.
        held_out: images to hold out if the data set has no test part of its own.
        like: a tensor of the precision and on the device of the images and the backbone.

    Raises:
        DataError: if the data cannot be split.
        ValueError: if the settings do not fit the data.
    """
    train, _, held = labelled.split(data, 0.0, held_out, config.seed_data)
    if config.images > len(train.labels):
        raise ValueError(
            f"images must be at most {len(train.labels):,}, the number of training images; "
            f"{config.images:,} was given."
        )
    if config.images:
        order = torch.randperm(len(train.labels), generator=generator("images", config.seed_data))
        rows = order[: config.images].numpy()
        train = labelled.Part(train.images[rows], train.labels[rows])
    train, held = labelled.standardised(train, held)
    classes = len(data.classes)
    labels = train.labels
    if config.label_noise:
        labels = labelled.noisy(labels, config.label_noise, classes, config.seed_noise)
    build = registry.load("backbones", config.backbone).build
    rng = generator("backbone", config.seed_backbone)
    shape = train.images.shape[1:]
    backbone: nn.Module = build(shape, config.features, config.activation, rng)
    return Classification(
        Images(torch.from_numpy(train.images).to(like), _on(labels, like)),
        Images(torch.from_numpy(held.images).to(like), _on(held.labels, like)),
        classes,
        config.features,
        backbone.to(like),
        config.batch,
        config.seed_data,
    )


def _on(labels: labelled.Labels, like: Tensor) -> Tensor:
    return torch.from_numpy(labels).to(like.device)


def _moving(backbone: nn.Module) -> list[nn.Parameter]:
    return [each for each in backbone.parameters() if each.requires_grad]


def _features(backbone: nn.Module, images: Images) -> Iterator[tuple[Tensor, Tensor]]:
    """The features and labels of images, PASS at a time."""
    with torch.no_grad():
        parts = (torch.split(each, PASS) for each in (images.pixels, images.labels))
        for pixels, labels in zip(*parts, strict=True):
            yield backbone(pixels), labels


def _counted(backbone: nn.Module, pixels: Tensor) -> tuple[float, float]:
    """Operations of a backbone's products forward, and forward and back, for these images."""
    trained = copy.deepcopy(backbone).requires_grad_()
    with FlopCounterMode(display=False) as counter:
        features = trained(pixels)
        forward = counter.get_total_flops()
        torch.autograd.backward(features.sum())
    return float(forward), float(counter.get_total_flops())


@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> Tensor:
    """The order of the images in one epoch."""
    return torch.randperm(count, generator=generator(f"order of epoch {epoch}", seed))
