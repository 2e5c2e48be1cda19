"""Group: several runs that are trained for one purpose, with one progress."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dynamics.core import cost, traits
from dynamics.core.config import Config
from dynamics.runs import control, launcher, limits, queue
from dynamics.runs.capability import OWNER, Capability
from dynamics.runs.run import CANCEL, LIVE, Run, RunError, Status
from dynamics.runs.start import began, start

ENDED = ("done", "diverged")
BROKEN = ("failed", "lost", "cancelled")
IN_HAND = 32  # most live runs of one group: half of the queue is left to others
LOOK = 0.1  # seconds between two looks at runs that train
FLOPS = 1e10  # floating-point operations that one core makes a second, roughly; only for estimates


@dataclass(frozen=True)
class Progress:
    """Where the runs of a group stood at one moment.

    Attributes:
        configs: the settings of the runs, in the order of the group.
        statuses: the statuses of the runs, in the same order; None if a run does not exist or is
            damaged.
    """

    configs: tuple[Config, ...]
    statuses: tuple[Status | None, ...]

    def status(self, config: Config) -> Status | None:
        """The status of one run."""
        keys = [other.key for other in self.configs]
        return dict(zip(keys, self.statuses, strict=True))[config.key]

    @property
    def phases(self) -> tuple[str, ...]:
        """The phase of each run; empty if the run does not exist or is damaged."""
        return tuple(status.phase if status else "" for status in self.statuses)

    def of(self, *phases: str) -> list[Config]:
        """The configs of the runs that are in one of these phases."""
        pairs = zip(self.configs, self.phases, strict=True)
        return [config for config, phase in pairs if phase in phases]

    @property
    def runs(self) -> int:
        """How many runs the group has."""
        return len(self.configs)

    @property
    def ended(self) -> int:
        """How many runs have ended by themselves."""
        return len(self.of(*ENDED))

    @property
    def complete(self) -> bool:
        """Whether every run has ended by itself."""
        return self.ended == self.runs

    @property
    def live(self) -> bool:
        """Whether a worker has one of the runs in hand."""
        return bool(self.of(*LIVE))

    @property
    def steps(self) -> int:
        """The most steps that all runs together can make."""
        return sum(config.steps for config in self.configs)

    @property
    def step(self) -> int:
        """The steps made so far; a run that ended early counts as if it had made all its steps."""
        made = 0
        for config, status in zip(self.configs, self.statuses, strict=True):
            if status:
                made += config.steps if status.phase in ENDED else status.step
        return made

    @property
    def share(self) -> float:
        """The steps made as a share of all steps."""
        return self.step / self.steps

    @property
    def seconds(self) -> float | None:
        """The seconds left at most; None while no run reports a pace."""
        running = [status for status in self.statuses if status and status.phase == "running"]
        pace = sum(status.rate for status in running)
        return (self.steps - self.step) / pace if pace else None


class Group:
    """The runs of some Configs in one folder; equal Configs are one run.

    Args:
        configs: the settings of the runs.
        folder: the folder of all runs.
        by: who has them trained, and may cancel those of them that are theirs.
    """

    def __init__(self, configs: Iterable[Config], folder: Path, by: Capability = OWNER) -> None:
        self.configs = tuple({config.key: config for config in configs}.values())
        self.folder = folder
        self.by = by

    @property
    def runs(self) -> list[Run]:
        """The runs, in the order of ``configs``, whether their folders exist or not."""
        return [self.run(config) for config in self.configs]

    def run(self, config: Config) -> Run:
        """The run of one of the configs."""
        return Run(self.folder / config.key)

    def progress(self) -> Progress:
        """Where the runs stand now."""
        return Progress(self.configs, tuple(map(_status, self.runs)))

    def start(self) -> None:
        """Start runs that have not ended, until as many are in hand as may be.

        Raises:
            RunError: if the queue or the disk is full.
        """
        now = self.progress()
        taken = now.of(*LIVE, *ENDED)
        self._start([config for config in self.configs if config not in taken], now)

    def start_more(self) -> None:
        """Start the runs for which ``start`` had no room, in place of those that have ended.

        Starts nothing if a run was cancelled, or for somebody who has started none of them.

        Raises:
            RunError: if the queue or the disk is full.
        """
        begun = [config for config in self.configs if self.run(config).folder.exists()]
        cancelled = any(self.run(config).asked() == CANCEL for config in begun)
        if len(begun) >= min(self._most, len(self.configs)) and not cancelled and self.mine(begun):
            new = [config for config in self.configs if config not in begun]
            self._start(new, self.progress())

    def _start(self, waiting: list[Config], now: Progress) -> None:
        room = self._most - len(now.of(*LIVE))
        for config in waiting[: max(room, 0)]:
            start(config, self.folder, by=self.by)

    @property
    def _most(self) -> int:
        """Most live runs of the group: fewer where whoever asks may have fewer."""
        mine = limits.of(self.folder, self.by)
        return min(each or IN_HAND for each in (mine.waiting, mine.live, IN_HAND))

    def mine(self, configs: Iterable[Config]) -> list[Config]:
        """Those of the runs that whoever asks may cancel."""
        return [each for each in configs if control.may(self.run(each), "cancel", self.by)]

    def cancel(self) -> None:
        """End all runs in hand that are theirs who ask, the last one first; all records stay."""
        for config in reversed(self.mine(self.progress().of(*LIVE))):
            control.steer(self.run(config), "cancel", self.by)

    def cancel_own(self) -> bool:
        """End the runs in hand that this process started, and wait until they have ended.

        Returns whether there were any.
        """
        own = [run for run in self.runs if began(run)]
        for run in reversed(own):
            control.steer(run, "cancel", OWNER)  # this process is theirs who started them
        while any(status and status.live for status in map(_status, own)):
            time.sleep(LOOK)
        return bool(own)

    def watch(self) -> Iterator[Progress]:
        """Train all runs, as many at once as there are cores, and yield their progress.

        The last Progress is complete.

        Raises:
            RunError: with one sentence, if a run cannot be started, has failed, was cancelled by
                someone else or has lost its worker.
        """
        ended = self.progress().of(*ENDED)
        ahead = [config for config in self.configs if config not in ended]
        begun: list[Config] = []
        if len(ahead) > 1:
            launcher.keep()
        while True:
            now = self.progress()
            mine = Progress(tuple(begun), tuple(map(now.status, begun)))
            for config in mine.of(*BROKEN, ""):
                self._raise_if_broken(config)
            if ahead and len(mine.of(*LIVE)) < queue.capacity():
                begun.append(ahead.pop(0))
                start(begun[-1], self.folder, by=self.by)
                continue
            yield now
            if now.complete:
                return
            time.sleep(LOOK)

    def _raise_if_broken(self, config: Config) -> None:
        status = self.run(config).status  # raises RunError if the run does not exist
        if status.phase in BROKEN:
            raise RunError(status.sentence)

    def seconds_at_most(self) -> float | None:
        """About how many seconds one core takes for all runs if none ends early.

        None if one has a backbone, whose operations follow from its module alone.
        """
        if any(traits.problem(config.problem).classifies for config in self.configs):
            return None
        work = sum(
            config.steps * cost.operations(config, network)
            for config in self.configs
            for network in config.networks
        )
        return work / FLOPS


def _status(run: Run) -> Status | None:
    try:
        return run.status
    except RunError:
        return None
