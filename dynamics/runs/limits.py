"""Limits: what a run, its visitor and an address may take, and how a worker is bound to it.

Every limit is held by whoever starts a run, before there is a folder of it; what cannot be known
before, the kernel holds. Whoever is the owner has those of ``[local]``, visitors have those of
``[public]``.
"""

import contextlib
import functools
import os
import resource
import signal
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from dynamics.core import cost, traits
from dynamics.core.config import Config
from dynamics.core.words import count, duration, size
from dynamics.runs import capability, control
from dynamics.runs.capability import Capability
from dynamics.runs.control import Place
from dynamics.runs.run import KEY, LIVE, Run, RunError

OWN = "DLN_LIMITS"  # a file with other limits
USUAL = Path(__file__).with_name("limits.toml")
BASE = 300_000_000  # bytes of a worker before any matrix
MORE_SECONDS = 60  # of a processor after which the kernel ends a worker that has not heard
DIES_FIRST = 500  # where memory is short, the kernel ends workers before the web process
MOST_VALUES = 100  # singular values of a factor that are recorded
GPU = Path("/dev/nvidiactl")  # a program that uses it takes far more addresses than memory
IN_TOML = "see limits.toml"


class LimitError(RunError):
    """Something takes more than it may; the message says which limit, and what would fit."""


@dataclass(frozen=True)
class Limits:
    """What one may take, with the names of ``limits.toml``; 0 is no limit."""

    waiting: int = 0
    live: int = 0
    address: int = 0
    kept: int = 0
    records: int = 0
    bytes: int = 0
    seconds: int = 0
    memory: int = 0


def given(table: str) -> dict[str, Any]:
    """One table of the limits.

    Raises:
        RunError: if the owner's file cannot be used.
    """
    own = os.environ.get(OWN, "")
    stamp = 0
    with contextlib.suppress(OSError):
        stamp = os.stat(own).st_mtime_ns if own else 0
    return dict(_read(own, stamp)[table])


@functools.lru_cache(maxsize=4)
def _read(own: str, stamp: int) -> dict[str, dict[str, int]]:
    tables: dict[str, dict[str, int]] = tomllib.loads(USUAL.read_text(encoding="utf-8"))
    if not own:
        return tables
    try:
        more = tomllib.loads(Path(own).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{own}, which {OWN} names, cannot be read: {error}.") from None
    for table, entries in more.items():
        for name, value in entries.items() if isinstance(entries, dict) else [("", None)]:
            if name not in tables.get(table, {}) or type(value) is not int or value < 0:
                raise RunError(f"{own}: [{table}] {name} is no limit; {USUAL.name} lists them.")
            tables[table][name] = value
    return tables


def of(runs: Path, by: Capability) -> Limits:
    """What somebody may take."""
    return Limits(**given("local" if capability.owns(runs, by) else "public"))


def of_worker(run: Place) -> Limits:
    """What the worker of a run may take: of a visitor, if a visitor has it trained."""
    return Limits(**given("public" if control.digests(run)[1] else "local"))


def of_sweeper(sweep: Place) -> Limits:
    """What each process of a sweep may take: each trains many runs, one after the other."""
    return Limits(memory=of_worker(sweep).memory)


def check(config: Config, runs: Path, by: Capability) -> None:
    """Refuse a run that would take more than it may, or that is one too many.

    Raises:
        LimitError: with one sentence.
    """
    check_size(config, runs, by)
    mine = of(runs, by)
    if mine == Limits() or not (mine.live or mine.waiting or mine.kept or mine.address):
        return
    whose = capability.digest(runs, by)
    where = capability.address_digest(runs, by)
    kept, phases, near = 0, [], 0
    for place in runs.glob("*"):
        if not KEY.fullmatch(place.name):
            continue
        run = Run(place)
        made, began = control.digests(run)
        there = bool(where) and control.address(run) == where
        kept += bool(whose) and made == whose
        if there or (whose and began == whose):
            phase = _phase(run)
            near += there and phase in LIVE
            phases += [phase] if whose and began == whose else []
    _refuse_more(mine.waiting, phases.count("queued"), "wait already", "one visitor")
    _refuse_more(mine.live, sum(each in LIVE for each in phases), "are in hand", "one visitor")
    _refuse_more(mine.address, near, "are in hand", "one address")
    if mine.kept and kept >= mine.kept:
        raise LimitError(
            f"{count(kept, 'run')} of yours are kept, as many as one visitor may have "
            f"({IN_TOML}); delete some of them in Saved runs first."
        )


def check_size(config: Config, runs: Path, by: Capability) -> None:
    """Refuse a run that is larger than somebody may have.

    Raises:
        LimitError: with one sentence.
    """
    if sentence := refusal(config, of(runs, by)):
        raise LimitError(sentence)


def _refuse_more(most: int, now: int, what: str, whose: str) -> None:
    if most and now >= most:
        raise LimitError(
            f"{count(now, 'run')} of {whose} {what}, as many as may ({IN_TOML}); wait until one "
            "has ended, or stop one."
        )


def refusal(config: Config, mine: Limits) -> str:
    """Why a run is too large for somebody, and what would fit; empty if it is not, or not known."""
    records = config.steps // config.record_every + 1
    if mine.records and records > mine.records:
        fits = -(-config.steps // (mine.records - 1)) if mine.records > 1 else config.steps
        return (
            f"A run may have {count(mine.records, 'record')} here ({IN_TOML}), and this one has "
            f"{records:,}: Δt of {fits:,} or more would fit."
        )
    if traits.problem(config.problem).classifies or config.watched:
        return ""
    wide = 8.0 * row(config)
    if mine.bytes and records * wide > mine.bytes:
        fits = -(-config.steps // max(1, int(mine.bytes / wide) - 1))
        return (
            f"A run's file may have {size(mine.bytes)} here ({IN_TOML}), and the records of this "
            f"one take about {size(records * wide)}: Δt of {fits:,} or more would fit."
        )
    memory = BASE + sum(cost.memory(config, network) for network in config.networks)
    if mine.memory and memory > mine.memory:
        return (
            f"A run may take {size(mine.memory)} of memory here ({IN_TOML}), and this one takes "
            f"about {size(memory)}; a smaller or less wide matrix would fit."
        )
    return ""


def row(config: Config) -> int:
    """About how many numbers a record has."""
    numbers = 0
    for network in config.networks:
        narrow = traits.network(network).narrow
        factor = config.rank_bound if narrow else config.full_width
        shown = max(config.rank_bound, 2 * config.rank)
        numbers += 20 + 4 * config.rank + 2 * shown + config.depth * (1 + min(factor, MOST_VALUES))
    return numbers


def bind(mine: Limits) -> None:
    """Bind this process, a worker, to its limits; it is also the first to end without memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(DIES_FIRST), encoding="ascii")
    if mine.bytes:
        _set(resource.RLIMIT_FSIZE, mine.bytes)
    if mine.memory and not GPU.exists():
        _set(resource.RLIMIT_DATA, mine.memory)
    if mine.seconds:

        def over(_signal: int, _frame: FrameType | None) -> None:
            raise LimitError(
                f"The run has had the {duration(mine.seconds)} of a processor that one training "
                f"may have here ({IN_TOML}); started again, it goes on."
            )

        signal.signal(signal.SIGXCPU, over)
        _set(resource.RLIMIT_CPU, mine.seconds, MORE_SECONDS)


def _set(kind: int, soft: int, more: int = 0) -> None:
    """Set a limit, below the one that the process has already."""
    _, hard = resource.getrlimit(kind)
    most = soft + more if hard == resource.RLIM_INFINITY else min(soft + more, hard)
    resource.setrlimit(kind, (min(soft, most), most))


def bound() -> str:
    """What a worker that lacks memory is bound to, in words; empty without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return "" if soft == resource.RLIM_INFINITY else f"{size(soft)} of memory here ({IN_TOML})"


def _phase(run: Run) -> str:
    with contextlib.suppress(RunError):
        return run.status.phase
    return ""
