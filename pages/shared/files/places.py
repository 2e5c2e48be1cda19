"""Places: whose turn it is to run a program, so that no visitor holds everybody's places.

Files and checks of scripts have places of their own: a check may train for many minutes. A visitor
has one place of a kind at a time; the next free one goes to whoever waits at an address with the
fewest, and among those to who came first.
"""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["file", "check"]
MOST: dict[Kind, int] = {"file": 2, "check": 1}
PACE = 0.1  # seconds between two looks at whether a visitor still waits
_COUNTER = itertools.count()


@dataclass(frozen=True, eq=False)
class Ticket:
    """Somebody's wish to run a program.

    Attributes:
        kind: of the program.
        visitor: the session that wants it.
        address: where its browser is; empty for this machine.
    """

    kind: Kind
    visitor: str
    address: str = ""
    number: int = field(default_factory=lambda: next(_COUNTER))


class Places:
    """The places of one web process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []

    def take(self, ticket: Ticket, unwanted: Callable[[], bool]) -> bool:
        """Wait for a place; false if it is no longer wanted before one is free."""
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._next(ticket.kind) is not ticket:
                    if unwanted():
                        return False
                    self._changed.wait(PACE)
                self._running.append(ticket)
                return True
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def leave(self, ticket: Ticket) -> None:
        """Give the place back."""
        with self._changed:
            self._running.remove(ticket)
            self._changed.notify_all()

    def before(self, ticket: Ticket) -> int:
        """How many of the same kind run or have waited longer."""
        with self._changed:
            ahead = [*self._running, *self._waiting]
            return sum(each.kind == ticket.kind and each.number < ticket.number for each in ahead)

    def _next(self, kind: Kind) -> Ticket | None:
        """Who takes the next place; None if none is free or nobody may take it."""
        running = [each for each in self._running if each.kind == kind]
        if len(running) >= MOST[kind]:
            return None
        busy = {each.visitor for each in running}
        addresses = [each.address for each in running]
        free = [each for each in self._waiting if each.kind == kind and each.visitor not in busy]
        order = sorted(free, key=lambda each: (addresses.count(each.address), each.number))
        return order[0] if order else None
