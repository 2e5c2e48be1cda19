"""Classification: softmax cross-entropy of the classes of images."""

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.finite import finite
from dynamics.core.records import HELD_OUT
from dynamics.data import labelled
from dynamics.data.labelled import Labelled
from dynamics.engine.around import Around
from dynamics.engine.draws import generator
from dynamics.engine.factors import Factors
from dynamics.engine.losses import memory
from dynamics.engine.problem import Pull, Task

# Most images of each part that a record reads.
SHOWN = {"train": 500, "validation": HELD_OUT, "held": HELD_OUT}
PLACED = 200  # most held-out images whose inner coordinates records have
TIED = 0.99  # entries at least this share of a vector's largest count as the largest, too
PASS = 2000  # images that go through a backbone together
Part = Literal["train", "validation", "held"]


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


class Chain(Protocol):
    """The factors W_1, …, W_L of a network at one moment, and their product; a State is one."""

    @property
    def factors(self) -> Factors:
        """W_1, …, W_L."""

    @property
    def product(self) -> Tensor:
        """W_L ⋯ W_1."""


class Halves(NamedTuple):
    """A Chain of two factors."""

    factors: Factors
    product: Tensor


class Classification(Task):
    """Mean cross-entropy −log softmax(h(x) W)_y of images x of class y, over a batch or all images.

    h are the features of a backbone and W is features × classes, so that its classes are the
    columns. If the backbone is an ``Around``, W is features × features, and the scores are
    V σ(h(x) W) in place of h(x) W. Records read the first images of each part, at most SHOWN of
    them, and the last record all held-out images.

    Measurements ask ``task.behind(state.backbone)``, which is a task at one moment, for ``logits``
    and ``labels`` of a part. The images go through the backbone once until its next step, however
    many measurements ask. A backbone that stays as it is
    sees each image once for all networks, also in training.

    Args:
        images: the training images.
        held: the held-out images.
        classes: the names of the classes.
        features: how many features the backbone has.
        backbone: the backbone at its start.
        batch: images of a mini-batch; 0 for all images in each step.
        seed: of the order of the images. Each epoch has an order of its own, and leaves out the
            images that do not fill a mini-batch.
        validation: images that tell when to stop; None for no such part.
        steps: of a run.
        record_every: steps between two records.
        sharpness: at how many moments of a run the sharpness is measured.

    Raises:
        ValueError: if there are fewer training images than a mini-batch has, or no held-out image.
    """

    scale = 1.0

    def __init__(
        self,
        images: Images,
        held: Images,
        classes: Sequence[str],
        features: int,
        backbone: nn.Module,
        batch: int = 0,
        seed: int = 0,
        validation: Images | None = None,
        steps: int = 1,
        record_every: int = 1,
        sharpness: int = 0,
    ) -> None:
        if batch > len(images):
            raise ValueError(
                f"batch must be at most {len(images):,}, the number of training images; "
                f"{batch:,} was given."
            )
        if not len(images) or not len(held):
            raise ValueError("There must be at least one training image and one held-out image.")
        self.shape = (features, features if isinstance(backbone, Around) else len(classes))
        self.linear = not (isinstance(backbone, Around) and backbone.inside)
        self.classes = tuple(classes)
        self.measures = "cross-entropy, held-out images"
        self.size = batch or len(images)  # images of a step
        self._images, self._held = images, held
        parts = {"train": images, "validation": validation, "held": held}
        self._shown = {
            name: part.first(SHOWN[name]) for name, part in parts.items() if part is not None
        }
        self._kept: dict[tuple[str, int], Tensor] = {}  # features, by part and number of images
        self._told: dict[str, tuple[Tensor, Tensor]] = {}  # by part, the last W and its logits
        self._start = self._behind = backbone
        self._parameters = _moving(backbone)
        self._whole, self._seed = not batch, seed
        self.steps, self.record_every, self.sharpness = steps, record_every, sharpness

    def backbone(self) -> nn.Module:
        """Returns a new backbone at its start, the same at each call."""
        return copy.deepcopy(self._start)

    def behind(self, backbone: nn.Module | None) -> "Classification":
        """Returns the task of a network with this backbone, with mini-batches of its own.

        It is this task if that is its backbone already.

        Raises:
            ValueError: if there is no backbone.
        """
        if backbone is None:
            raise ValueError("A network that tells classes apart needs a backbone.")
        if backbone is self._behind:
            return self
        task = copy.copy(self)
        task._behind, task._parameters, task.next_step = backbone, _moving(backbone), 0
        task._told = {}
        if task._parameters or not _alike(backbone, self._start):
            task._kept = {}
        return task

    def at_end(self) -> "Classification":
        """Returns the task whose ``test_loss`` and ``accuracy`` read all held-out images."""
        task = copy.copy(self)
        task._shown, task._told = self._shown | {"held": self._held}, dict(self._told)
        return task

    def batch(self) -> tuple[Tensor, Tensor]:
        """The pixels and labels of the next step."""
        rows = self._rows()
        return self._images.pixels[rows], self._images.labels[rows]

    def seen(self) -> tuple[Tensor, Tensor]:
        """The features and labels of the next step; autograd goes on into a backbone that moves."""
        if not self._parameters:
            rows = self._rows()
            return self._every[rows], self._images.labels[rows]
        pixels, labels = self.batch()
        with torch.enable_grad():
            return self._behind(pixels), labels

    def _rows(self) -> slice | Tensor:
        """Which images the next step reads."""
        if self._parameters:
            self._kept, self._told = {}, {}
        if self._whole:
            return slice(None)
        images = self._images
        epoch, number = divmod(self.next_step, len(images) // self.size)
        self.next_step += 1
        rows = _order(self._seed, epoch, len(images))[number * self.size :][: self.size]
        return rows.to(images.labels.device)

    def pull(self, left: Tensor, right: Tensor) -> tuple[Pull, Pull]:
        """G · rightᵀ and Gᵀ · left for G = ∂loss/∂W = Hᵀ (softmax(H W) − Y)/n.

        H are the features of the n images of the next step, and Y has a row with a single 1 for
        each. Leaves the gradients of the backbone, from (softmax(H W) − Y) Wᵀ/n by autograd, in the
        ``grad`` of its parameters, unless they require none. An ``Around`` needs steps by autograd.
        """
        features, labels = self.seen()
        parameters = self._parameters
        matrix = left @ right
        known = features.detach()
        errors = torch.softmax(known @ matrix, 1)
        errors[torch.arange(len(labels), device=labels.device), labels] -= 1
        errors /= len(labels)
        if parameters:
            gradients = _pulled(features, parameters, errors @ matrix.mT)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
        gradient = known.mT @ errors
        return (gradient, right.mT), (gradient.mT, left)

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Singular triplets of −∇loss(W = 0) = (1/n) Σ h (e_y − 1/K)ᵀ, features × classes.

        The sum is over all training images, with the features of the backbone at its start. For K
        classes its rank is at most K − 1. For a hidden layer, whose activation lets no gradient
        through at W = 0, the values are 0, and the vectors are those of the axes.
        """
        if self.hidden:
            axes = torch.eye(self.shape[0]).to(self._images.pixels)
            return axes[:, :count], axes.new_zeros(count), axes[:count]
        left, values, right = self._gradient
        return left[:, :count], values[:count], right[:count]

    @functools.cached_property
    def _gradient(self) -> tuple[Tensor, Tensor, Tensor]:
        images = self._images
        total = images.pixels.new_zeros(self.shape)
        stays = self._behind is self._start and not self._parameters
        passes = torch.split(self._every, PASS) if stays else _passes(self._start, images)
        for features, labels in zip(passes, torch.split(images.labels, PASS), strict=True):
            errors = torch.full_like(features[:, :1], -1 / self.shape[1]).repeat(1, self.shape[1])
            errors[torch.arange(len(labels), device=labels.device), labels] += 1
            total += features.mT @ errors
        return torch.linalg.svd(finite(total / len(images)), full_matrices=False)

    @property
    def hidden(self) -> bool:
        """Whether W is a hidden layer."""
        return isinstance(self._start, Around)

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """The mean cross-entropy of the training images that records read."""
        return self.loss("train", Halves([right, left], left @ right))

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """The mean cross-entropy of the held-out images that records read."""
        return self.loss("held", Halves([right, left], left @ right))

    def has(self, part: Part) -> bool:
        """Whether there are images of a part."""
        return part in self._shown

    def loss(self, part: Part, chain: Chain) -> Tensor:
        """The mean cross-entropy of a part's images that records read."""
        return nn.functional.cross_entropy(self.logits(part, chain), self.labels(part))

    def accuracy(self, part: Part, chain: Chain) -> Tensor:
        """The share of a part's images that records read whose largest score is their class."""
        logits = self.logits(part, chain)
        return (logits.argmax(1) == self.labels(part)).to(logits).mean()

    def confusion(self, chain: Chain) -> Float[Tensor, "true told"]:
        """The share of each class's images that are put into each class.

        Of the held-out images that records read; NaN in the row of a class without any.
        """
        logits = self.logits("held", chain)
        counts = logits.new_zeros(2 * logits.shape[1:])
        places = (self.labels("held"), logits.argmax(1))
        counts.index_put_(places, logits.new_ones(()), accumulate=True)
        return counts / counts.sum(1, keepdim=True)

    def inner(self, left: Tensor) -> Float[Tensor, "images width"]:
        """h(x) W_L: the first PLACED held-out images as the head's inner factors see them."""
        return self.features("held")[:PLACED] @ left

    def logits(self, part: Part, chain: Chain) -> Float[Tensor, "n classes"]:
        """The scores of a part's images that records read: h(x) W, or those of an ``Around``.

        Nobody may change them. Those of the last W are kept with the features: several measurements
        ask for one W.
        """
        features, matrix = self.features(part), chain.product
        last, logits = self._told.get(part, (matrix, matrix[:0]))
        if len(logits) != len(features) or not torch.equal(last, matrix):
            logits = self._scores(features, chain)
            self._told[part] = matrix, logits
        return logits

    def _scores(self, features: Tensor, chain: Chain) -> Tensor:
        around = self._behind
        if not isinstance(around, Around):
            return features @ chain.product
        with torch.no_grad():
            return around.scores(features, chain.factors if around.inside else [chain.product])

    @property
    def training(self) -> Images:
        """All training images."""
        return self._images

    @property
    def recorded(self) -> Images:
        """The training images that records read."""
        return self._shown["train"]

    def labels(self, part: Part) -> Int[Tensor, " n"]:
        """The classes of a part's images that records read."""
        return self._shown[part].labels

    def features(self, part: Part) -> Float[Tensor, "n features"]:
        """h(x) of a part's images that records read, computed once until the backbone's next step.

        Nobody may change it.
        """
        images = self._shown[part]
        if part == "train" and not self._parameters:
            return self._every[: len(images)]
        return self._passed(part, images)

    @property
    def _every(self) -> Tensor:
        """The features of all training images, for a backbone that stays as it is."""
        return self._passed("train", self._images)

    def _passed(self, part: Part, images: Images) -> Tensor:
        key = part, len(images)
        if key not in self._kept:
            self._kept[key] = torch.cat(list(_passes(self._behind, images)))
        return self._kept[key]

    def operations(self, width: int) -> float:
        """Operations of ``pull`` and of its two products if ``right`` has ``width`` rows."""
        rows, cols = self.shape
        products = 3 if self._parameters else 2
        own = 2.0 * products * self.size * rows * cols
        return 6.0 * rows * cols * width + own + self._backbone_operations

    def layered_operations(self, sizes: list[int]) -> float:
        """Operations of a step whose features go through factors of these many parameters."""
        last = 0 if self._parameters else 2.0 * self.size * sizes[-1]
        further = 2.0 * (3 if self._parameters else 2) * self.shape[0] * len(self.classes)
        own = 6.0 * self.size * sum(sizes) - last + self._backbone_operations
        return own + (self.size * further if self.hidden else 0.0)

    @property
    def look(self) -> float:  # type: ignore[override]
        """Operations of the features of all training images, and of their product with labels."""
        features = self._counts[0] if self._parameters else 0.0
        return len(self._images) * (features + 2.0 * self.shape[0] * self.shape[1])

    @property
    def before(self) -> float:  # type: ignore[override]
        """Operations of the features of all training images if the backbone stays as it is."""
        return 0.0 if self._parameters else len(self._images) * self._counts[0]

    @property
    def facts(self) -> dict[str, list[Any]]:
        """The facts of every task, and those of −∇loss(W = 0), of classes, images and weights.

        ``gradient_class_vectors`` has the singular vectors of −∇loss(W = 0) on the side of the
        classes, a row for each singular value; ``shown_labels`` the classes of the images of
        ``inner``; ``backbone_weights`` the names of the backbone's weight matrices.
        """
        facts = super().facts
        if not self.hidden:
            _, values, vectors = self._gradient
            facts["gradient_singular_values"] = values.tolist()
            facts["gradient_class_vectors"] = oriented(vectors).tolist()
        return facts | {
            "classes": list(self.classes),
            "shown_labels": self._held.first(PLACED).labels.tolist(),
            "backbone_weights": [name for name, _ in matrices(self._start)],
        }

    @property
    def _backbone_operations(self) -> float:
        """Operations of the backbone's products and their gradients in a step; 0 if it stays."""
        return self.size * self._counts[1] if self._parameters else 0.0

    @functools.cached_property
    def _counts(self) -> tuple[float, float]:
        """Operations of one image's products forward, and forward and back."""
        return _counted(self._start, self._images.pixels[:1])


def prepared(config: Config, read: Callable[[], Labelled], like: Tensor) -> Classification:
    """The task of a config on a data set: split, standardised, with the config's label noise.

    Args:
        config: the settings.
        read: reads the data set; it is not asked before there is memory for the images.
        like: a tensor of the precision and on the device of the images and the backbone.

    Raises:
        DataError: if the data cannot be read.
        MemoryError: if the images or the backbones do not fit into memory.
    """
    memory.check(config)
    data = read()
    known = config.contents
    held_out = len(data.labels) - known.images if known else 0  # 0 if a test part was published
    train, valid, held = labelled.split(data, config.validation, held_out, config.seed_data)
    if config.images:
        order = torch.randperm(len(train.labels), generator=generator("images", config.seed_data))
        rows = order[: config.images].numpy()
        train = labelled.Part(train.images[rows], train.labels[rows])
    train, valid, held = labelled.standardised(train, valid, held)
    if config.label_noise:  # whoever has wrong labels has them in the validation part, too
        train, valid = (_noisy(config, part, len(data.classes)) for part in (train, valid))
    build = registry.load("backbones", config.backbone).build
    rng = generator("backbone", config.seed_backbone)
    shape = train.images.shape[1:]
    backbone: nn.Module = build(shape, config.features, config.activation, rng)
    if config.place != "head":
        inside = config.place == "hidden-active"
        count = len(data.classes)
        backbone = Around(backbone, config.activation, config.features, count, inside, rng)
    return Classification(
        _images(train, like),
        _images(held, like),
        data.classes,
        config.features,
        backbone.to(like).requires_grad_(bool(config.backbone_rate)),
        config.batch,
        config.seed_data,
        _images(valid, like) if len(valid.labels) else None,
        config.steps,
        config.record_every,
        config.sharpness,
    )


def _noisy(config: Config, part: labelled.Part, classes: int) -> labelled.Part:
    noisy = labelled.noisy(part.labels, config.label_noise, classes, config.seed_noise)
    return labelled.Part(part.images, noisy)


def _images(part: labelled.Part, like: Tensor) -> Images:
    labels = torch.from_numpy(part.labels).to(like.device)
    return Images(torch.from_numpy(part.images).to(like), labels)


def _moving(backbone: nn.Module) -> list[nn.Parameter]:
    return [each for each in backbone.parameters() if each.requires_grad]


def matrices(backbone: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """The weight matrices of a backbone that moves, and their names; none of one that stays.

    A kernel's further sides belong to its inputs. A bias, the weights of a norm and position
    embeddings multiply no features and are left out.
    """
    return [
        (name, weight)
        for name, weight in backbone.named_parameters()
        if weight.requires_grad and weight.ndim > 1 and name.endswith("weight")
    ]


def oriented(vectors: Float[Tensor, "n entries"]) -> Float[Tensor, "n entries"]:
    """The same rows, each with the sign that makes its entry of largest size positive.

    Of several that are as large but for 1 %, the first decides: rounding must not.
    """
    sizes = vectors.abs()
    largest = (sizes >= TIED * sizes.amax(1, keepdim=True)).to(vectors).argmax(1, keepdim=True)
    return vectors * vectors.gather(1, largest).sign()


def _pulled(
    features: Tensor, parameters: list[nn.Parameter], pull: Float[Tensor, "n features"]
) -> tuple[Tensor, ...]:
    """The gradients of the parameters from that of the features.

    The same as ``torch.autograd.grad``, which for a gradient that is given would load symbolic
    algebra first (half a second, 60 MB) and take a fifth longer.
    """
    run = torch.autograd.Variable._execution_engine.run_backward
    found: tuple[Tensor, ...] = run(
        (features,), (pull,), False, False, tuple(parameters), False, accumulate_grad=False
    )
    return found


def _passes(backbone: nn.Module, images: Images) -> Iterator[Tensor]:
    """The features of images, PASS at a time."""
    with torch.no_grad():
        for pixels in torch.split(images.pixels, PASS):
            yield backbone(pixels)


def _alike(one: nn.Module, other: nn.Module) -> bool:
    """Whether two backbones of one kind have the same numbers."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(ours, theirs) for ours, theirs in pairs)


class _Products(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations of products, as torch's ``FlopCounterMode`` does.

    That one loads torch's compiler at its first count, which takes a second and 100 MB.
    """

    total = 0.0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # there is no compiler to be skipped, and to skip it would load it

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        """Make an operation, and count it if it is a product."""
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func.overloadpacket)
        self.total += count(*args, **(kwargs or {}), out_val=out) if count else 0.0
        return out


def _counted(backbone: nn.Module, pixels: Tensor) -> tuple[float, float]:
    """Operations of a backbone's products forward, and forward and back, for these images."""
    trained = copy.deepcopy(backbone).requires_grad_()
    with torch.enable_grad(), _Products() as counter:  # type: ignore[no-untyped-call]
        features = trained(pixels)
        forward = counter.total
        torch.autograd.backward(features.sum())
    return forward, counter.total


@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> Tensor:
    """The order of the images in one epoch."""
    return torch.randperm(count, generator=generator(f"order of epoch {epoch}", seed))
