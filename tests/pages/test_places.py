"""Places: whose turn it is when programs wait, so that no visitor holds everybody's places."""

import sys
import threading
from collections.abc import Iterator

import pytest

from pages.shared.files.places import MOST, Places, Ticket
from pages.shared.files.process import Process
from tests.support.make import until


class Visit:
    """Somebody who waits for a place in a thread, and leaves it when told to."""

    def __init__(self, places: Places, ticket: Ticket) -> None:
        self.ticket = ticket
        self.has = threading.Event()
        self.done = threading.Event()
        self._places = places
        threading.Thread(target=self._go, daemon=True).start()
        until(lambda: ticket in places._waiting or self.has.is_set())

    def _go(self) -> None:
        if self._places.take(self.ticket, self.done.is_set):
            self.has.set()
            self.done.wait()
            self._places.leave(self.ticket)


@pytest.fixture
def visits() -> Iterator[list[Visit]]:
    """All who wait in a test; they leave at its end."""
    known: list[Visit] = []
    yield known
    for visit in known:
        visit.done.set()


def test_checks_hold_no_place_of_files(visits: list[Visit]) -> None:
    """Two visitors who check long scripts kept everybody else from every export."""
    places = Places()
    visits += [Visit(places, Ticket("check", f"visitor {number}")) for number in range(4)]
    until(visits[0].has.is_set)
    visits += [Visit(places, Ticket("file", f"other {number}")) for number in range(MOST["file"])]
    assert all(visit.has.wait(10) for visit in visits[4:])
    assert sum(visit.has.is_set() for visit in visits[:4]) == MOST["check"]


def test_one_visitor_has_one_place_of_a_kind(visits: list[Visit]) -> None:
    places = Places()
    visits += [Visit(places, Ticket("file", "greedy")) for _ in range(5)]
    until(visits[0].has.is_set)
    visits.append(Visit(places, Ticket("file", "modest")))
    assert visits[-1].has.wait(10)
    assert sum(visit.has.is_set() for visit in visits[:5]) == 1


def test_the_next_place_goes_to_the_address_with_the_fewest(visits: list[Visit]) -> None:
    """Many sessions of one address wait longer than the one session of another."""
    places = Places()
    visits += [Visit(places, Ticket("file", f"tab {number}", "a")) for number in range(6)]
    until(lambda: sum(visit.has.is_set() for visit in visits) == MOST["file"])
    visits.append(Visit(places, Ticket("file", "another", "b")))
    assert places.before(visits[-1].ticket) == 6
    visits[0].done.set()
    assert visits[-1].has.wait(10)
    assert sum(visit.has.is_set() for visit in visits[:6]) == MOST["file"]


def test_whoever_gives_up_waits_no_more(visits: list[Visit]) -> None:
    places = Places()
    visits += [Visit(places, Ticket("check", name)) for name in "abc"]
    visits[1].done.set()
    until(lambda: visits[1].ticket not in places._waiting)
    visits[0].done.set()
    assert visits[2].has.wait(10) and not visits[1].has.is_set()


def test_a_process_says_how_many_are_before_it() -> None:
    wait = [sys.executable, "-c", "import time; time.sleep(600)"]
    first = Process(wait, {}, kind="check")
    until((first.folder / "output").exists)
    second = Process([sys.executable, "-c", "print('mine')"], {}, kind="check")
    try:
        until(lambda: second.before == 1)
        assert first.before == 0
        first.end()
        until(lambda: second.over)
        assert second.status == 0 and second.text("output") == "mine\n"
    finally:
        first.end()
