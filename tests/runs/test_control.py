"""Control: each action as owner, maker, stranger and forger; whoever goes on with a run."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from dynamics.core.sweep import Axis, Sweep
from dynamics.runs import capability, control, remarks
from dynamics.runs.capability import OWNER, STRANGER, Capability
from dynamics.runs.control import Action, StrangerError
from dynamics.runs.executors.here import Here
from dynamics.runs.group import Group
from dynamics.runs.remarks import Remarks
from dynamics.runs.run import CANCEL, PAUSE, RUN, Run, RunError
from dynamics.runs.start import start
from dynamics.runs.sweep import SweepFolder, Training
from tests.support.make import LONG, small, until

STEERED = {"pause": PAUSE, "go on": RUN, "cancel": CANCEL, "change": CANCEL}


def signed(folder: Path, content: str) -> Capability:
    """A token as another server signs it: its folder of runs has another key."""
    other = folder.parent / "another server"
    return Capability(capability._signed(other, *content.split(".")))


def changed(folder: Path, mine: Capability) -> Capability:
    kind, number, signature = mine.token.split(".")
    last = "0" if signature[-1] != "0" else "1"
    return Capability(f"{kind}.{number}.{signature[:-1]}{last}")


def number_of(mine: Capability) -> str:
    return mine.token.split(".")[1]


def revoked(folder: Path, mine: Capability) -> Capability:
    capability.revoke(folder, {capability.digest(folder, mine)})
    return mine


def revoked_with_the_key(folder: Path, mine: Capability) -> Capability:
    capability.revoke_all(folder)
    return mine


# What a stranger may show, who knows all that the maker knows but the maker's own token.
FORGED: dict[str, Callable[[Path, Capability], Capability]] = {
    "nothing": lambda folder, mine: STRANGER,
    "one of their own": lambda folder, mine: capability.issue(folder),
    "a changed signature": changed,
    "no signature": lambda folder, mine: Capability(f"maker.{number_of(mine)}."),
    "another server's key": lambda folder, mine: signed(folder, f"maker.{number_of(mine)}"),
    "another server's owner": lambda folder, mine: signed(folder, "owner.1"),
    "the digest": lambda folder, mine: Capability(f"maker.{capability.digest(folder, mine)}.0"),
    "a maker's signature as an owner": lambda folder, mine: Capability(
        mine.token.replace("maker.", "owner.", 1)
    ),
    "a user's secret": lambda folder, mine: Capability(secret=number_of(mine) + "?"),
    "letters of another alphabet": lambda folder, mine: Capability("maker.1.é"),
    "half a token": lambda folder, mine: Capability("maker"),
    "a thousand letters": lambda folder, mine: Capability(mine.token + "0" * 1000),
    "a revoked one": revoked,
    "one of a removed key": revoked_with_the_key,
}


@pytest.fixture
def theirs(tmp_path: Path, finished: Run) -> tuple[Run, Capability]:
    """A finished run of somebody in a browser, in a folder of its own, and what they show."""
    folder = tmp_path / "runs"
    folder.mkdir()
    maker = capability.issue(folder)
    run = Run(folder / finished.key)
    run.folder.mkdir()
    for file in finished.folder.glob("*.*"):
        if file.is_file():
            (run.folder / file.name).write_bytes(file.read_bytes())
    control.begin(run, maker, new=True)
    return run, maker


def state(run: Run) -> tuple[bytes, dict[str, bytes]]:
    """All that an action can change, and what the worker was asked."""
    return run.asked(), {file.name: file.read_bytes() for file in run.folder.glob("*.*")}


def done(run: Run, action: Action, by: Capability) -> None:
    """Do an action; those that need a new worker are checked alone."""
    if action in ("train anew", "fork", "compress"):
        control.check(run, action, by)
    else:
        control.steer(run, action, by, Remarks(name="mine now"))


@pytest.mark.parametrize("action", get_args(Action))
def test_maker_and_owner_do_everything(theirs: tuple[Run, Capability], action: Action) -> None:
    run, maker = theirs
    token = capability.owners(run.runs)
    in_a_browser = capability.issue_owner(run.runs, token)
    assert in_a_browser
    for by in (maker, in_a_browser, OWNER):
        assert control.may(run, action, by)
    run.ask(CANCEL if action == "go on" else RUN)
    done(run, action, maker)
    if action in STEERED:
        assert run.asked() == STEERED[action]
    assert run.folder.exists() == (action != "delete")
    assert (remarks.read(run).name == "mine now") == (action == "remark")


@pytest.mark.parametrize("action", get_args(Action))
@pytest.mark.parametrize("how", FORGED)
def test_strangers_and_forgers_watch_and_fork(
    theirs: tuple[Run, Capability], action: Action, how: str
) -> None:
    run, maker = theirs
    forged = FORGED[how](run.runs, maker)
    run.ask(CANCEL if action == "go on" else RUN)
    before = state(run)
    if action in ("fork", "compress"):
        assert control.may(run, action, forged)
        return
    with pytest.raises(StrangerError, match="Somebody else started"):
        done(run, action, forged)
    assert state(run) == before


def test_a_run_without_a_maker_is_the_owner_s(theirs: tuple[Run, Capability]) -> None:
    """Such as older ones, and one whose file is damaged."""
    run, maker = theirs
    for content in (None, b"", b"[]", b"{", b'{"made": ["x"]}', b"\xff" * 2000):
        (run.folder / control.FILE).unlink(missing_ok=True)
        if content is not None:
            (run.folder / control.FILE).write_bytes(content)
        for by in (maker, STRANGER):
            assert control.role(run, by) == "stranger"
    assert control.role(run, OWNER) == "owner"


def test_the_folder_keeps_no_secret_and_its_key_is_for_the_owner_alone(
    theirs: tuple[Run, Capability],
) -> None:
    run, maker = theirs
    number = number_of(maker).encode()
    files = [file for file in run.runs.rglob("*") if file.is_file()]
    assert not [file for file in files if number in file.read_bytes()]
    assert json.loads((run.folder / control.FILE).read_text())["made"]
    private = run.runs / capability.FOLDER
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE((private / "key").stat().st_mode) == 0o600
    assert number.decode() not in repr(maker)


def test_a_key_that_was_cut_off_signs_nothing(theirs: tuple[Run, Capability]) -> None:
    """An empty key is one that everybody knows."""
    run, maker = theirs
    (run.runs / capability.FOLDER / "key").write_bytes(b"")
    assert control.role(run, maker) == "stranger"
    assert len((run.runs / capability.FOLDER / "key").read_bytes()) == capability.LENGTH


def test_the_owner_s_token_is_the_one_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one ends what the old one has opened."""
    monkeypatch.setenv(capability.OWNERS, "correct horse")
    assert capability.issue_owner(tmp_path, "wrong horse") is None
    assert capability.issue_owner(tmp_path, "") is None
    mine = capability.issue_owner(tmp_path, "correct horse")
    assert mine and capability.owns(tmp_path, mine)
    monkeypatch.setenv(capability.OWNERS, "another horse")
    assert not capability.owns(tmp_path, mine)


def test_a_stranger_s_start_replaces_nothing(theirs: tuple[Run, Capability]) -> None:
    """Neither anew, after a forged Reset, nor where the folder cannot be read."""
    run, maker = theirs
    config, before = run.config, (run.folder / "records.f8").stat().st_ino
    remarks.write(run, Remarks(name="of a class"))
    assert start(config, run.runs, by=capability.issue(run.runs), anew=True).key == run.key
    assert (run.folder / "records.f8").stat().st_ino == before
    assert run.status.phase == "done"
    (run.folder / "status.json").write_bytes(b"of a version to come")
    with pytest.raises(StrangerError, match="train it anew"):
        start(config, run.runs, by=capability.issue(run.runs))
    assert (run.folder / "records.f8").stat().st_ino == before
    again = start(config, run.runs, by=maker)  # mends it
    until(lambda: not again.status.live)
    assert again.status.phase == "done" and remarks.read(again).name == "of a class"
    assert control.role(again, maker) == "maker"


def test_whoever_goes_on_with_a_run_steers_that_and_owns_nothing(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    maker, other, third = (capability.issue(folder) for _ in range(3))
    config = small(steps=LONG, record_every=1000, tolerance=0.0)
    run = start(config, folder, by=maker)
    assert start(config, folder, by=other).key == run.key
    assert control.role(run, other) == "stranger"
    control.steer(run, "cancel", maker)
    until(lambda: not run.status.live and not run._worker_lives())
    start(config, folder, by=other)
    assert control.role(run, other) == "starter"
    for action in get_args(Action):
        free = action in ("fork", "compress")
        rights = (control.may(run, action, by) for by in (maker, other, third))
        theirs = action in STEERED or free
        assert tuple(rights) == (True, theirs, free), action
    control.steer(run, "cancel", other)
    until(lambda: not run.status.live)
    assert control.role(run, maker) == "maker"


def test_a_group_cancels_only_what_is_theirs_who_ask(folder: Path) -> None:
    """Two students of a class share the runs of a lesson."""
    folder.mkdir(exist_ok=True)
    mine, theirs = (capability.issue(folder) for _ in range(2))
    configs = [
        small(steps=LONG, record_every=1000, tolerance=0.0, seed_data=seed) for seed in (1, 2)
    ]
    first = start(configs[0], folder, by=theirs)
    group = Group(configs, folder, mine)
    group.start()
    group.cancel()
    assert first.asked() == RUN
    assert group.run(configs[1]).asked() == CANCEL
    assert not group.mine([configs[0]])


def test_a_sweep_replaces_no_run_of_others(tmp_path: Path) -> None:
    """It needs a measurement that finished runs lack, and trains them for itself alone."""
    maker, other = (capability.issue(tmp_path) for _ in range(2))
    plain, leak = (sweep_of(**outcome) for outcome in ({}, {"outcome": "leak"}))
    trained(plain, tmp_path, maker)
    run = Run(tmp_path / plain.configs[0].key)
    remarks.write(run, Remarks(note="mine"))
    inode = run.folder.stat().st_ino
    assert control.role(run, maker) == "maker"
    place = trained(leak, tmp_path, other)
    assert len(place.outcomes()[0]) == 2 and run.folder.stat().st_ino == inode
    assert control.role(place, other) == "maker"
    with pytest.raises(StrangerError):
        control.steer(place, "cancel", maker)
    (place.folder / "outcomes.jsonl").unlink()
    trained(leak, tmp_path, OWNER)  # who may; what the maker said of it stays
    assert run.folder.stat().st_ino != inode
    assert control.role(run, maker) == "maker" and remarks.read(run).note == "mine"


def sweep_of(**more: str) -> Sweep:
    base = {"rows": 12, "cols": 12, "rank": 2, "steps": 20, "record_every": 10}
    return Sweep.of(base, [Axis.read("alpha", "1,2")], **more)


def trained(sweep: Sweep, folder: Path, by: Capability) -> SweepFolder:
    for _ in Training(sweep, folder, Here(1), by=by):
        pass
    return SweepFolder(folder, sweep.key)


def test_only_the_owner_revokes(theirs: tuple[Run, Capability]) -> None:
    run, maker = theirs
    with pytest.raises(StrangerError):
        control.revoke(run, maker)
    assert control.role(run, maker) == "maker"
    control.revoke(run, OWNER)
    assert control.role(run, maker) == "stranger"
    assert not capability.holds(run.runs, maker)


def test_a_user_who_cannot_read_the_key_has_a_secret_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine of several users. To root everything is readable; a folder is no key."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    (tmp_path / capability.FOLDER / "key").mkdir(parents=True)
    mine = capability.of_command(tmp_path)
    assert mine.secret and not capability.owns(tmp_path, mine)
    assert capability.of_command(tmp_path) == mine
    file = tmp_path / "home" / "dln-explorer" / "capability"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    run = Run(tmp_path / "0123456789abcdef")
    run.folder.mkdir()
    control.begin(run, mine, new=True)
    assert control.role(run, mine) == "maker"
    assert capability.digest(tmp_path, mine) in (run.folder / control.FILE).read_text()
    (tmp_path / capability.FOLDER / "key").rmdir()
    assert capability.of_command(tmp_path) == OWNER


def test_where_the_folder_cannot_be_written_the_process_has_a_key_of_its_own(
    tmp_path: Path,
) -> None:
    runs = tmp_path / "a file"
    runs.write_bytes(b"")
    mine = capability.issue(runs)
    assert capability.holds(runs, mine) and not capability.holds(tmp_path, mine)


def test_a_run_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        control.steer(Run(tmp_path / "0123456789abcdef"), "pause", OWNER)
