"""Train one run of DLN Explorer again, from its seeds, and assert its final numbers.

<run>

The program needs torch and NumPy alone. It draws everything as the run drew it; arrays that no seed
draws are at the end of this file. Its steps are the plain ones on whole matrices,
W_l ← W_l − η_l · direction(∂loss/∂W_l), whichever form of them the run used.

Some runs amplify rounding, for example with Adam or at a large η. Each network is therefore trained
a second time as a twin, from data and a start that differ in the last digit. Where the two differ,
rounding decides: numbers are compared up to the record before, and the program says which.
"""

import base64
import copy
import hashlib
import io
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

# The run: its settings, its networks, and their numbers at the last record.
# <settings>
SETTINGS: dict[str, Any] = {
    "problem": "factorization", "rows": 20, "cols": 20, "rank": 2, "spectrum": "flat",
    "observed": 1.0, "validation": 0.0, "measurements": 0, "sensing": "gaussian", "noise": 0.0,
    "depth": 3, "initialization": "orthogonal", "init_scale": 0.1, "optimizer": "gradient_descent",
    "input_correlation": 0.0, "dtype": "float64", "seed_target": 0, "seed_data": 0,
    "seed_noise": 0, "seed_init": 0,
}  # fmt: skip
# For each network: width, start, step of the start, and rates. A row of rates is a step and, from
# it on, η of the inner and of the outer factors. "cut": from the original network at that step.
NETWORKS: dict[str, Any] = {
    "compressed": {"width": 4, "start": "spectral", "at": 0, "rates": [[0, 1.0, 5.0]]}
}
FINAL: dict[str, Any] = {"compressed": {"step": 0, "train_loss": None, "singular_values": []}}
# The same at a few earlier records, for a run that amplifies rounding: see ``main``.
EARLIER: dict[str, Any] = {"compressed": []}
TOLERANCE = 1e-8
# </settings>
SHAPE = (SETTINGS["rows"], SETTINGS["cols"])
DTYPE = getattr(torch, SETTINGS["dtype"])
MARGIN = 1e-3  # share of TOLERANCE by which a twin may differ: rounding adds up at every step
RATINGS_SHA256 = "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490"


def generator(purpose: str, seed: int) -> torch.Generator:
    """Random numbers for one purpose alone."""
    digest = hashlib.sha256(f"{purpose}/{seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def normal(shape: tuple[int, ...], draw: torch.Generator) -> Tensor:
    """Independent standard normal numbers."""
    return torch.randn(shape, generator=draw, dtype=torch.float64)


def finite(matrix: Tensor) -> Tensor:
    """The matrix itself; on any other than a finite one, LAPACK may print or never return."""
    assert matrix.isfinite().all(), "a matrix has a number that is not finite"
    return matrix


def orthonormal(rows: int, cols: int, draw: torch.Generator) -> Tensor:
    """The first rows or columns of a random orthogonal matrix."""
    columns, triangle = torch.linalg.qr(finite(normal((max(rows, cols), min(rows, cols)), draw)))
    columns = columns * torch.sign(torch.diagonal(triangle))
    return columns if rows >= cols else columns.T


# The problem: the target, and what training sees of it.


def target() -> Tensor:
    """The target M*."""
    rows, cols = SHAPE
    rank = SETTINGS["rank"]
    spectrum = SETTINGS["spectrum"]
    given = arrays()
    if "pixels" in given:
        return torch.tensor(given["pixels"] / 255.0) - 0.5
    if "target" in given:
        return torch.tensor(given["target"])
    draw = generator("target", SETTINGS["seed_target"])
    if spectrum in ("flat", "power-law"):
        values = torch.full((rank,), rows**0.5 + cols**0.5, dtype=torch.float64)
        if spectrum == "power-law":
            values = values / torch.arange(1, rank + 1)
        left, right = orthonormal(rows, rank, draw), orthonormal(rank, cols, draw)
        return left * values @ right
    left, values, right = torch.linalg.svd(finite(normal(SHAPE, draw)), full_matrices=False)
    stride = min(SHAPE) / (2 * rank) if spectrum == "spread" else 1
    kept = [int(i * stride) for i in range(rank)]
    return left[:, kept] * values[kept] @ right[kept]


class Entries:
    """½ mean over the observed entries of (W − Y)²."""

    def __init__(self, truth: Tensor) -> None:
        draw = generator("noise", SETTINGS["seed_noise"])
        self.given = truth + SETTINGS["noise"] * normal(SHAPE, draw)
        self.mask = torch.ones(SHAPE, dtype=torch.bool)
        if SETTINGS["problem"] not in ("factorization", "semantic"):
            draw = generator("mask", SETTINGS["seed_data"])
            drawn = torch.rand(SHAPE, generator=draw, dtype=torch.float64)
            self.mask = drawn < SETTINGS["observed"] * (1 - SETTINGS["validation"])
            if "mask" in (given := arrays()):
                self.mask = torch.tensor(given["mask"])
            if not self.mask.any():
                self.mask[0, 0] = True
        self.keep()

    def keep(self) -> None:
        """Convert to the run's own precision."""
        self.given, self.mask = self.given.to(DTYPE), self.mask.to(DTYPE)

    def gradient(self, product: Tensor) -> Tensor:
        """∂loss/∂W."""
        return self.mask * (product - self.given) / self.mask.sum()

    def loss(self, product: Tensor) -> Tensor:
        """½ mean square over the observed entries."""
        return (self.mask * (product - self.given)).square().sum() / (2 * self.mask.sum())


class Items(Entries):
    """½ mean of ((W − Y) X)²; items k apart have inputs of correlation κ^k: that is XXᵀ."""

    def keep(self) -> None:
        """Convert to the run's own precision."""
        super().keep()
        places = torch.arange(SHAPE[1])
        apart = (places[:, None] - places).abs()
        self.inputs = (SETTINGS["input_correlation"] ** apart.double()).to(DTYPE)

    def gradient(self, product: Tensor) -> Tensor:
        """∂loss/∂W."""
        return (product - self.given) @ self.inputs / product.numel()

    def loss(self, product: Tensor) -> Tensor:
        """½ mean of ((W − Y) X)²."""
        off = product - self.given
        return (off * (off @ self.inputs)).sum() / (2 * product.numel())


class Listed(Entries):
    """The known entries of a matrix, a share of which is seen and the rest held out."""

    def __init__(self) -> None:
        own = "values" in arrays()
        rows, cols, values = entries() if own else ratings()
        order = torch.randperm(len(values), generator=generator("split", SETTINGS["seed_data"]))
        count = max(1, round(SETTINGS["observed"] * len(values)))
        seen = order[: min(count, len(values) - own)]
        self.given = torch.zeros(SHAPE, dtype=torch.float64)
        self.mask = torch.zeros(SHAPE, dtype=torch.bool)
        self.given[rows[seen], cols[seen]] = values[seen]
        self.mask[rows[seen], cols[seen]] = True
        self.keep()


class Films(Entries):
    """Ratings less means: to learn from, a tenth to stop by, and held out.

    The means are μ + b_i + c_j of the ratings to learn from. c_j is the sum of Y − μ over a film
    divided by the number of its ratings plus 25; b_i that of Y − μ − c_j over a user, plus 10.
    """

    def __init__(self) -> None:
        rows, cols, stars = (column.numpy() for column in ratings())
        draw = generator("split", SETTINGS["seed_data"])
        order = torch.randperm(len(stars), generator=draw).numpy()
        count = max(1, round(SETTINGS["observed"] * len(stars)))
        train = order[: count - math.ceil(0.1 * count)]
        mean = stars[train].mean()
        users, films = np.zeros(SHAPE[0]), np.zeros(SHAPE[1])
        for its, of, damping in ((films, cols, 25.0), (users, rows, 10.0)):
            left = (stars - mean - films[cols])[train]
            sums = np.bincount(of[train], weights=left, minlength=len(its))
            its[:] = sums / (damping + np.bincount(of[train], minlength=len(its)))
        rest = torch.tensor(stars - mean - users[rows] - films[cols])
        self.given = torch.zeros(SHAPE, dtype=torch.float64)
        self.mask = torch.zeros(SHAPE, dtype=torch.bool)
        self.given[rows[train], cols[train]] = rest[train]
        self.mask[rows[train], cols[train]] = True
        parts = {"validation_rmse": order[len(train) : count], "held_out_rmse": order[count:]}
        self.parts = {
            name: (rows[part], cols[part], rest[part].to(DTYPE)) for name, part in parts.items()
        }
        self.keep()

    def errors(self, product: Tensor) -> dict[str, float]:
        """The root mean square errors in stars of the ratings that no step reads."""
        return {
            name: float((product[rows, cols] - rest).square().mean().sqrt())
            for name, (rows, cols, rest) in self.parts.items()
        }


def entries() -> tuple[Tensor, Tensor, Tensor]:
    """Rows, columns and values, in standard deviations from their mean, from this file."""
    given = arrays()
    rows, cols = torch.tensor(given["places"]).long()
    return rows, cols, torch.tensor(given["values"])


def ratings() -> tuple[Tensor, Tensor, Tensor]:
    """Users and films, counted from 0, and stars; from u.data here or in the folder DLN_DATA.

    The licence of MovieLens 100K forbids copies of it in this file.
    """
    places = [os.environ.get("DLN_DATA"), ".", "~/.cache/dln-explorer"]
    folders = [Path(place).expanduser() for place in places if place]
    files = [folder / name for folder in folders for name in ("u.data", "ml-100k/u.data")]
    file = next((file for file in files if file.is_file()), None)
    if file is None or hashlib.sha256(file.read_bytes()).hexdigest() != RATINGS_SHA256:
        sys.exit("Put MovieLens 100K's u.data into this folder, or name its own in DLN_DATA.")
    table = torch.tensor(np.loadtxt(file, dtype=np.int64))
    return table[:, 0] - 1, table[:, 1] - 1, table[:, 2].double()


class Sums:
    """½ Σ_i (⟨A_i, W⟩ − y_i)², with A_i Gaussian or a_i b_iᵀ."""

    def __init__(self, truth: Tensor) -> None:
        count = SETTINGS["measurements"]
        seed = SETTINGS["seed_data"]
        self.rank_one = SETTINGS["sensing"] == "rank-one"
        if self.rank_one:
            draw = generator("rank-one measurements", seed)
            self.left, self.right = (normal((count, side), draw) / count**0.5 for side in SHAPE)
            self.left, self.right = self.left.to(DTYPE).double(), self.right.to(DTYPE).double()
        else:
            self.rows = normal((count, *SHAPE), generator("measurements", seed)).div(count)
            self.rows = self.rows.view(count, -1)
        off = normal((count,), generator("noise", SETTINGS["seed_noise"]))
        self.seen = (self.sums(truth) + SETTINGS["noise"] * off / count).to(DTYPE)
        for name in ("left", "right") if self.rank_one else ("rows",):
            setattr(self, name, getattr(self, name).to(DTYPE))

    def sums(self, product: Tensor) -> Tensor:
        """⟨A_i, W⟩."""
        if self.rank_one:
            return ((self.left @ product) * self.right).sum(1)
        return self.rows @ product.reshape(-1)

    def gradient(self, product: Tensor) -> Tensor:
        """∂loss/∂W."""
        off = self.sums(product) - self.seen
        if self.rank_one:
            return (self.left * off[:, None]).T @ self.right
        return (self.rows.T @ off).view(SHAPE)

    def loss(self, product: Tensor) -> Tensor:
        """½ Σ_i (⟨A_i, W⟩ − y_i)²."""
        return (self.sums(product) - self.seen).square().sum() / 2


# The networks: their first factors, their product, their steps.


def first_factors(network: dict[str, Any], problem: "Entries | Sums") -> list[Tensor]:
    """W_1, …, W_L."""
    width = network["width"]
    depth = SETTINGS["depth"]
    scale = SETTINGS["init_scale"]
    if network["start"] == "cut":
        return cut(trained("original", problem, [network["at"]])[0], width)
    if network["start"] == "spectral":
        surrogate = -problem.gradient(torch.zeros(SHAPE, dtype=DTYPE))
        left, _, right = torch.linalg.svd(finite(surrogate), full_matrices=False)
        spare = max(0, width - min(SHAPE))  # units without a singular vector stay at zero
        left = torch.nn.functional.pad(left[:, :width], (0, spare))
        right = torch.nn.functional.pad(right[:width], (0, 0, 0, spare))
        inner = [torch.eye(width, dtype=DTYPE) for _ in range(depth - 2)]
        return [scale * factor for factor in (right, *inner, left)]
    given = arrays()
    if network["start"] == "factors" and "factor_1" in given:
        stored = (torch.tensor(given[f"factor_{number + 1}"]) for number in range(depth))
        return [(scale * factor).to(DTYPE) for factor in stored]
    widths = [SHAPE[1], *[width] * (depth - 1), SHAPE[0]]
    draw = generator(network["start"], SETTINGS["seed_init"])
    return [
        (scale * random(widths[i + 1], widths[i], draw)).to(DTYPE).clone() for i in range(depth)
    ]


def cut(factors: list[Tensor], width: int) -> list[Tensor]:
    """Factors of this width cut from wider ones: R_1 Vᵀ, R_2, …, B_L R_L.

    V has the first right singular vectors of the product, B_0 = V, and W_l B_(l−1) = B_l R_l are QR
    decompositions.
    """
    right = torch.linalg.svd(finite(product(factors)), full_matrices=False)[2][:width]
    basis = right.T
    kept = []
    for factor in factors:
        basis, triangle = torch.linalg.qr(finite(factor @ basis))
        signs = torch.where(torch.diagonal(triangle) < 0, -1.0, 1.0).to(DTYPE)
        basis = basis * signs
        kept.append(signs[:, None] * triangle)
    return [kept[0] @ right, *kept[1:-1], basis @ kept[-1]]


def random(rows: int, cols: int, draw: torch.Generator) -> Tensor:
    """A random matrix; the mean of its squared Frobenius norm is that of an orthogonal one."""
    size = min(rows, cols) / (rows * cols)
    if SETTINGS["initialization"] == "normal":
        return normal((rows, cols), draw) * size**0.5
    if SETTINGS["initialization"] == "uniform":
        entries = torch.rand((rows, cols), generator=draw, dtype=torch.float64)
        return (2 * entries - 1) * (3 * size) ** 0.5
    return orthonormal(rows, cols, draw)


# <optimizer>
def direction(gradient: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """The optimizer's direction for a gradient."""
    return gradient


# </optimizer>


def step(
    factors: list[Tensor],
    problem: Entries | Sums,
    inner_rate: float,
    outer_rate: float,
    memories: list[dict[str, Any]],
) -> None:
    """One step of all factors, each computed from the old values of all."""
    last = len(factors) - 1
    before = [torch.eye(SHAPE[1], dtype=DTYPE), *factors[:1]]  # before[i] = W_i ⋯ W_1
    for factor in factors[1:-1]:
        before.append(factor @ before[-1])
    above = problem.gradient(factors[-1] @ before[-1])  # (W_L ⋯ W_(i+2))ᵀ ∂loss/∂W
    for i in range(last, -1, -1):
        gradient = above @ before[i].T if i else above
        above = factors[i].T @ above
        rate = outer_rate if i in (0, last) else inner_rate
        factors[i] = factors[i] - rate * direction(gradient, memories[i])


def product(factors: list[Tensor]) -> Tensor:
    """W_L ⋯ W_1."""
    result = factors[0]
    for factor in factors[1:]:
        result = factor @ result
    return result


def moved(tensor: Tensor) -> Tensor:
    """A tensor with each number moved by one unit in the last place of the largest, up or down."""
    signs = 2 * torch.randint(2, tensor.shape, generator=generator("twin", 0)).to(tensor) - 1
    return tensor + torch.finfo(DTYPE).eps * tensor.abs().max() * signs


def twin(problem: Entries | Sums) -> Entries | Sums:
    """The problem with data moved by one unit in the last place."""
    other = copy.copy(problem)
    name = "given" if isinstance(problem, Entries) else "seen"
    setattr(other, name, moved(getattr(problem, name)))
    return other


def trained(
    name: str, problem: Entries | Sums, steps: list[int], *, nudge: bool = False
) -> list[list[Tensor]]:
    """The factors of a network at these steps, which ascend from its start on.

    ``nudge`` moves the start by one unit in the last place.
    """
    network = NETWORKS[name]
    factors = first_factors(network, problem)
    if nudge:
        factors = [moved(factor) for factor in factors]
    kept = [list(factors)] if network["at"] in steps else []
    last = steps[-1]
    memories: list[dict[str, Any]] = [{} for _ in factors]
    for done in range(network["at"], last):
        rates = [rate for rate in network["rates"] if rate[0] <= done][-1]
        step(factors, problem, rates[1], rates[2], memories)
        if done + 1 in steps:
            kept.append(list(factors))
        if (done + 1) % max(1, last // 20) == 0:
            label = f"{name}-twin" if nudge else name
            print(f"{label}: step {done + 1:,} of {last:,}", flush=True)
    return kept


def measured(
    matrix: Tensor, problem: Entries | Sums, truth: Tensor | None, count: int
) -> dict[str, Any]:
    """The quantities that FINAL holds, computed from a matrix."""
    values = {"train_loss": float(problem.loss(matrix))}
    if truth is not None:
        values["recovery_error"] = float((matrix - truth).norm() / truth.norm())
    if isinstance(problem, Films):
        values |= problem.errors(matrix)
    if math.isfinite(values["train_loss"]) and bool(matrix.isfinite().all()):
        values["singular_values"] = torch.linalg.svdvals(finite(matrix))[:count].tolist()
    return values


def agrees(found: float, other: float | None, scale: float, allowed: float = TOLERANCE) -> bool:
    """Whether two numbers differ by at most allowed · max(|other|, 10⁻⁶ scale)."""
    if other is None or not (math.isfinite(found) and math.isfinite(other)):  # diverged
        return not math.isfinite(found) and (other is None or not math.isfinite(other))
    return abs(found - other) <= allowed * max(abs(other), 1e-6 * scale)


def differing(
    found: dict[str, Any], other: dict[str, Any], first: dict[str, Any], allowed: float
) -> list[str]:
    """The quantities of ``other`` that ``found`` does not meet."""
    names = []
    for key, value in other.items():
        if key == "singular_values":
            new = found.get(key, [math.nan] * len(value))
            scale = max(value, default=1)
            same = all(agrees(a, b, scale, allowed) for a, b in zip(new, value, strict=True))
        elif key != "step":
            same = agrees(found[key], value, first[key], allowed)
        if key != "step" and not same:
            names.append(key)
    return names


def check(name: str, problem: Entries | Sums, truth: Tensor | None) -> tuple[bool, int | None]:
    """Train a network and its twin, and compare with the run; returns what ``compared`` does."""
    records = [*EARLIER[name], FINAL[name]]
    steps = sorted({NETWORKS[name]["at"], *(record["step"] for record in records)})
    count = len(records[0].get("singular_values", ()))
    own, other = (
        [measured(product(each), problem, truth, count) for each in factors]
        for factors in (
            trained(name, problem, steps),
            trained(name, twin(problem), steps, nudge=True),
        )
    )
    return compared(name, steps, own, other)


def compared(
    name: str, steps: list[int], own: list[dict[str, Any]], other: list[dict[str, Any]]
) -> tuple[bool, int | None]:
    """Compare the numbers of a network with the run's, up to the step where its twin's part.

    Returns whether all that was compared agrees, and the last step that was compared: None if the
    twin never parts, -1 if it does from the start on.
    """
    records = [*EARLIER[name], FINAL[name]]
    pairs = list(zip(own, other, strict=True))
    apart = [bool(differing(a, b, own[0], TOLERANCE * MARGIN)) for a, b in pairs]
    meant = apart.index(True) if True in apart else len(steps)
    numbers = [record for record in records if record["step"] in steps[:meant]]
    good = True
    for record in numbers:
        found = own[steps.index(record["step"])]
        wrong = differing(found, record, own[0], TOLERANCE)
        good &= not wrong
        for key in record:
            if key in wrong or (key != "step" and record is numbers[-1]):
                verdict = f"DIFFERS from {record[key]}" if key in wrong else "agrees"
                print(f"{name} {key}: {found.get(key)} {verdict} at step {record['step']:,}")
    if meant == len(steps):
        return good, None
    end = steps[meant - 1] if meant else -1
    print(f"{name}: numbers are reproducible to {TOLERANCE:g} {until(end)}; then rounding decides")
    return good, end


def until(end: int) -> str:
    """How far numbers mean something, in words."""
    return f"up to step {end:,}" if end >= 0 else "at no record"


def conclusion(ends: dict[str, int | None]) -> str:
    """The last line where all that was compared agrees; ``ends`` has ``check``'s last steps."""
    limited = {name: end for name, end in ends.items() if end is not None}
    if not limited:
        return "Everything agrees."
    if len(limited) == len(ends) and all(
        end <= NETWORKS[name]["at"] for name, end in limited.items()
    ):
        what = "Nothing" if max(limited.values()) < 0 else "Only the start"
        return f"{what} was compared: rounding decides this run from its first record on."
    if len(limited) == len(ends) and len(set(limited.values())) == 1:
        return f"Every number agrees {until(min(limited.values()))}; beyond it rounding decides."
    named = ", ".join(f"{name} {until(end)}" for name, end in limited.items())
    return f"Every number that was compared agrees ({named}); beyond it rounding decides."


# The arrays that no seed draws: a picture's, a table's, your own or a published figure's.


def arrays() -> dict[str, Any]:
    """The arrays by name; empty if seeds draw everything."""
    if not ARRAYS.strip():
        return {}
    with np.load(io.BytesIO(base64.b64decode(ARRAYS))) as content:
        return dict(content)


ARRAYS = """
"""


def main() -> None:
    """Check every network; the exit status is 0 if all that was compared agrees, else 1."""
    torch.set_num_threads(1)
    listed: dict[str, Any] = {"movielens": Listed, "own_matrix": Listed, "films": Films}
    truth = None if SETTINGS["problem"] in listed else target()
    if truth is None:
        problem: Entries | Sums = listed[SETTINGS["problem"]]()
    else:
        kinds: dict[str, Any] = {"sensing": Sums, "semantic": Items}
        problem = kinds.get(SETTINGS["problem"], Entries)(truth)
        truth = truth.to(DTYPE)
    checked = {name: check(name, problem, truth) for name in NETWORKS}
    good = all(agreed for agreed, _ in checked.values())
    ends = {name: end for name, (_, end) in checked.items()}
    print(conclusion(ends) if good else "Some numbers differ.")
    assert good, f"the run cannot be repeated to a relative {TOLERANCE:g}"


if __name__ == "__main__":
    main()
