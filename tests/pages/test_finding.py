"""Finding saved runs: search, groups, and runs that differ in one setting."""

from pathlib import Path

from dynamics.core.config import SEEDS, Config
from dynamics.runs.remarks import Remarks
from dynamics.runs.run import Run, Status
from pages.saved_runs.finding import SEED, Entry, differing, found, grouped
from tests.support.make import small


def entry(config: Config | None, key: str = "", **remarks: object) -> Entry:
    run = Run(Path(key or (config.key if config else "0" * 16)))
    return Entry(run, config, Status("done"), Remarks(**remarks))  # type: ignore[arg-type]


FIVE, FIFTY = entry(small(alpha=5)), entry(small(alpha=50))
NAMED = entry(small(depth=4), name="For the talk", note="depth four", tags=("Talk", "deep"))
DAMAGED = entry(None, pinned=True)
ALL = [FIVE, FIFTY, NAMED, DAMAGED]


def test_a_search_needs_every_word_and_a_value_exactly() -> None:
    """α = 5 is not α = 50; words are found wherever they stand; a pinned run comes first."""
    for text in ("α=5", "alpha = 5", "ALPHA=5"):
        assert found(ALL, text) == [FIVE]
    assert found(ALL, "talk DEPTH") == [NAMED]
    assert found(ALL, "talk α=5") == []
    assert found(ALL, "") == [DAMAGED, FIVE, FIFTY, NAMED]
    assert found(ALL, FIFTY.run.key[:8]) == [FIFTY]


def test_groups_hold_every_run_in_the_order_of_their_values() -> None:
    """Numbers by size; a run with two tags is in both groups, one without them in the last."""
    groups = grouped(ALL, "alpha")
    assert list(groups) == ["α = 2", "α = 5", "α = 50", "without this setting"]
    assert groups["α = 5"] == [FIVE] and groups["without this setting"] == [DAMAGED]
    tags = grouped(ALL, "tag")
    assert tags == {"Talk": [NAMED], "deep": [NAMED], "without a tag": [FIVE, FIFTY, DAMAGED]}
    assert grouped(ALL, "none") == {"": ALL}


def test_runs_that_differ_in_one_setting_are_told_by_it() -> None:
    """All seeds are one setting; a second difference leaves a run out."""
    base = small()
    seeded = entry(small(**dict.fromkeys(SEEDS, 7)))
    both = entry(small(alpha=5, depth=4))
    others = [entry(base), FIVE, FIFTY, NAMED, DAMAGED, seeded, both]
    assert differing(base, others) == {
        "alpha": [FIVE.run.key, FIFTY.run.key],
        "depth": [NAMED.run.key],
        SEED: [seeded.run.key],
    }
