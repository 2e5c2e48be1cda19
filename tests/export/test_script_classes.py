"""Script of networks that tell classes apart: another program, the same numbers."""

import gzip
import hashlib
import inspect
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.data import fashion_mnist, imported, labelled
from dynamics.export import export
from dynamics.export.script import script
from dynamics.runs.run import RunError
from tests.export.test_script import alone, kept
from tests.support.few import few
from tests.support.make import is_sentence

NETWORKS = "original,original_layered,original_spectral,compressed,narrow_random,plain"
HIDDEN = "original,original_alpha,narrow_random,plain"
RNG = np.random.default_rng(0)


def digits(**changes: Any) -> Config:
    settings: dict[str, Any] = {
        "problem": "digits", "networks": NETWORKS, "features": 16, "init_scale": 0.3,
        "learning_rate": 0.05, "alpha": 2.0, "optimizer": "momentum", "batch": 64, "steps": 60,
        "record_every": 20, "tolerance": 0.0, "dtype": "float64",
    }  # fmt: skip
    return Config.from_dict(settings | changes)


def again(config: Config, folder: Path) -> dict[str, Any]:
    """The program of a run, with all that it defines."""
    program: dict[str, Any] = {"__name__": "again"}
    exec(script(kept(config, folder)), program)
    return program


def deviation(program: dict[str, Any]) -> float:
    """The largest relative deviation of the program's numbers from the run's, at all records."""
    train, held = program["parts"]()
    off = [0.0]

    def compared(name: str, steps: list[int], own: list[Any], _: list[Any]) -> None:
        records = [*program["EARLIER"][name], program["FINAL"][name]]
        found = dict(zip(steps, own, strict=True))
        for record in records:
            assert record.keys() == {"step", *found[record["step"]]}
            for key, value in found[record["step"]].items():
                known = np.array(record[key])
                off.append(np.abs(value - known).max() / np.abs(known).max())

    program["compared"] = compared
    for name in program["NETWORKS"]:
        program["check"](name, train, held)
    assert len(off) > 1
    return max(off)


SMALL = {"networks": "compressed,plain", "steps": 4, "record_every": 4, "images": 40, "batch": 10}
CASES: dict[str, dict[str, Any]] = {
    "every network": {},
    "hidden": {"place": "hidden", "networks": HIDDEN, "activation": "gelu"},
    "hidden, active": {"place": "hidden-active", "networks": HIDDEN, "backbone": "layer"},
    "adam": {"optimizer": "adam", "learning_rate": 0.002, "depth": 4, "rank_bound": 3},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.001, "initialization": "normal"},
    "gradient descent": {"optimizer": "gradient_descent", "batch": 0, "alpha_first": 3.0,
                         "images": 300},
    "frozen": {"backbone_rate": 0.0, "rank_bound": 12, "depth": 2, "backbone": "layer"},
    "data": {"validation": 0.2, "label_noise": 0.3, "images": 500, "seed_data": 4, "batch": 50,
             "seed_noise": 2, "seed_backbone": 3, "seed_init": 5, "initialization": "uniform"},
    "changes": {"changes": "20:alpha=3,learning_rate=0.1;40:compress", "backbone_rate": 0.5},
    "cut in a hidden layer": {"changes": "25:compress", "place": "hidden",
                              "networks": "original,compressed", "rank_bound": 6},
    **{backbone: SMALL | {"backbone": backbone} for backbone in ("cnn", "residual", "vit")},
}  # fmt: skip


@pytest.mark.parametrize("name", few(CASES, 4))
def test_every_kind_of_run_is_repeated(name: str, tmp_path: Path) -> None:
    """All networks, places, optimizers, backbones and settings of the data."""
    assert deviation(again(digits(**CASES[name]), tmp_path)) < 1e-10


def test_there_is_a_case_of_each_option() -> None:
    said = str([vars(digits(**changes)) for changes in CASES.values()])
    for folder in ("backbones", "optimizers"):
        assert all(f"'{name}'" in said for name in registry.options(folder))


@pytest.mark.slow
@pytest.mark.parametrize("backbone", registry.options("backbones"))
@pytest.mark.parametrize("place", ["head", "hidden", "hidden-active"])
@pytest.mark.parametrize("optimizer", registry.options("optimizers"))
def test_every_backbone_place_and_optimizer_is_repeated(
    backbone: str, place: str, optimizer: str, tmp_path: Path
) -> None:
    rate = {"adam": 0.001, "rmsprop": 0.001}.get(optimizer, 0.05)
    networks = "original,compressed" if place == "head" else "original,narrow_random"
    config = digits(
        backbone=backbone, place=place, optimizer=optimizer, learning_rate=rate, networks=networks
    )
    assert deviation(again(config, tmp_path)) < 1e-10


def test_program_stands_alone_agrees_and_fails_when_the_run_was_another(tmp_path: Path) -> None:
    text = script(kept(digits(networks="compressed,plain"), tmp_path))
    assert len(text) < 130_000 and "from dynamics" not in text
    for shared in (labelled.split, labelled.standardised, labelled.noisy):
        assert inspect.getsource(shared) in text
    done = alone(text, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("Everything agrees.\n") and "compressed accuracy: 0." in done.stdout
    done = alone(text.replace("'seed_backbone': 0", "'seed_backbone': 1"), tmp_path)
    assert done.returncode == 1 and "DIFFERS from" in done.stdout


@pytest.mark.parametrize("change", ["seed_data", "seed_init", "label_noise", "alpha_first"])
def test_what_was_drawn_or_set_otherwise_does_not_agree(change: str, tmp_path: Path) -> None:
    program = again(digits(networks="plain"), tmp_path)
    program["SETTINGS"][change] += 1 if "seed" in change else 0.5
    assert deviation(program) > 1e-3


def test_single_precision_is_compared_until_rounding_decides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program says for how many steps its numbers are compared, and with what tolerance."""
    config = digits(dtype="float32", networks="compressed", steps=400, record_every=50)
    program = again(config, tmp_path)
    program["main"]()
    said = capsys.readouterr().out
    assert "compressed: numbers are reproducible to 0.01 up to step" in said
    assert said.splitlines()[-1].startswith("Every number") and "rounding decides" in said
    program["EARLIER"]["compressed"][0]["test_loss"] *= 1.03
    with pytest.raises(AssertionError, match="cannot be repeated"):
        program["main"]()


def test_clothes_are_read_from_their_files_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small set in the published files' format; the script has their sums, and no image."""
    shapes = ((300, 28, 28), (300,), (2100, 28, 28), (2100,))
    files = {}
    place = tmp_path / "data" / "fashion-mnist"
    place.mkdir(parents=True)
    for name, shape in zip(fashion_mnist.FILES, shapes, strict=True):
        array = RNG.integers(0, 256 if len(shape) > 1 else 10, shape, dtype=np.uint8)
        header = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
        files[name] = shape, hashlib.sha256(header + array.tobytes()).hexdigest()
        (place / name).write_bytes(gzip.compress(header + array.tobytes()))
    monkeypatch.setattr(fashion_mnist, "FILES", files)
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "data"))
    config = digits(problem="fashion_mnist", networks="compressed", steps=7, record_every=3)
    program = again(config, tmp_path)
    assert deviation(program) < 1e-10 and not program["ARRAYS"].strip()
    first = next(iter(files))
    program["FILES"][first] = "0" * 64
    with pytest.raises(SystemExit) as caught:
        program["parts"]()
    assert is_sentence(str(caught.value))
    (place / first).unlink()
    with pytest.raises(SystemExit) as caught:
        program["parts"]()
    assert is_sentence(str(caught.value))


OWN = [((120, 5), False), ((120, 4, 6), True), ((90, 6, 5, 3), False), ((90, 2, 5, 5), True)]


@pytest.mark.parametrize(("shape", "held"), OWN)
def test_own_images_are_read_from_their_file_and_no_other(
    shape: tuple[int, ...], held: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "data"))
    labels = np.arange(shape[0]) % 3
    images = RNG.normal(size=shape) + labels.reshape(-1, *[1] * (len(shape) - 1))
    arrays = {"images": images, "labels": labels}
    if held:
        arrays |= {"held_images": images[:30], "held_labels": labels[:30]}
        arrays["classes"] = np.array(["cat", "dog", "fox"])
    file = io.BytesIO()
    np.savez(file, **arrays)
    dataset = imported.keep(file, "mine.npz")
    config = digits(
        problem="own", dataset=dataset, networks="compressed,narrow_random", rank_bound=3, batch=20
    )
    program = again(config, tmp_path)
    assert deviation(program) < 1e-10
    np.savez(tmp_path / "data/own" / f"{dataset}.npz", **(arrays | {"images": images + 1e-3}))
    with pytest.raises(SystemExit) as caught:
        program["parts"]()
    assert is_sentence(str(caught.value))


def test_notebook_is_the_program_cell_by_cell(tmp_path: Path) -> None:
    config = digits(networks="plain", steps=4, record_every=2)
    book = json.loads(export.export(kept(config, tmp_path), "notebook"))
    cells = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    program: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        exec(cell, program)
    assert len(cells) >= 6


def test_an_unknown_backbone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of one's own that needs more than the program has."""
    place = tmp_path / "backbones"
    place.mkdir()
    (place / "mlp.py").write_text('"""MLP: mine"""\nfrom scipy import fft\n\n\ndef build(): fft\n')
    run = kept(digits(networks="plain", steps=1), tmp_path)
    real = registry.place
    monkeypatch.setattr(registry, "place", lambda f: place if f == "backbones" else real(f))
    with pytest.raises(RunError, match="the backbone mlp") as caught:
        script(run)
    assert is_sentence(str(caught.value))
