"""README says what the program does: its commands, flags, settings, problems and folders."""

import re
import shlex
from pathlib import Path

from dynamics.__main__ import ACTIONS, parser
from dynamics.core import changes, registry
from dynamics.core.config import SETTINGS, choices
from dynamics.export.formats import FORMATS
from pages.shared.hiding import BLOCKS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def rows(header: str) -> list[list[str]]:
    """The cells of the table whose head starts with ``header``."""
    table = README[README.index(f"| {header} |") :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def test_settings_table_is_the_settings() -> None:
    """One row a field, with its flag, symbol, meaning, limits and default."""
    table = rows("flag")
    assert [flag for flag, *_ in table] == [f"`--{name.replace('_', '-')}`" for name in SETTINGS]
    for (_, symbol, meaning, values, default), (name, field) in zip(
        table, SETTINGS.items(), strict=True
    ):
        about = field.metadata
        assert (symbol, meaning) == (about["symbol"], about["meaning"])
        shown = field.default if not isinstance(field.default, tuple) else ",".join(field.default)
        assert default == ("none" if shown == "" else f"`{shown}`"), name
        if name == "changes":
            assert changes.EXAMPLE in values
        elif choices(name):
            assert re.findall(r"`([^`]+)`", values) == list(choices(name))
        else:
            bounds = [
                float(number)
                for number in values.replace(",", "").replace("above ", "").split(" to ")
            ]
            assert bounds == [about["low"], about["high"]], name
            assert values.startswith("above") == about["above"], name


def test_problems_are_all_there() -> None:
    """The table of data names every problem, and no other."""
    assert {name.strip("`") for name, _ in rows("problem")} == set(registry.options("problems"))


def test_commands_are_understood() -> None:
    """Every command line of the README parses, so every flag in it exists."""
    lines = re.findall(r"^\.venv/bin/python -m dynamics (.+)$", README, re.MULTILINE)
    assert len(lines) >= 4
    for line in lines:
        parser().parse_args(shlex.split(line))


def test_words_for_formats_and_actions_are_current() -> None:
    """What export writes and what runs does is listed as it is."""
    for form in FORMATS:
        assert f"`{form}`" in README
    actions = re.search(r"`runs ([a-z|]+) KEY`", README)
    assert actions
    assert set(actions[1].split("|")) | {"list"} == set(ACTIONS)


def test_blocks_to_hide_are_all_there() -> None:
    """A teacher finds what a link can leave out."""
    listed = README.partition("`hide=` leaves out")[2].partition("as in")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == set(BLOCKS)


def test_first_two_commands_are_make_targets() -> None:
    """``make app`` and ``make test`` come first, and exist."""
    commands = re.findall(r"^(make \w+)", README, re.MULTILINE)
    assert commands[:2] == ["make app", "make test"]
    makefile = (ROOT / "Makefile").read_text()
    for command in commands:
        assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE), command


def test_extension_table_names_real_folders_and_functions() -> None:
    """Each kind of option has its folder, and every file in it has the function it should."""
    for _, file, functions in rows("to add"):
        folder = ROOT / file.strip("`").rpartition("/")[0]
        assert folder.is_dir(), folder
        for name in re.findall(r"(\w+)\(", functions):
            for option in folder.glob("[!_]*.py"):
                assert f"def {name}(" in option.read_text(), option


def test_pictures_and_links_lead_somewhere() -> None:
    """Every relative link of the README is a file."""
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert (ROOT / target).exists(), target
