"""Ctrl-C, pressed at real processes: one sentence, status 130, and only what is theirs ended."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dynamics.core.description import command
from dynamics.core.sweep import Axis, Sweep
from dynamics.paper.plan import Plan
from dynamics.runs import queue
from dynamics.runs.run import PAUSE, listing
from dynamics.runs.start import start
from dynamics.runs.sweep import SweepFolder
from tests.support.make import endless, is_sentence, small, until

ROOT = Path(__file__).parents[2]


def pressed(words: list[str], sign: bytes) -> tuple[int, list[str]]:
    """The status and the last lines of a command at which Ctrl-C is pressed after a sign of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored here
    try:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.stderr
    seen = b""
    while sign not in seen:
        more = process.stderr.read1()
        assert more, seen.decode()
        seen += more
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=300)
    text = (seen + rest).decode()
    assert "Traceback" not in text
    return process.returncode, text.splitlines()


def test_ctrl_c_while_the_program_loads_is_no_traceback() -> None:
    """As soon as Python has loaded its first module for it."""
    status, lines = pressed(["-X", "importtime", "-m", "dynamics", "runs"], b"argparse\n")
    assert (status, lines[-1]) == (130, "dynamics: Ctrl-C has ended it.")


def test_ctrl_c_at_attribution_ends_all_its_runs(folder: Path) -> None:
    """As at every other command, not with the status of bad input."""
    words = command(endless()).replace(" run ", " attribution ").split()[1:]
    status, lines = pressed([*words, "--seeds", "2", "--runs", str(folder)], b"0.00/")
    assert status == 130 and "the same command continues" in lines[-1] and is_sentence(lines[-1])
    begun = [run for run, *_ in listing(folder)]
    until(lambda: [run.status.phase for run in begun] == ["cancelled"] * len(begun))
    assert 1 <= len(begun) <= queue.capacity()


@pytest.mark.parametrize("name", ["run", "figure"])
def test_a_run_that_another_command_started_goes_on(name: str, folder: Path) -> None:
    """Two share it: whoever leaves first does not end it for the other, and says so."""
    config = endless() if name == "run" else Plan.of("completion").distinct[0]
    words = command(config) if name == "run" else "python -m dynamics figure completion"
    run = start(config, folder)
    run.ask(PAUSE)
    status, lines = pressed([*words.split()[1:], "--runs", str(folder)], b"0.00/")
    assert status == 130 and "another command started" in lines[-1] and is_sentence(lines[-1])
    assert run.asked() == PAUSE and run.status.live


def test_ctrl_c_at_a_sweep_keeps_what_is_finished(folder: Path) -> None:
    """The same command trains the rest, and ends by itself."""
    axes = [Axis.read("alpha", "1:3:0.25"), Axis.read("rank_bound", "2:9:1")]
    base = small(steps=20_000, record_every=500, tolerance=0.0).to_dict()
    shared = {name: base[name] for name in base.keys() - {"alpha", "rank_bound", "networks"}}
    sweep = Sweep.of(shared, axes, outcome="final")
    words = [*sweep.command.split()[1:], "--runs", str(folder)]
    status, lines = pressed(words, b"/72 runs, about")
    assert status == 130 and is_sentence(lines[-1])
    kept = SweepFolder(folder, sweep.key).progress()
    told = re.search(r"cancelled with (\d+) of 72 runs finished; the same command", lines[-1])
    assert told and kept.phase == "cancelled"
    assert 0 < int(told[1]) <= len(kept.values) == len(listing(folder)) < 72
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{len(kept.values)} of them finished already" in done.stderr.decode()
    assert len(SweepFolder(folder, sweep.key).progress().values) == 72
