"""Control: the one place that decides who may do what with a run or a sweep, and does it.

Everybody may watch a run, export it and fork it. Whoever started it, its maker, may do everything
with it, and so may the owner of the folder of runs. Whoever goes on with a run that its maker left
steers that training alone. Runs without a maker are the owner's.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from dynamics.core.machine import files
from dynamics.runs import capability, remarks
from dynamics.runs.capability import Capability
from dynamics.runs.run import CANCEL, PAUSE, RUN, Run, RunError

FILE = "maker.json"  # in a run's folder: the digests of whoever made it, and went on with it last
LARGEST = 1000  # bytes of it
Action = Literal[
    "pause", "go on", "cancel", "change", "train anew", "delete", "remark", "fork", "compress"
]
Role = Literal["owner", "maker", "starter", "stranger"]
MINE: tuple[Role, ...] = ("owner", "maker")
AT_WORK: tuple[Role, ...] = ("owner", "maker", "starter")
ALL: tuple[Role, ...] = ("owner", "maker", "starter", "stranger")
RIGHTS: Mapping[Action, tuple[Role, ...]] = {
    "pause": AT_WORK,
    "go on": AT_WORK,
    "cancel": AT_WORK,
    "change": AT_WORK,  # a run with other rates takes the place of this one, which ends
    "train anew": MINE,  # from step 0, in place of all records
    "delete": MINE,
    "remark": MINE,
    "fork": ALL,  # makes a second run
    "compress": ALL,  # this, too
}
WORDS: Mapping[Action, str] = {
    "pause": "pause it",
    "go on": "let it go on",
    "cancel": "end it",
    "change": "change it",
    "train anew": "train it anew",
    "delete": "delete it",
    "remark": "name it, note something or tag it",
}
CONTROLS = {"pause": PAUSE, "go on": RUN, "cancel": CANCEL, "change": CANCEL}


class StrangerError(RunError):
    """Somebody asks for what only a run's maker or the owner may do."""


class Place(Protocol):
    """The folder of a run or of a sweep."""

    @property
    def key(self) -> str:
        """Its name."""

    @property
    def folder(self) -> Path:
        """Its folder."""

    @property
    def runs(self) -> Path:
        """The folder of all runs."""

    def ask(self, control: bytes) -> None:
        """Ask its process for something."""


def steer(
    place: Place, action: Action, by: Capability, said: remarks.Remarks | None = None
) -> None:
    """Do one of the actions that need no new worker.

    Args:
        place: of the run or sweep.
        action: what is asked for.
        by: who asks for it.
        said: the new remarks, for "remark".

    Raises:
        StrangerError: if it is not theirs to do.
        RunError: if it cannot be done.
    """
    check(place, action, by)
    if action in CONTROLS:
        place.ask(CONTROLS[action])
    elif action == "delete" and isinstance(place, Run):
        place.delete()
    elif action == "remark" and isinstance(place, Run) and said is not None:
        remarks.write(place, said)
    else:
        raise ValueError(f"{action} is done by a new worker: see start.")


def check(place: Place, action: Action, by: Capability) -> None:
    """Raise an error if somebody may not do something.

    Raises:
        StrangerError: with one sentence.
    """
    if not may(place, action, by):
        raise StrangerError(
            f"Somebody else started {place.key}: only they and the server's owner can "
            f"{WORDS[action]}."
        )


def may(place: Place, action: Action, by: Capability) -> bool:
    """Whether somebody may do something with a run or a sweep."""
    return role(place, by) in RIGHTS[action]


def role(place: Place, by: Capability) -> Role:
    """What somebody is to a run or a sweep."""
    if capability.owns(place.runs, by):
        return "owner"
    mine = capability.digest(place.runs, by)
    made, began = digests(place)
    if not mine:
        return "stranger"
    if mine == made:
        return "maker"
    return "starter" if mine == began else "stranger"


def digests(place: Place) -> tuple[str, str]:
    """Of whoever made a run and whoever went on with it last; empty for the owner."""
    stored = _stored(place)
    return str(stored.get("made", "")), str(stored.get("began", ""))


def address(place: Place) -> str:
    """The digest of the address from which somebody went on with a run last."""
    return str(_stored(place).get("address", ""))


def _stored(place: Place) -> dict[str, Any]:
    try:
        with open(place.folder / FILE, "rb") as file:
            return dict(files.parsed(file.read(LARGEST)))
    except (OSError, ValueError, TypeError):
        return {}


def begin(place: Place, by: Capability, folder: Path | None = None, *, new: bool) -> None:
    """Keep who goes on with a run or a sweep from now on and, of a new one, that they made it.

    Args:
        place: of the run or sweep.
        by: who has it trained.
        folder: where that is written, if the run is made ready in another one.
        new: whether nothing of it was there before.

    Raises:
        OSError: if it cannot be written.
    """
    mine = capability.digest(place.runs, by)
    made = mine if new else digests(place)[0]
    sign(folder or place.folder, made, mine, capability.address_digest(place.runs, by))


def sign(folder: Path, made: str, began: str, address: str = "") -> None:
    """Keep these digests in a folder.

    Raises:
        OSError: if it cannot be written.
    """
    kept = {"made": made, "began": began, "address": address}
    if made or began or (folder / FILE).exists():
        files.replace(folder / FILE, json.dumps(kept).encode())


def check_owner(runs: Path, by: Capability) -> None:
    """Raise an error if somebody does not own the folder of runs.

    Raises:
        StrangerError: with one sentence.
    """
    if not capability.owns(runs, by):
        raise StrangerError(f"Only the owner of {runs} can do that.")


def revoke(place: Place, by: Capability) -> None:
    """Let the capability not hold any more with which a run was made, nor that of who went on.

    Raises:
        StrangerError: if it is not the owner who asks.
        RunError: if it cannot be written.
    """
    check_owner(place.runs, by)
    try:
        capability.revoke(place.runs, set(digests(place)) - {""})
    except OSError as error:
        raise RunError(files.refusal(error, place.runs)) from None
