"""Limits: of visitors, addresses and runs, each with real workers; the owner has none of them."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from dynamics.core.config import Config
from dynamics.core.sweep import Axis, Sweep
from dynamics.engine.training.comparison import prepare
from dynamics.runs import capability, limits, sweeper
from dynamics.runs.capability import OWNER, Capability
from dynamics.runs.group import Group
from dynamics.runs.limits import LimitError, Limits
from dynamics.runs.run import CANCEL, Run, RunError, Status
from dynamics.runs.start import start
from tests.support.make import LONG, endless, small, until

Set = Callable[[str], None]


@pytest.fixture
def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Set:
    """A function that gives the server other limits."""

    def given(text: str) -> None:
        file = tmp_path / "limits.toml"
        file.write_text(text)
        monkeypatch.setenv(limits.OWN, str(file))

    return given


@pytest.fixture
def visitor(folder: Path) -> Capability:
    folder.mkdir()
    return visit(folder)


def visit(folder: Path, address: str = "192.0.2.7") -> Capability:
    return dataclasses.replace(capability.issue(folder), address=address)


def test_one_visitor_does_not_fill_the_queue(folder: Path, visitor: Capability) -> None:
    """They press Train 71 times; whoever comes next still has a place, and so has the owner."""
    begun, refused = 0, 0
    for seed in range(71):
        try:
            start(endless(seed_init=seed), folder, by=visitor)
            begun += 1
        except LimitError as error:
            refused += "of one visitor" in str(error)
    most = limits.of(folder, visitor)
    assert begun <= most.live and begun + refused == 71
    assert start(small(seed_data=1), folder, by=visit(folder)).status.live
    assert start(small(seed_data=2), folder).status.live
    # What is there already is shown and takes nothing.
    assert start(endless(seed_init=0), folder, by=visitor).status.live


def test_new_visitors_from_one_address_are_counted_together(
    folder: Path, visitor: Capability, limited: Set
) -> None:
    """Whoever throws the cookie away is another visitor, and not elsewhere."""
    limited("[public]\naddress = 2")
    for seed in (1, 2):
        start(endless(seed_init=seed), folder, by=visit(folder))
    with pytest.raises(LimitError, match="2 runs of one address"):
        start(endless(seed_init=3), folder, by=visit(folder))
    start(endless(seed_init=3), folder, by=visit(folder, "192.0.2.8"))
    files = [file for file in folder.rglob("*.json") if b"192.0.2" in file.read_bytes()]
    assert not files  # a run keeps no address


def test_a_visitor_keeps_so_many_runs(folder: Path, visitor: Capability, limited: Set) -> None:
    limited("[public]\nkept = 1")
    run = start(small(), folder, by=visitor)
    until(lambda: run.status.phase == "done")
    with pytest.raises(LimitError, match="1 run of yours"):
        start(small(seed_init=1), folder, by=visitor)
    run.delete()
    assert start(small(seed_init=1), folder, by=visitor).status.live


@pytest.mark.parametrize(
    ("mine", "changes", "words"),
    [
        (Limits(records=100), {"steps": 1000, "record_every": 1}, "Δt of 11 or more would fit"),
        (Limits(bytes=100_000), {"steps": 1000, "record_every": 1}, "Δt of "),
        (Limits(memory=400_000_000), {"rows": 3000, "cols": 3000}, "less wide matrix would fit"),
    ],
)
def test_what_is_too_large_is_refused_with_what_would_fit(
    mine: Limits, changes: dict[str, int], words: str
) -> None:
    config = small(**changes)
    sentence = limits.refusal(config, mine)
    assert words in sentence and sentence.endswith(".")
    assert not limits.refusal(config, Limits())
    if "Δt of" in words:
        fits = int(sentence.partition("Δt of ")[2].split()[0].replace(",", ""))
        assert not limits.refusal(dataclasses.replace(config, record_every=fits), mine)
        closer = dataclasses.replace(config, record_every=max(1, fits - 2))
        assert limits.refusal(closer, mine)


@pytest.mark.parametrize("changes", [{}, {"rank_bound": 10}, {"rows": 40, "cols": 30, "depth": 5}])
def test_a_record_is_about_as_wide_as_is_told(changes: dict[str, int]) -> None:
    """Told before torch has been loaded; a run is refused for it."""
    config = small(steps=1, **changes)
    records = next(each for each in prepare(config) if each)
    width = 1 + sum(
        4 + sum(value.size for value in map(_array, record.values.values()))
        for record in records.values()
    )
    assert 0.7 * width <= limits.row(config) <= 2 * width


def _array(value: object) -> "np.ndarray":
    return np.asarray(value)


def test_sweeps_and_groups_are_held_to_them(
    folder: Path, visitor: Capability, limited: Set
) -> None:
    limited("[public]\nrecords = 10\nlive = 2")
    sweep = Sweep.of({"steps": 1000, "record_every": 10}, [Axis.read("alpha", "1,2")])
    with pytest.raises(LimitError, match="10 records"):
        sweeper.start(sweep, folder, visitor)
    limited("[public]\nlive = 2")
    group = Group([endless(seed_init=seed) for seed in range(5)], folder, visitor)
    group.start()
    assert len(group.progress().of("queued", "running")) == 2


def test_a_worker_of_a_visitor_is_bound_and_dies_first(
    folder: Path, visitor: Capability, limited: Set
) -> None:
    limited("[public]\nbytes = 412345678\nseconds = 77\nmemory = 3000000000")
    run = start(endless(), folder, by=visitor)
    mine = start(endless(seed_init=1), folder)
    until(lambda: run.status.phase == mine.status.phase == "running")
    worker, free = psutil.Process(run.status.pid), psutil.Process(mine.status.pid)
    assert worker.rlimit(psutil.RLIMIT_FSIZE)[0] == 412345678
    assert worker.rlimit(psutil.RLIMIT_CPU) == (77, 77 + limits.MORE_SECONDS)
    if not limits.GPU.exists():
        assert worker.rlimit(psutil.RLIMIT_DATA)[0] == 3_000_000_000
    assert free.rlimit(psutil.RLIMIT_CPU)[0] == psutil.RLIM_INFINITY
    for each in (worker, free):
        score = Path(f"/proc/{each.pid}/oom_score_adj").read_text("ascii")
        assert int(score) == limits.DIES_FIRST


def test_a_run_without_end_ends(folder: Path, visitor: Capability, limited: Set) -> None:
    """After its seconds of a processor, with its records; started again, it goes on."""
    limited("[public]\nseconds = 2")
    run = start(small(steps=LONG, record_every=1000, tolerance=0.0), folder, by=visitor)
    until(lambda: run.status.phase == "failed")
    assert "2 s of a processor" in run.status.message and run.status.step > 0
    step = run.status.step
    limited("[public]\nseconds = 0")
    again = start(run.config, folder, by=visitor)
    until(lambda: again.status.step > step and again.status.phase == "running")
    again.ask(CANCEL)


@pytest.mark.parametrize(
    ("limit", "config", "words"),
    [
        ("bytes = 200_000", endless(), "may have 200 kB here"),
        ("memory = 900_000_000", small(rows=2500, cols=2500, width=2500), "may take 900 MB"),
    ],
)
def test_the_kernel_holds_what_was_not_told_before(
    folder: Path, limited: Set, limit: str, config: Config, words: str
) -> None:
    """With whole records, and a sentence that names the limit."""
    if "memory" in limit and limits.GPU.exists():
        pytest.skip("no limit of addresses where there is a GPU")
    limited(f"[local]\n{limit}")
    run = Run(folder / config.key)
    run.folder.mkdir(parents=True)
    run.write("config.json", config.canonical().to_dict())
    run.write("status.json", dataclasses.asdict(Status("queued")))
    subprocess.run([sys.executable, "-m", "dynamics.runs.worker", str(run.folder)], check=True)
    assert run.status.phase == "failed", run.status
    assert words in run.status.message and "limits.toml" in run.status.message
    if "bytes" in limit:
        assert run.sound and 150_000 < (run.folder / "records.f8").stat().st_size <= 200_000


@pytest.mark.parametrize("text", ["[public]\nlives = 2", "[public]\nlive = -1", "[x]\na = 1", "{"])
def test_a_limit_that_is_none_is_named(
    folder: Path, visitor: Capability, limited: Set, text: str
) -> None:
    limited(text)
    with pytest.raises(RunError, match=r"limits\.toml"):
        start(small(), folder, by=visitor)


def test_the_owner_has_no_limit_but_the_queue(folder: Path) -> None:
    assert limits.of(folder, OWNER) == Limits()
    assert Config() and not limits.refusal(Config(), limits.of(folder, OWNER))
