"""Progress: what the terminal shows while runs train."""

import pytest

from dynamics.commands.progress import Failures
from dynamics.findings.failures import Failure
from dynamics.runs.group import Progress
from dynamics.runs.run import Status
from tests.support.make import full

STUCK = Failure("plateau", "compressed", 120, "The compressed network is stuck.")
NO_GAIN = Failure("no gain", "original", 300, "No gain: the compressed one has not yet.")


def test_failures_are_printed_as_they_show_and_as_they_are_withdrawn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = Failures()
    for step, standing in ((200, [STUCK]), (300, [STUCK, NO_GAIN]), (400, [NO_GAIN])):
        status = Status("running", step, signatures=[vars(failure) for failure in standing])
        printed.print(Progress((full(),), (status,)))
    assert capsys.readouterr().out.splitlines() == [
        "step 120: The compressed network is stuck.",
        "step 300: No gain: the compressed one has not yet.",
        "step 400: no longer so: The compressed network is stuck.",
    ]
