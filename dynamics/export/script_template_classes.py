"""Train one run of DLN Explorer again, from its seeds, and assert its recorded numbers.

<run>

The program needs torch and NumPy alone. It draws everything as the run drew it; images that no seed
draws are at the end of this file, or are read from the files that it names. Its networks are plain
modules: features go through each factor in turn and autograd goes back, whichever way the run took.

Rounding grows in training, and much faster in float32. Each network is therefore trained a second
time as a twin, from a start that differs in the last digit. Where the two differ, rounding decides:
numbers are compared up to the record before, and the program says which.
"""

import base64  # noqa: F401
import contextlib
import copy
import functools
import gzip
import hashlib
import io  # noqa: F401
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass  # noqa: F401
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray  # noqa: F401
from torch import Generator, Tensor, nn

# <shared>
from dynamics.data.labelled import Labelled, Part, draws, noisy, split, standardised
from dynamics.export.script_template import (
    arrays,
    compared,
    conclusion,
    cut,
    finite,
    generator,
    moved,
    product,
    random,
)

# </shared>

# The run: its settings, its networks, and their numbers at records.
# <settings>
SETTINGS: dict[str, Any] = {
    "problem": "digits", "classes": 10, "training": 1400, "place": "head", "activation": "relu",
    "features": 128, "backbone_rate": 1.0, "alpha_first": 1.0, "batch": 64, "images": 0,
    "validation": 0.0, "label_noise": 0.0, "depth": 3, "initialization": "orthogonal",
    "init_scale": 0.1, "optimizer": "momentum", "dtype": "float64", "seed_data": 0,
    "seed_noise": 0, "seed_init": 0, "seed_backbone": 0,
}  # fmt: skip
# SHA-256 of the unpacked files that are read.
FILES: dict[str, str] = {}
# For each network: width, depth, start, step of the start, whether its last record read all
# held-out images, and rates. A row of rates is a step and, from it on, η of the inner and of the
# outer factors. "cut": from the original network at that step.
NETWORKS: dict[str, Any] = {
    "compressed": {"width": 10, "depth": 3, "start": "spectral", "at": 0, "ended": True,
                   "rates": [[0, 0.05, 0.05]]}
}  # fmt: skip
FINAL: dict[str, Any] = {"compressed": {"step": 0, "train_loss": None, "singular_values": []}}
# The same at a few earlier records.
EARLIER: dict[str, Any] = {"compressed": []}
TOLERANCE = 1e-8
# </settings>
DTYPE = getattr(torch, SETTINGS["dtype"])
MARGIN = 1e-3  # share of TOLERANCE by which a twin may differ: rounding adds up at every step
READ = {"train": 500, "held": 2000}  # images that a record reads
PASS = 2000  # images that go through a backbone together
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU}

# The draws, cuts and comparisons.


# The images: which are trained on, which are held out.


class Examples(NamedTuple):
    """Images, n × channels × height × width, and the number of the class of each."""

    pixels: Tensor
    labels: Tensor


def read() -> Labelled:
    """All images as they are stored, and those of a published test part."""
    if SETTINGS["problem"] == "digits":
        given = arrays()
        pixels = (given["pixels"] / 16).astype(np.float32)
        return Labelled(
            pixels.reshape(-1, 1, 8, 8), given["labels"].astype(np.int64), None, None, ()
        )
    if SETTINGS["problem"] == "fashion_mnist":
        content = [np.frombuffer(unpacked(name), np.uint8) for name in FILES]
        pictures = [content[i][16:].reshape(-1, 1, 28, 28) for i in (0, 2)]
        bright = [np.divide(some, np.float32(255), dtype=np.float32) for some in pictures]
        told = [content[i][8:].astype(np.int64) for i in (1, 3)]
        return Labelled(bright[0], told[0], bright[1], told[1], ())
    return own()


def unpacked(name: str) -> bytes:
    """The content of one of FILES."""
    content = gzip.decompress(place(name).read_bytes())
    if hashlib.sha256(content).hexdigest() != FILES[name]:
        sys.exit(f"{place(name)} is not the published file: its SHA-256 is a different one.")
    return content


def place(name: str) -> Path:
    """Where a file is: here, in the folder DLN_DATA, or where DLN Explorer keeps its own."""
    folders = [os.environ.get("DLN_DATA"), ".", "~/.cache/dln-explorer", "/usr/share/datasets"]
    inside = ("", "fashion-mnist", "own")
    paths = [Path(each).expanduser() / sub / name for each in folders if each for sub in inside]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        sys.exit(f"Put {name} into this folder, or name its own in DLN_DATA.")
    return found


def own() -> Labelled:
    """The images of an imported file, in the order that the run had them in."""
    path = place(f"{SETTINGS['dataset']}.npz")
    with np.load(path) as file:
        names = ("images", "labels", "classes", "held_images", "held_labels")
        given = {name: file[name] for name in names if name in file}
    parts = [Part(given["images"], given["labels"])]
    if "held_images" in given:
        parts.append(Part(given["held_images"], given["held_labels"]))
    parts = [Part(channelled(part.images), part.labels.astype(np.int64)) for part in parts]
    count = int(parts[0].labels.max()) + 1
    classes = tuple(given["classes"].tolist() if "classes" in given else map(str, range(count)))
    total = hashlib.sha256(repr(classes).encode())
    for array in (array for part in parts for array in part):
        total.update(repr(array.shape).encode())
        total.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    if total.hexdigest()[:16] != SETTINGS["dataset"].rpartition("-")[2]:
        sys.exit(f"{path} is not the data set of the run: its SHA-256 is a different one.")
    mixed = []
    for part, what in zip(parts, ("images", "held-out images"), strict=False):
        order = draws(f"order of imported {what}", 0).permutation(len(part.labels))
        mixed.append(Part(part.images[order], part.labels[order]))
    held, labels = mixed[1] if mixed[1:] else (None, None)
    return Labelled(mixed[0].images, mixed[0].labels, held, labels, classes)


def channelled(array: Any) -> Any:
    """Images or rows of a table as n × channels × height × width."""
    if array.ndim == 2:
        array = array[:, :, None, None]
    elif array.ndim == 3:
        array = array[:, None]
    elif array.shape[1] not in range(1, 5):
        array = np.moveaxis(array, 3, 1)
    return np.ascontiguousarray(array, dtype=np.float32)


def parts() -> tuple[Examples, Examples]:
    """The training and the held-out images, standardised by the training images' channels."""
    data, seed = read(), SETTINGS["seed_data"]
    held_out = len(data.labels) - SETTINGS["training"]
    train, _, held = split(data, SETTINGS["validation"], held_out, seed)
    if SETTINGS["images"]:
        order = torch.randperm(len(train.labels), generator=generator("images", seed))
        rows = order[: SETTINGS["images"]].numpy()
        train = Part(train.images[rows], train.labels[rows])
    train, held = standardised(train, held)
    share, noise = SETTINGS["label_noise"], SETTINGS["seed_noise"]
    wrong = noisy(train.labels, share, SETTINGS["classes"], noise)
    return exact(Part(train.images, wrong)), exact(held)


def exact(part: Part) -> Examples:
    """Images in the run's own precision."""
    return Examples(torch.from_numpy(part.images).to(DTYPE), torch.from_numpy(part.labels))


@functools.lru_cache(maxsize=2)
def order(epoch: int, count: int) -> Tensor:
    """The order of the images in one epoch."""
    draw = generator(f"order of epoch {epoch}", SETTINGS["seed_data"])
    return torch.randperm(count, generator=draw)


def batch(step: int, images: Examples) -> Examples:
    """The mini-batch of a step; an epoch leaves out the images that do not fill one."""
    size, count = SETTINGS["batch"], len(images.labels)
    if not size:
        return images
    epoch, number = divmod(step, count // size)
    rows = order(epoch, count)[number * size :][:size]
    return Examples(images.pixels[rows], images.labels[rows])


# The backbone, whose features of an image the networks multiply.


@contextlib.contextmanager
def seeded(draw: Generator) -> Iterator[None]:
    """Inside the block, torch's modules draw their first values from the generator alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=draw)))
        yield


# <backbone>
def build(
    shape: tuple[int, int, int], features: int, activation: str, generator: Generator
) -> nn.Module:
    """From n images of this shape (channels, height, width) to n × features."""
    with seeded(generator):
        layer = nn.Linear(math.prod(shape), features)
    return nn.Sequential(nn.Flatten(), layer, ACTIVATIONS[activation]())


# </backbone>


# The networks: their first factors, their scores, their steps.


class Network(nn.Module):
    """h(x) W_L ⋯ W_1; as a hidden layer V σ(h(x) W_L ⋯ W_1), perhaps with σ between the factors."""

    def __init__(self, backbone: nn.Module, last: nn.Module | None, factors: list[Tensor]) -> None:
        super().__init__()
        self.backbone, self.last = backbone, last
        self.factors = nn.ParameterList(factors)
        self.activation = ACTIVATIONS[SETTINGS["activation"]]()

    def forward(self, pixels: Tensor) -> Tensor:
        """The scores of n images, n × classes."""
        signal = self.backbone(pixels)
        for number, factor in enumerate(reversed(list(self.factors))):
            if number and SETTINGS["place"] == "hidden-active":
                signal = self.activation(signal)
            signal = signal @ factor
        return signal if self.last is None else self.last(self.activation(signal))

    def others(self) -> dict[str, nn.Parameter]:
        """The parameters that are no factors, if they move."""
        if not SETTINGS["backbone_rate"]:
            return {}
        return {
            name: each for name, each in self.named_parameters() if not name.startswith("factors")
        }


def first(name: str, images: Examples) -> Network:
    """A network at its start."""
    network = NETWORKS[name]
    if network["start"] == "cut":
        source = trained("original", images, [network["at"]])[0]
        factors = cut([each.detach() for each in source.factors], network["width"])
        source.factors = nn.ParameterList(factors)
        return source
    features, classes = SETTINGS["features"], SETTINGS["classes"]
    draw = generator("backbone", SETTINGS["seed_backbone"])
    _, channels, height, wide = images.pixels.shape
    backbone = build((channels, height, wide), features, SETTINGS["activation"], draw)
    last = None
    if SETTINGS["place"] != "head":
        with seeded(draw):
            last = nn.Linear(features, classes).to(DTYPE)
    backbone = backbone.to(DTYPE)
    width, depth, scale = network["width"], network["depth"], SETTINGS["init_scale"]
    outputs = classes if last is None else features
    if network["start"] == "spectral":
        factors = spectral(backbone, images, width, depth)
    else:
        widths = [outputs, *[width] * (depth - 1), features]
        draw = generator(network["start"], SETTINGS["seed_init"])
        factors = [(scale * random(widths[i + 1], widths[i], draw)).to(DTYPE) for i in range(depth)]
    return Network(backbone, last, factors)


@torch.no_grad()
def spectral(backbone: nn.Module, images: Examples, width: int, depth: int) -> list[Tensor]:
    """ε V̂ᵀ, ε I, …, ε Û from the singular vectors of −∇loss(W = 0) = (1/n) Σ h (e_y − 1/K)ᵀ."""
    classes = SETTINGS["classes"]
    total = torch.zeros(SETTINGS["features"], classes, dtype=DTYPE)
    passes = zip(torch.split(images.pixels, PASS), torch.split(images.labels, PASS), strict=True)
    for pixels, labels in passes:
        errors = torch.full((len(labels), classes), -1 / classes, dtype=DTYPE)
        errors[torch.arange(len(labels)), labels] += 1
        total += backbone(pixels).mT @ errors
    left, _, right = torch.linalg.svd(finite(total / len(images.labels)), full_matrices=False)
    spare = max(0, width - min(total.shape))  # units without a singular vector stay at zero
    left = nn.functional.pad(left[:, :width], (0, spare))
    right = nn.functional.pad(right[:width], (0, 0, 0, spare))
    inner = [torch.eye(width, dtype=DTYPE) for _ in range(depth - 2)]
    return [SETTINGS["init_scale"] * factor for factor in (right, *inner, left)]


# <optimizer>
def direction(gradient: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """The optimizer's direction for a gradient."""
    return gradient


# </optimizer>


def step(
    network: Network, images: Examples, rates: list[float], memories: list[dict[str, Any]]
) -> None:
    """One step of all parameters: θ ← θ − rate · direction(∂loss/∂θ)."""
    _, inner, outer = rates
    others = network.others()
    weight = next((name for name in others if name.endswith("weight")), "")
    depth = len(network.factors)
    paces = [outer if i in (0, depth - 1) else inner for i in range(depth)]
    for name in others:
        alpha = SETTINGS["alpha_first"] if name == weight else 1.0
        paces.append(inner * SETTINGS["backbone_rate"] * alpha)
    parameters = [*network.factors, *others.values()]
    loss = nn.functional.cross_entropy(network(images.pixels), images.labels)
    gradients = torch.autograd.grad(loss, parameters)
    moves = zip(parameters, gradients, paces, memories, strict=True)
    with torch.no_grad():
        for parameter, gradient, pace, memory in moves:
            parameter.sub_(pace * direction(gradient, memory))


def trained(name: str, images: Examples, steps: list[int], *, nudge: bool = False) -> list[Network]:
    """A network at these steps, which ascend from its start on.

    ``nudge`` moves the start by one unit in the last place.
    """
    about = NETWORKS[name]
    network = first(name, images)
    if nudge:
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_(moved(parameter))
    kept = [copy.deepcopy(network)] if about["at"] in steps else []
    last = steps[-1]
    memories: list[dict[str, Any]] = [{} for _ in network.parameters()]
    memories = memories[: len(network.factors) + len(network.others())]
    for done in range(about["at"], last):
        rates = [rate for rate in about["rates"] if rate[0] <= done][-1]
        step(network, batch(done, images), rates, memories)
        if done + 1 in steps:
            kept.append(copy.deepcopy(network))
        if (done + 1) % max(1, last // 20) == 0:
            label = f"{name}-twin" if nudge else name
            print(f"{label}: step {done + 1:,} of {last:,}", flush=True)
    return kept


@torch.no_grad()
def measured(network: Network, train: Examples, held: Examples, count: int) -> dict[str, Any]:
    """The quantities that FINAL holds."""
    values = {}
    for name, part in (("train_loss", train), ("test_loss", held)):
        scores = torch.cat([network(pixels) for pixels in torch.split(part.pixels, PASS)])
        values[name] = float(nn.functional.cross_entropy(scores, part.labels))
    values["accuracy"] = float((scores.argmax(1) == part.labels).double().mean())
    matrix = product([factor.detach() for factor in network.factors])
    if math.isfinite(values["train_loss"]) and bool(matrix.isfinite().all()):
        return values | {"singular_values": torch.linalg.svdvals(finite(matrix))[:count].tolist()}
    return values


def check(name: str, train: Examples, held: Examples) -> tuple[bool, int | None]:
    """Train a network and its twin, and compare with the run; returns what ``compared`` does."""
    records = [*EARLIER[name], FINAL[name]]
    steps = sorted({NETWORKS[name]["at"], *(record["step"] for record in records)})
    count = len(records[0].get("singular_values", ()))
    shown = Examples(*(each[: READ["train"]] for each in train))

    def numbers(*, nudge: bool) -> list[dict[str, Any]]:
        values = []
        for at, network in zip(steps, trained(name, train, steps, nudge=nudge), strict=True):
            whole = NETWORKS[name]["ended"] and at == steps[-1]
            some = held if whole else Examples(*(each[: READ["held"]] for each in held))
            values.append(measured(network, shown, some, count))
        return values

    return compared(name, steps, numbers(nudge=False), numbers(nudge=True))


# The images that no seed draws and no file has.

ARRAYS = """
"""


def main() -> None:
    """Check every network; the exit status is 0 if all that was compared agrees, else 1."""
    torch.set_num_threads(1)
    train, held = parts()
    checked = {name: check(name, train, held) for name in NETWORKS}
    good = all(agreed for agreed, _ in checked.values())
    ends = {name: end for name, (_, end) in checked.items()}
    print(conclusion(ends) if good else "Some numbers differ.")
    wide = [network["width"] >= SETTINGS["classes"] for network in NETWORKS.values()
            if network["start"] == "spectral"]  # fmt: skip
    if not good and any(wide):
        print("The gradient of K classes has K - 1 directions; rounding draws the K-th, so on a "
              "processor of another kind a spectral start may be a different one.")  # fmt: skip
    assert good, f"the run cannot be repeated to a relative {TOLERANCE:g}"


if __name__ == "__main__":
    main()
