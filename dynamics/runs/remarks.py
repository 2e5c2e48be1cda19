"""Remarks: what a reader says of a run: its name, a note, tags, and whether it stands first."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dynamics.core.machine import files
from dynamics.runs.run import Run, RunError

FILE = "remarks.json"
LONGEST = {"name": 80, "note": 2000, "tag": 30}  # characters
MOST_TAGS = 10
LARGEST = 20_000  # bytes of a file that is read; ``write`` makes none that large


@dataclass(frozen=True)
class Remarks:
    """A reader's own words on a run; none of them is a setting, so they change no key.

    Attributes:
        name: what the run is called, in one line.
        note: any text.
        tags: short words that gather runs, each once, in alphabetical order.
        pinned: whether the run stands before all others.

    Raises:
        ValueError: with one sentence, if a text is too long or there are too many tags.
    """

    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    pinned: bool = False

    def __post_init__(self) -> None:
        tidy: dict[str, Any] = {
            "name": " ".join(str(self.name).split()),
            "note": str(self.note).strip(),
            "tags": tuple(sorted({" ".join(tag.split()) for tag in map(str, self.tags)} - {""})),
            "pinned": self.pinned is True,
        }
        for field, value in tidy.items():
            object.__setattr__(self, field, value)
        texts = [("name", self.name), ("note", self.note), *(("tag", tag) for tag in self.tags)]
        for what, text in texts:
            if len(text) > LONGEST[what]:
                raise ValueError(
                    f"A {what} has at most {LONGEST[what]:,} characters; {len(text):,} were given."
                )
        if len(self.tags) > MOST_TAGS:
            raise ValueError(f"A run has at most {MOST_TAGS} tags; {len(self.tags)} were given.")


def read(run: Run) -> Remarks:
    """The remarks on a run; none if nothing was said, or if the file is damaged."""
    file = run.folder / FILE
    try:
        if file.stat().st_size > LARGEST:
            return Remarks()
        stored = files.parsed(file.read_bytes())
        known = {field.name for field in dataclasses.fields(Remarks)}
        given = {name: value for name, value in dict(stored).items() if name in known}
        tags = given.pop("tags", ())
        return Remarks(**given, tags=tuple(tags) if isinstance(tags, Iterable) else ())
    except (OSError, ValueError, TypeError):
        return Remarks()


def write(run: Run, remarks: Remarks) -> None:
    """Keep remarks in the folder of a run, in place of earlier ones.

    Raises:
        RunError: with one sentence, if the folder cannot be written or is a newer version's.
    """
    content = json.dumps(dataclasses.asdict(remarks), ensure_ascii=False).encode()
    run.need_known()
    try:
        files.replace(run.folder / FILE, content)
    except OSError as error:
        raise RunError(
            f"The remarks on run {run.key} cannot be kept: {files.refusal(error, run.folder)}"
        ) from None
