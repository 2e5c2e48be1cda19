"""A file of one's own: a sixth optimizer dropped into its folder, and nothing said elsewhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOFT = '''"""Soft: large gradients are made smaller"""

import torch
from torch import Tensor

KEEPS = 3
SIZE = 1e-2


def direction(gradient: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """g / (1 + |g|/SIZE)."""
    return gradient / (1 + gradient.abs() / SIZE)
'''
HEAVY = SOFT.replace("KEEPS = 3\n", "KEEPS = 1\nMOMENTUM = 0.5\n").replace(
    "    return gradient / (1 + gradient.abs() / SIZE)",
    '    trace = memory.setdefault("trace", torch.zeros_like(gradient))\n'
    "    return trace.mul_(MOMENTUM).add_(gradient)",
)
BIG = SOFT.replace("KEEPS = 3\n", "KEEPS = 0\nRESCALES = True\n")
# As narrow as the rank: a surrogate's further singular vectors are rounding, and no two alike.
RUN = """
import sys
from pathlib import Path
import numpy as np
from dynamics.core import cost
from dynamics.core.config import Config
from dynamics.core.records import Layout, Trajectory
from dynamics.engine.training.comparison import prepare
from dynamics.export.script import refusal, script
from dynamics.runs.run import Run
from dynamics.theory.course import expected
from dynamics.theory.forecast import forecast
from dynamics.theory.prediction import Facts

config = Config.from_dict({
    "problem": "factorization", "rows": 12, "cols": 12, "rank": 2, "rank_bound": 2, "steps": 60,
    "init_scale": 0.3, "learning_rate": float(sys.argv[1]), "record_every": 20, "tolerance": 0,
    "optimizer": "own",
})
plain = Config.from_dict(config.to_dict() | {"optimizer": "gradient_descent"})
comparison = prepare(config)
records = [each for each in comparison if each]
layout = Layout.of(records[0], comparison.facts)
run = Run(Path(config.key))
run.folder.mkdir(exist_ok=True)
run.write("config.json", config.to_dict())
run.write("layout.json", layout.to_dict())
rows = np.array([layout.row(each) for each in records])
(run.folder / "records.f8").write_bytes(rows.astype("<f8").tobytes())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy of the library."""
    shutil.copytree(ROOT / "dynamics", tmp_path / "dynamics", ignore=shutil.ignore_patterns("*.gz"))
    return tmp_path


def output(program: Path, optimizer: str, code: str, rate: float = 1.0) -> list[str]:
    """What a process prints that trains with this optimizer as its own."""
    (program / "dynamics/engine/optimizers/own.py").write_text(optimizer)
    done = subprocess.run(
        [sys.executable, "-c", RUN + code, str(rate)],
        cwd=program,
        env=os.environ | {"PYTHONPATH": str(program)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_own_rule_is_trained_sized_and_repeated_and_its_times_are_unknown(program: Path) -> None:
    """No table elsewhere lists optimizers: what is not stated is said to be unknown."""
    code = """
numbers = cost.memory(config, "compressed") - cost.memory(plain, "compressed")
print(numbers / 8 / (2 * 12 * 2 + 2 * 2))
made = forecast(config).networks["compressed"]
print(made.escapes.value, made.escapes.standing, *made.escapes.breaks)
print(expected(config, Facts.of(comparison.facts))["compressed"].followed)
Path("again.py").write_text(script(run))
"""
    size, times, followed = output(program, SOFT, code)
    assert float(size) == 4 * 3  # by parameter: in training, and in records being measured
    assert times.startswith("None unknown Nothing is known of the optimizer own: it has its own")
    assert int(followed) == 0
    again = subprocess.run(
        [sys.executable, "-I", "again.py"], cwd=program, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.endswith("Everything agrees.\n")


def test_an_own_momentum_has_its_exact_course(program: Path) -> None:
    code = """
course = expected(config, Facts.of(comparison.facts))["compressed"]
trajectory, = [t for t in layout.trajectories(rows) if t.network == "compressed"]
off = course.residuals(trajectory.steps, trajectory.series["singular_values"])
print(course.followed, np.nanmax(off))
"""
    followed, off = output(program, HEAVY, code)[0].split()
    assert int(followed) > 10 and float(off) < 1e-9


@pytest.mark.slow
def test_what_rescales_is_verified_and_repeated_more_loosely(program: Path) -> None:
    """Where the gradient is rounding, so is its size."""
    code = """
from dynamics.peers import verify
print("TOLERANCE = 1e-06" in script(run))
zero = {"original_" + name: np.zeros((1, 5)) for name in verify.QUANTITIES}
zero["iteration"] = np.zeros(1)
ours = {name: np.zeros((1, 5)) for name in verify.QUANTITIES.values()}
content = verify.TrajectoryFile({"r": 2, "optimizer": "own"}, zero)
print({each.tolerance for each in verify._deviations("f", "original", ours, ours, content, 1e-8)})
"""
    assert output(program, BIG, code) == ["True", "{1e-06}"]
    assert output(program, SOFT, code)[0] == "False"


@pytest.mark.slow
def test_what_a_script_cannot_hold_is_refused(program: Path) -> None:
    """A name of the script's own, or an import that it has not."""
    for text in (SOFT.replace("SIZE", "TOLERANCE"), f"{SOFT}\n\nimport jaxtyping\n"):
        (sentence,) = output(program, text, "print(refusal(run))")
        assert sentence.startswith("A script cannot repeat a run with the optimizer own: its file ")
