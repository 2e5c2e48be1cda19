"""README and docs say what the program does: commands, flags, settings, formats, files, rooms."""

import argparse
import dataclasses
import inspect
import pkgutil
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dynamics.commands.parser import parser
from dynamics.commands.runs import ACTIONS
from dynamics.core import registry, traits
from dynamics.core.config import SETTINGS, choices
from dynamics.draw.time_axis import VERSUS
from dynamics.engine.steps.fastest import FORMS
from dynamics.export.caption import BIBTEX
from dynamics.export.formats import FORMATS
from dynamics.export.layout.sizes import SIZES
from dynamics.theory.prediction import EXACT, FIRST_ORDER, FLOW, HEURISTIC, SMALL_W, UNKNOWN
from pages.shared.hiding import BLOCKS
from tests.house.test_layers import ROOMS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
SCREEN = 60  # lines of the README
SMALL = 1_500_000  # bytes of its picture


def doc(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def rows(text: str, header: str) -> list[list[str]]:
    """The cells of all tables whose head starts with ``header``."""
    found = []
    for table in text.split(f"| {header} |")[1:]:
        lines = table.partition("\n\n")[0].splitlines()[2:]
        found += [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return found


def names(text: str, header: str) -> list[str]:
    """The first column of such tables, without backticks."""
    return [row[0].strip("`") for row in rows(text, header)]


def commands() -> dict[str, argparse.ArgumentParser]:
    """Each command's own parser."""
    actions = parser()._actions
    return next(dict(each.choices) for each in actions if isinstance(each.choices, dict))


def test_readme_fits_a_screen_and_begins_with_two_commands() -> None:
    """``make app`` and ``make test`` come first; the picture loads at once."""
    readme = PAGES[0].read_text()
    assert len(readme.splitlines()) <= SCREEN
    assert re.findall(r"^make \w+", readme, re.MULTILINE) == ["make app", "make test"]
    (picture,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", readme)
    assert (ROOT / picture).stat().st_size < SMALL


def test_citation_is_that_of_every_exported_file() -> None:
    """The paper has one title, one first author and one number, in the files and for GitHub."""
    cited = " ".join((ROOT / "CITATION.cff").read_text().split())
    for field in ("title", "booktitle", "year", "eprint"):
        value = re.search(rf"\b{field} += {{(.+?)}}", BIBTEX, re.DOTALL)
        assert value
        assert " ".join(value[1].split()) in cited
    assert "family-names: Kwon" in cited


@every_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    """Every relative link is a file, and its anchor a heading of it."""
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads]
            assert anchor in slugs, target


@every_page
def test_commands_are_understood(page: Path) -> None:
    """Every command line of the program parses; every target of make exists."""
    text = page.read_text(encoding="utf-8")
    for line in re.findall(r"^ *(?:\.venv/bin/)?python -m dynamics (.+)$", text, re.MULTILINE):
        parser().parse_args(shlex.split(re.sub(r"(?<= )[#>].*", "", line)))
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:^|`)(?:[A-Z]+=\S+ )*make ([a-z]+)", text, re.MULTILINE)) <= {
        *targets
    }


@every_page
def test_flags_exist(page: Path) -> None:
    """No page names a flag that no command has, but for those of other programs' commands."""
    known = {flag for each in commands().values() for flag in each._option_string_actions}
    others = r"^ *(?:dask|docker|systemctl|useradd) (?:.*\\\n)*.+$"
    text = re.sub(others, "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= known


@every_page
def test_paths_and_names_in_code_exist(page: Path) -> None:
    """``dynamics/x/y.py`` is a file, ``dynamics.x.y`` a module or something in one."""
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:dynamics|pages|tests)/[\w./*-]*)`", text):
        if path.rpartition("/")[2] not in ("x.py", "6_X.py") and not path.endswith("/x/"):
            assert list(ROOT.glob(path.rstrip("/"))), path
    for name in re.findall(r"`(dynamics(?:\.\w+)+)`", text):
        pkgutil.resolve_name(name)


def test_settings_table_is_the_settings() -> None:
    """One row a field, with its flag, symbol, meaning, limits and default."""
    table = rows(doc("settings"), "flag")
    assert [flag for flag, *_ in table] == [f"`--{name.replace('_', '-')}`" for name in SETTINGS]
    for (_, symbol, meaning, values, default), (name, field) in zip(
        table, SETTINGS.items(), strict=True
    ):
        assert (symbol, meaning) == (field.symbol, field.meaning)
        shown = field.default if not isinstance(field.default, tuple) else ",".join(field.default)
        assert default == ("none" if shown == "" else f"`{shown}`"), name
        if field.example:
            assert field.example in values
        elif choices(name):
            assert re.findall(r"`([^`]+)`", values) == list(field.offered)
        else:
            bounds = [
                float(number)
                for number in values.replace(",", "").replace("above ", "").split(" to ")
            ]
            assert bounds == [field.low, field.high], name
            assert values.startswith("above") == field.above, name


@pytest.mark.parametrize(
    ("page", "header", "known"),
    [
        ("settings", "problem", registry.options("problems")),
        ("settings", "network", SETTINGS["networks"].offered),
        ("command_line", "command", commands()),
        ("figures_and_exports", "format", FORMATS),
        ("figures_and_exports", "size", SIZES),
        ("guide", "block", BLOCKS),
        ("theory", "standing", (EXACT, FLOW, SMALL_W, FIRST_ORDER, HEURISTIC, UNKNOWN)),
        ("reproduction", "figure", registry.options("figures")),
    ],
)
def test_tables_are_complete(page: str, header: str, known: object) -> None:
    """The first column names everything that the program has, and nothing else."""
    assert set(names(doc(page), header)) == set(known)  # type: ignore[call-overload]


def test_blocks_to_hide_are_told_as_on_the_page() -> None:
    """A teacher reads the same words in the guide and in the menu."""
    assert {name.strip("`"): words for name, words in rows(doc("guide"), "block")} == BLOCKS


def test_words_of_the_command_line_are_current() -> None:
    """What ``runs`` does, and the charts and axes that ``export`` draws."""
    actions = re.search(r"`runs ([a-z|]+) KEY`", doc("command_line"))
    assert actions
    assert set(actions[1].split("|")) == set(ACTIONS)
    charts = doc("figures_and_exports").partition("The names are ")[2].partition(". ")[0]
    assert re.findall(r"`(\w+)`", charts) == list(registry.options("charts"))
    axes = doc("figures_and_exports").partition("horizontal axis: ")[2].partition(".\n")[0]
    assert [" ".join(axis.split()) for axis in re.findall(r"`([^`]+)`", axes)] == list(VERSUS)


def test_extension_table_names_real_folders_and_functions() -> None:
    """Each kind of option has its folder, and every file in it has the function it should."""
    folders = set()
    for _, file, functions in rows(doc("extending"), "to add"):
        folder = ROOT / file.strip("`").rpartition("/")[0]
        folders.add(folder)
        for name in re.findall(r"(\w+)\(", functions):
            for option in folder.glob("[!_]*.py"):
                text = option.read_text()
                assert f"def {name}(" in text or "\nLIKE = " in text, option
    assert folders == {registry.place(name) for name in registry.PLACES} | {ROOT / "pages"}


def test_traits_are_all_there() -> None:
    """Each constant that the program reads from an option's file has a row."""
    records = {
        "problem": traits.ProblemTraits,
        "network": traits.NetworkTraits,
        "backbone": traits.BackboneTraits,
        "optimizer": traits.OptimizerTraits,
        "measurement": traits.MeasurementTraits,
        "chart": traits.ChartTraits,
        "paper figure": traits.FigureTraits,
    }
    known = [
        (f"`{field.name.upper()}`", option)
        for option, record in records.items()
        for field in dataclasses.fields(record)
    ]
    assert [(name, option) for name, option, _ in rows(doc("extending"), "trait")] == known


def test_map_of_the_rooms_is_their_table() -> None:
    """docs/architecture.md has each room with what it may import, as the layer test has it."""
    table = {room.strip("`"): told for room, _, told in rows(doc("architecture"), "room")}
    other = {"–": "", "every room": "*"}
    may = {
        room: other.get(told, " ".join(re.findall(r"`(\w+)`", told)))
        for room, told in table.items()
    }
    assert may == ROOMS


def test_forms_of_the_gradient_step_are_all_there() -> None:
    """docs/performance.md has every form among which the fastest is chosen."""
    told = [name for form, *_ in rows(doc("performance"), "form | when") for name in code(form)]
    assert sorted(told) == sorted(form.__name__ for form in FORMS)


def code(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def test_longest_trip_is_what_the_code_does_and_only_goes_down() -> None:
    """Each caller's file names what it calls, in a room that the caller's room may import."""
    block = doc("architecture").partition("## The longest trip")[2].partition("## ")[0]
    lines = re.findall(r"^( *)- `([\w.]+)`", block, re.MULTILINE)
    assert len(lines) > 20
    callers: list[tuple[int, str]] = []
    for space, name in lines:
        callers = [(depth, caller) for depth, caller in callers if depth < len(space)]
        called = module(name)
        if callers:
            caller = callers[-1][1]
            above, below = caller.split(".")[1], name.split(".")[1]
            assert below == above or ROOMS[above] == "*" or below in ROOMS[above].split(), name
            source = re.sub(
                r"^ *(from|import) .*", "", inspect.getsource(module(caller)), flags=re.M
            )
            words = {name.rpartition(".")[2], called.__name__}
            assert any(re.search(rf"\b{word}\b", source) for word in words), (caller, name)
        callers.append((len(space), name))


def module(name: str) -> ModuleType:
    """The module in which something with a dotted name is defined."""
    thing = pkgutil.resolve_name(name)
    if isinstance(thing, ModuleType):
        return thing
    return sys.modules[thing.__module__]


@pytest.mark.parametrize("name", ["guide", "figures_and_exports"])
def test_words_in_italics_are_those_of_the_page(name: str) -> None:
    """A button or chart that the guide names is there under this name."""
    files = [
        *ROOT.glob("pages/**/*.py"),
        *ROOT.glob("pages/**/*.js"),
        *ROOT.glob("dynamics/draw/**/*.py"),
    ]
    source = re.sub(r"[_\s]+", " ", " ".join(file.read_text() for file in files)).lower()
    text = doc(name).replace("M\\*", "M")
    named = re.findall(r"(?<![\w*])\*([^*\n`]+)\*(?!\*)", text)
    assert named
    assert [word for word in named if word.lower() not in source] == []
