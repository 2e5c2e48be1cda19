"""``watch``: training loops of programs that know torch alone, recorded as runs."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dynamics import watch
from dynamics.commands.runs import ACTIONS
from dynamics.core.config import ELSEWHERE, Config, ConfigError
from dynamics.draw.time_axis import VERSUS, offered
from dynamics.export import export, script
from dynamics.findings.story import story
from dynamics.peers.verify import UnreadableError, verify
from dynamics.runs import capability
from dynamics.runs.run import Run, RunError, find, listing
from dynamics.runs.start import start

ROOT = Path(__file__).parents[2]
HEAD: Any = [["head.0", "head.1", "head.2"]]
FOREIGN = """
import torch
from torch import nn
from dynamics import watch

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(20, 80), nn.ReLU())
        self.head = nn.Sequential(*(nn.Linear(a, b, bias=False) for a, b in
            ((80, 70), (70, 70), (70, 3))))
    def forward(self, x):
        return self.head(self.backbone(x))

torch.manual_seed(0)
x = torch.randn(60, 20)
y = x[:, :3].argmax(1)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)

def train(recorder, steps):
    for number in range(steps):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if recorder:
            recorder.step(loss=loss)
"""


def program(folder: Path, body: str) -> subprocess.Popen[str]:
    """A training script that somebody wrote, and that is under way."""
    text = FOREIGN + textwrap.dedent(body)
    command = [sys.executable, "-W", "always", "-c", text, str(folder)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def matrix(weight: torch.Tensor) -> Any:
    return weight.detach().double().numpy().copy()


def only(folder: Path) -> Run:
    ((run, _, _),) = listing(folder)
    return run


class Net(nn.Module):
    """The network of the foreign program."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Sequential(nn.Linear(20, 80), nn.ReLU())
        sizes = ((80, 70), (70, 70), (70, 3))
        self.head = nn.Sequential(*(nn.Linear(*size, bias=False) for size in sizes))

    def forward(self, images: torch.Tensor) -> Any:
        return self.head(self.backbone(images))


def steps(model: nn.Module, count: int) -> Iterator[torch.Tensor]:
    """The loss of each of so many steps, once the step is made."""
    torch.manual_seed(3)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    rng = torch.Generator().manual_seed(1)
    images = torch.randn(60, 20, generator=rng)
    labels = images[:, :3].argmax(1)
    for _ in range(count):
        kept = images[torch.rand(60) < 0.9]  # of everybody's random numbers
        loss = nn.functional.cross_entropy(model(kept), labels[: len(kept)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss


def trained(folder: Path, count: int = 45, every: int = 10, **named: Any) -> tuple[Net, Run]:
    model = Net()
    with watch(model, folder, every=every, **(named or {"factors": HEAD})) as recorder:
        for loss in steps(model, count):
            recorder.step(loss=loss)
    return model, only(folder)


def test_a_foreign_program_is_recorded(tmp_path: Path) -> None:
    """Torch alone, a process of its own; it loads neither Streamlit nor Plotly nor a socket."""
    body = """
        import sys
        with watch(model, sys.argv[1], factors=[["head.0", "head.1", "head.2"]],
                   names=["backbone.0"], every=10) as recorder:
            train(recorder, 45)
        loaded = {name.partition(".")[0] for name in sys.modules}
        print(sorted(loaded & {"streamlit", "plotly", "pandas", "requests", "starlette"}))
    """
    process = program(tmp_path, body)
    told, errors = process.communicate()
    assert (process.returncode, told, errors) == (0, "[]\n", "")
    run = only(tmp_path)
    assert run.status.phase == "done"
    assert run.status.step == 45
    assert run.key == run.config.key
    assert run.config.watched
    model, head, backbone = run.trajectories
    assert [model.network, head.network, backbone.network] == ["model", "head", "backbone_0"]
    assert model.steps.tolist() == [0, 10, 20, 30, 40, 45]
    losses = model.series["train_loss"]
    assert math.isnan(losses[0]) and losses[-1] < losses[1]
    assert set(head.series) == {
        "singular_values", "factor_singular_values", "spectrum_error", "own_energy",
        "gradient_energy", "gradient_angles",
    }  # fmt: skip
    assert head.series["singular_values"].shape == (6, 3)
    assert head.series["factor_singular_values"].shape == (6, 3, 10)
    assert backbone.series["own_energy"].shape == (6, 1)


def test_numbers_are_those_of_full_decompositions(tmp_path: Path) -> None:
    """At the last step: spectra of product and factors, and shares and angle of an update."""
    twin = Net()
    before = [matrix(layer.weight) for layer in twin.head]
    next(steps(twin, 1))
    slopes = [matrix(layer.weight.grad) for layer in twin.head]
    model, run = trained(tmp_path)
    now = [matrix(layer.weight) for layer in model.head]
    head = run.trajectories[1]
    last = {name: values[-1] for name, values in head.series.items()}
    product = np.linalg.svd(now[2] @ now[1] @ now[0], compute_uv=False)
    assert np.allclose(last["singular_values"], product[:3], rtol=1e-5)
    for i in range(3):
        exact = np.linalg.svd(now[i], compute_uv=False)[:10]
        found = last["factor_singular_values"][i][: len(exact)]
        off = np.abs(found - exact).max()
        assert off <= last["spectrum_error"][i] + 1e-5
        assert off <= 0.02 * exact[0]
        left, sizes, right = np.linalg.svd(slopes[i], full_matrices=False)
        kept = sizes > 1e-5 * sizes[0]  # three classes: a gradient of rank two
        left, right = left[:, kept], right[kept]
        update = now[i] - before[i]
        values = np.linalg.svd(update, compute_uv=False)
        whole = (update**2).sum()
        assert last["own_energy"][i] == pytest.approx((values[:20] ** 2).sum() / whole, abs=1e-4)
        inside = left[:, :20].T @ update @ right[:20].T
        share = (inside**2).sum() / whole
        assert last["gradient_energy"][i] == pytest.approx(share, abs=1e-3)
        few = np.linalg.svd(update)[2][: min(9, kept.sum())] @ right[:9].T
        angle = np.arccos(np.minimum(np.linalg.svd(few, compute_uv=False), 1)).mean()
        assert last["gradient_angles"][i] == pytest.approx(angle, abs=1e-2)


def test_training_does_not_notice(tmp_path: Path) -> None:
    """The same weights to the last bit, with dropout's random numbers, and no hook left."""
    plain = Net()
    for _ in steps(plain, 45):
        pass
    model, _ = trained(tmp_path, names=["backbone.0", "head.1"])
    for mine, other in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(mine, other)
        assert not mine._post_accumulate_grad_hooks


def test_numbers_may_come_late_and_go(tmp_path: Path) -> None:
    """A record has the newest since the last one; older records have NaN in a new column."""
    model = Net()
    with watch(model, tmp_path, names=["head.1"], every=10) as recorder:
        for number, loss in enumerate(steps(model, 60), 1):
            given = {"accuracy": number / 100} if number in (23, 27, 41) else {}
            assert recorder.folder
            recorder.step(loss=None if number > 30 else loss, **given)
            if number == 20:
                created = Run(recorder.folder).status.created
                assert "accuracy" not in Run(recorder.folder).layout.shapes["model"]
    run = only(tmp_path)
    assert run.status.created > created  # so that pages start over with the new columns
    series = run.trajectories[0].series
    nan = math.nan
    np.testing.assert_array_equal(series["accuracy"], [nan, nan, nan, 0.27, nan, 0.41, nan])
    assert np.isfinite(series["train_loss"]).tolist() == [False, True, True, True, *[False] * 3]
    assert np.isfinite(run.trajectories[1].series["singular_values"]).all()
    assert run.status.phase == "done"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Name what to watch: factors=.* the weights of this model are backbone.0.weight"),
        ({"names": ["head.7"]}, "'head.7' is no weight of the model, which has backbone.0.weight"),
        ({"names": "head.0"}, "names must be a list, such as"),
        ({"names": [3]}, "a int is no weight"),
        ({"names": ["backbone.0.bias"]}, "'backbone.0.bias' is no weight"),
        ({"factors": ["head.0", "head.1"]}, r"factors\[0\] must be a list of two layers or more"),
        ({"factors": [["head.0"]]}, "must be a list of two layers or more"),
        ({"factors": [["head.2", "head.1"]]}, "takes 70 numbers, but head.2.weight .* gives 3"),
        ({"names": ["head.0"], "every": 0}, "every must be a whole number from 1 to 1,000,000; 0"),
        ({"names": ["head.0"], "every": 2.5}, "every must be a whole number"),
        ({"names": ["head.0"], "count": True}, "count must be a whole number"),
        ({"names": ["head.0"], "title": "a\nb"}, "title must be one line"),
        ({"names": ["head.0"], "folder": 7}, "folder must be a path such as 'runs'"),
        ({"names": ["head.0"], "folder": __file__}, "is a file; folder must be the folder"),
        ({"names": ["head.0"], "model": 7}, "model must be a torch.nn.Module; a int was given"),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(
    given: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """Before anything is trained or written."""
    with pytest.raises(ValueError, match=sentence):
        watch(given.pop("model", Net()), given.pop("folder", tmp_path / "runs"), **given)
    assert not (tmp_path / "runs").exists()


def test_strange_weights_are_refused() -> None:
    """Without numbers, or with numbers of a strange kind."""
    for layer, why in (
        (nn.Linear(3, 3, device="meta"), "has no numbers yet"),
        (nn.Linear(3, 3, dtype=torch.complex64), "must be a dense matrix of real numbers"),
        (nn.LazyLinear(3), "has no numbers yet"),
    ):
        with pytest.raises(ValueError, match=why):
            watch(nn.Sequential(layer), names=["0"])
    with pytest.raises(ValueError, match="is a convolution, which is no factor"):
        watch(nn.Sequential(nn.Conv2d(2, 2, 3), nn.Linear(2, 2)), factors=[["0", "1"]])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_every_precision_and_convolutions_are_recorded(tmp_path: Path, dtype: torch.dtype) -> None:
    """As matrices with a row for each output; the model keeps its own precision."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 70, 5), nn.Linear(4, 4)).to(dtype)
    layers: Any = [model[0], model[1].weight]
    with watch(model, tmp_path, names=layers) as recorder:
        recorder.step()
    (first, second) = only(tmp_path).trajectories[1:]
    weight = model[0].weight.detach().double().flatten(1)
    exact = np.linalg.svd(weight, compute_uv=False)[:10]
    assert (first.network, second.network) == ("layer_0", "layer_1")
    off = exact - first.series["singular_values"][0]
    said = float(first.series["spectrum_error"][0, 0])
    assert off.min() > -1e-5 and off.max() <= said + 1e-5 and said < 0.3 * exact[0]
    assert model[0].weight.dtype == dtype


def test_what_is_no_number_is_left_out_with_one_warning(tmp_path: Path) -> None:
    """And so is a name that the recorder uses; training goes on."""
    model = Net()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with watch(model, tmp_path, names=["head.0"], every=2) as recorder:
            for loss in steps(model, 6):
                recorder.step(
                    loss=loss,
                    logits=torch.zeros(3, 2),
                    note="good",
                    own_energy=1,
                    seconds=2,
                    **{"val/acc": 1, "val.acc": 2},
                )
    assert [str(each.message) for each in told] == [
        "logits must be a number or a tensor of one number, not Tensor of 3 × 2 numbers; it is not "
        "recorded.",
        "note must be a number or a tensor of one number, not str; it is not recorded.",
        "own_energy has a name that the recorder itself uses; it is not recorded.",
        "seconds has a name that the recorder itself uses; it is not recorded.",
        "val.acc would be recorded as val_acc, which another number is; it is not recorded.",
    ]
    assert {each.filename for each in told} == {__file__}
    assert list(only(tmp_path).layout.shapes["model"]) == ["train_loss", "val_acc"]


def test_nan_is_recorded_and_told(tmp_path: Path) -> None:
    """In weights and losses; the run has diverged."""
    model = Net()
    with watch(model, tmp_path, factors=HEAD, every=5) as recorder:
        for number, loss in enumerate(steps(model, 10)):
            if number == 6:
                model.head[1].weight.data.fill_(math.nan)
            recorder.step(loss=loss)
    run = only(tmp_path)
    assert run.status.phase == "diverged"
    assert run.status.sentence == "model diverged at step 10"
    assert np.isfinite(run.trajectories[1].series["singular_values"]).all(1).tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("error", "phase", "sentence"),
    [
        (KeyError("label"), "failed", "Its program ended by KeyError: 'label'; its records up to"),
        (KeyboardInterrupt(), "cancelled", "Its program was interrupted; its records up to step 7"),
        (SystemExit(0), "done", "model ended at step 7 with train loss"),
        (SystemExit(3), "failed", "Its program ended by SystemExit: 3"),
    ],
)
def test_the_status_says_how_the_block_ended(
    tmp_path: Path, error: BaseException, phase: str, sentence: str
) -> None:
    """The program's own error goes on as if nobody had watched."""
    model = Net()

    def loop() -> None:
        with watch(model, tmp_path, names=["head.0"]) as recorder:
            for loss in steps(model, 7):
                recorder.step(loss=loss)
            raise error

    with pytest.raises(type(error)):
        loop()
    run = only(tmp_path)
    assert run.status.phase == phase
    assert run.status.sentence.startswith(sentence)
    assert run.rows()[:, 0].tolist() == [0, 7]


def test_a_killed_program_leaves_a_lost_run(tmp_path: Path) -> None:
    """Its records are kept, and the status says that it died."""
    body = """
        import sys
        with watch(model, sys.argv[1], names=["head.1"], every=5) as recorder:
            train(recorder, 12)
            print("under way", flush=True)
            sys.stdin.read() or __import__("time").sleep(600)
    """
    process = program(tmp_path, body)
    assert process.stdout and process.stdout.readline() == "under way\n"
    run = only(tmp_path)
    assert run.status.phase == "running"
    with pytest.raises(RunError, match="end its program before you delete it"):
        run.delete()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert (run.status.phase, run.status.message) == (
        "lost",
        "its program died; its records are kept",
    )
    assert run.rows()[:, 0].tolist() == [0, 5, 10]
    run.delete()


@pytest.mark.slow
def test_a_full_disk_ends_the_recording_alone(tmp_path: Path) -> None:
    """One warning; the loop makes all of its steps."""
    body = """
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with watch(model, sys.argv[1], names=["head.1"], every=1) as recorder:
            train(recorder, 3)
            resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
            train(recorder, 20)
        print("trained", flush=True)
    """
    process = program(tmp_path, body)
    told, errors = process.communicate()
    assert (process.returncode, told) == (0, "trained\n")
    assert errors.count("RuntimeWarning: The recording ended at step ") == 1
    assert "Training goes on." in errors
    run = only(tmp_path)
    assert run.status.phase in ("failed", "lost")
    assert len(run.rows()) >= 2


def test_a_folder_that_vanishes_ends_the_recording_alone(tmp_path: Path) -> None:
    """As when somebody deletes the runs while one is recorded."""
    model = Net()
    with watch(model, tmp_path / "runs", names=["head.0"], every=1) as recorder:
        losses = steps(model, 5)
        recorder.step(loss=next(losses))
        (tmp_path / "runs").rename(tmp_path / "gone")
        with pytest.warns(RuntimeWarning, match="ended at step 2: .* Training goes on"):
            recorder.step(loss=next(losses))
        for loss in losses:
            recorder.step(loss=loss)
    assert not (tmp_path / "runs").exists()


def test_two_recorders_share_a_folder_and_each_records_once(tmp_path: Path) -> None:
    """Two runs, one after the other or within each other; a used recorder is refused."""
    model = Net()
    with (
        watch(model, tmp_path, names=["head.0"]) as one,
        watch(model, tmp_path, factors=HEAD, title="width 70") as two,
    ):
        for loss in steps(model, 3):
            one.step(loss=loss)
            two.step(loss=loss)
    assert {config.title for _, config, _ in listing(tmp_path) if config} >= {"width 70"}
    assert len(listing(tmp_path)) == 2
    with pytest.raises(RuntimeError, match="call watch again"), one:
        pass
    with pytest.raises(RuntimeError, match="inside of"):
        watch(model, tmp_path, names=["head.0"]).step()


def test_a_forked_process_records_nothing(tmp_path: Path) -> None:
    """Such as the workers that load a program's data."""
    model = Net()
    with watch(model, tmp_path, names=["head.0"], every=1) as recorder:
        for loss in steps(model, 2):
            recorder.step(loss=loss)
        child = os.fork()
        if not child:
            recorder.step(loss=7.0)
            recorder.__exit__(None, None, None)
            os._exit(0)
        os.waitpid(child, 0)
        assert only(tmp_path).status.phase == "running"
    assert only(tmp_path).rows()[:, 0].tolist() == [0, 1, 2]


def test_a_recorded_run_is_exported_but_not_trained_again(tmp_path: Path) -> None:
    """Every table and page; scripts, training and steering are refused in one sentence."""
    _, run = trained(tmp_path, names=["head.0"], title="mine")
    for form in ("csv", "npz", "json", "html", "zip"):
        assert export.export(run, form)
    for form in ("script", "notebook"):
        with pytest.raises(RunError, match=ELSEWHERE):
            export.export(run, form)
    assert script.refusal(run) == ELSEWHERE
    file = tmp_path / "mine.npz"
    file.write_bytes(export.export(run, "npz"))
    with pytest.raises(
        UnreadableError, match="can be read, but none of its numbers can be checked"
    ):
        list(verify(file, 1e-8, lambda *_: None))
    assert offered(run.config) == ["steps", "log steps", "seconds", "log seconds"]
    assert {*VERSUS} - {*offered(Config(problem="digits"))} == {"normalised"}
    assert offered(Config()) == list(VERSUS)
    with pytest.raises(RunError, match=ELSEWHERE):
        start(run.config, tmp_path)
    for action in ("pause", "resume", "cancel"):
        with pytest.raises(RunError, match="which alone steers it"):
            ACTIONS[action](find(run.key, tmp_path), capability.of_command(tmp_path))
    sentences = story(run.config, run.trajectories)
    assert sentences[0].startswith("Its program made 45 steps in ")
    assert len(sentences) == 2 and sentences[1].startswith("Train loss at step 45: ")
    stored = json.loads((run.folder / "config.json").read_text())
    assert Config.from_dict(stored) == run.config
    assert "learning_rate" not in stored


def test_only_watched_runs_have_a_title() -> None:
    with pytest.raises(ConfigError, match="title is not a setting"):
        Config.from_dict({"title": "mine"})
    with pytest.raises(ConfigError, match="networks must name what is recorded"):
        Config.from_dict({"problem": "watched", "networks": ""})


@pytest.mark.parametrize("page", ["README.md", "docs/guide.md"])
def test_the_example_of_the_docs_runs(page: str, tmp_path: Path) -> None:
    """The very lines, in a program that has a model and batches."""
    (example,) = (
        text
        for text in (ROOT / page).read_text(encoding="utf-8").split("```")
        if text.startswith("python\nfrom dynamics import watch")
    )
    model = nn.Module()
    model.backbone = nn.Sequential(nn.Linear(6, 5))
    model.head = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 3))
    model.forward = lambda images: model.head(model.backbone(images))  # type: ignore[method-assign]
    lines = example.removeprefix("python\n").replace('"runs"', f'"{tmp_path}"')
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    cross_entropy = nn.functional.cross_entropy

    def train_step(batch: Any) -> torch.Tensor:
        images, labels = batch
        loss = cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    batches = [(torch.randn(4, 6), torch.tensor([0, 1, 2, 0]))] * 60
    named = {"model": model, "batches": batches, "cross_entropy": cross_entropy}
    exec(lines, named | {"optimizer": optimizer, "train_step": train_step})
    run = only(tmp_path)
    assert [each.network for each in run.trajectories] == ["model", "head", "backbone_0"]
    assert run.rows()[:, 0].tolist() == [0, 50, 60]
    assert np.isfinite(run.rows()[-1]).sum() > 20
