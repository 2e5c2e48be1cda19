"""Layers: the table of rooms, and every import of the program read against it."""

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {  # what each room may import, beside itself
    "data": "",
    "core": "data",
    "theory": "core",
    "engine": "theory core data",
    "findings": "theory core",
    "runs": "findings engine core data",
    "draw": "runs findings theory core",
    "export": "draw runs findings theory core data",
    "paper": "export draw runs core data",
    "teach": "findings theory core",
    "peers": "engine core data",
    "commands": "*",
}
TORCH = ("engine", "peers", "runs/checkpoints.py", "runs/worker.py", "commands")
# Programs that are written for the user, never loaded.
TORCH += ("export/script_template.py", "export/script_template_classes.py")
PLOTLY = ("draw", "export", "paper")
STREAMLIT = ("app.py", "pages")
OPTIONS = ("engine/problems", "engine/networks", "engine/optimizers", "engine/measurements")
OPTIONS += ("draw/charts", "teach/lessons")  # a paper figure may take another one's settings


def sources() -> list[str]:
    """All modules of the program, by their path."""
    found = [*ROOT.glob("dynamics/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"]
    return sorted(str(file.relative_to(ROOT)) for file in found)


SOURCES = sources()
LIBRARY = [path for path in SOURCES if path.startswith("dynamics/")]
MODULES = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in SOURCES}


@functools.cache
def imports(path: str) -> set[str]:
    """The modules that a file imports, at its top or late, but for type checkers."""
    names: set[str] = set()
    for node in walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written from the root"
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (parts & MODULES) or {str(node.module)}
    return names


def walk(tree: ast.AST) -> list[ast.AST]:
    nodes = []
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            nodes += [node, *walk(node)]
    return nodes


def room(path: str) -> str:
    """The room of a file of the library; the library's own two files belong to the commands."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else "commands"


def inside(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def in_rooms(path: str, places: tuple[str, ...]) -> bool:
    return inside(path, tuple(f"dynamics/{place}" for place in places))


def loads(path: str, package: str) -> bool:
    return any(name.split(".")[0] == package for name in imports(path))


def test_every_room_is_in_the_table_and_says_what_it_is() -> None:
    """A thirteenth folder needs a row here, and a docstring that a newcomer reads first."""
    rooms = {path.parent.name: path for path in ROOT.glob("dynamics/*/__init__.py")}
    folders = {place.name for place in ROOT.glob("dynamics/*") if any(place.glob("**/*.py"))}
    assert set(ROOMS) == set(rooms) == folders
    chart = ast.get_docstring(ast.parse((ROOT / "dynamics/__init__.py").read_text())) or ""
    for name, file in rooms.items():
        assert ast.get_docstring(ast.parse(file.read_text())), name
        assert f" {name}" in chart, f"the map in dynamics/__init__.py lacks {name}"


def names(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each file with each module that it imports."""
    return ((path, name) for path in paths for name in sorted(imports(path)))


@pytest.mark.parametrize("mine", ROOMS)
def test_a_room_imports_only_what_its_row_names(mine: str) -> None:
    """No arrow points up, not even a late one."""
    for path, name in names(path for path in LIBRARY if room(path) == mine):
        first, *rest = name.split(".")
        assert first not in ("pages", "app", "streamlit", "starlette"), f"{path} imports {name}"
        if first == "dynamics" and rest and ROOMS[mine] != "*":
            assert rest[0] in (mine, *ROOMS[mine].split()), f"{path} imports {name}"


def test_the_table_has_no_circle() -> None:
    """A room stands above all that it imports."""
    assert not circles({mine: set(row.split()) & set(ROOMS) for mine, row in ROOMS.items()})


def test_modules_import_each_other_in_no_circle() -> None:
    """Whoever reads a file first needs only what is below it."""
    named = {path.removesuffix(".py").replace("/", "."): path for path in SOURCES}
    named = {name.removesuffix(".__init__"): path for name, path in named.items()}
    assert not circles({name: imports(path) & set(named) for name, path in named.items()})


def circles(arrows: dict[str, set[str]]) -> list[str]:
    """The nodes left when those without an arrow to a remaining one are taken away, repeatedly."""
    left = {node: targets - {node} for node, targets in arrows.items()}
    while ended := [node for node, targets in left.items() if not targets & set(left)]:
        for node in ended:
            del left[node]
    return sorted(left)


@pytest.mark.parametrize(
    ("package", "rooms", "others"),
    [("torch", TORCH, ()), ("plotly", PLOTLY, ("pages",)), ("streamlit", (), STREAMLIT)],
)
def test_torch_plotly_and_streamlit_have_their_rooms(
    package: str, rooms: tuple[str, ...], others: tuple[str, ...]
) -> None:
    """Trajectories are numbers, a chart is described once, and a viewer of runs loads no torch."""
    users = [path for path in SOURCES if loads(path, package)]
    assert users
    assert not [path for path in users if not (in_rooms(path, rooms) or inside(path, others))]


def test_nothing_knows_an_option_by_import() -> None:
    """A new problem is one new file, and no edit of another; each is read and deleted alone."""
    places = tuple(f"dynamics.{folder.replace('/', '.')}." for folder in OPTIONS)
    assert not [(path, name) for path, name in names(LIBRARY) if name.startswith(places)]


def test_a_page_uses_its_own_folder_and_what_is_shared() -> None:
    """``1_Side_by_side.py`` has ``side_by_side/``; what two pages use is in ``shared/``."""
    for path, name in names(path for path in SOURCES if path.startswith("pages/")):
        own = path.split("/")[1].removesuffix(".py").lstrip("0123456789_").lower()
        if name.startswith("pages."):
            assert name.split(".")[1] in (own, "shared"), f"{path} imports {name}"


BROWSER = ROOT / "pages/shared/live/browser"
FOLDERS = {"base": "", "run": "base", "panel": "base", "page": "base run panel"}


@pytest.mark.parametrize("mine", FOLDERS)
def test_modules_of_the_browser_have_rooms_too(mine: str) -> None:
    """A run knows no panel and a panel no run; the page ties them together."""
    for path in sorted((BROWSER / mine).rglob("*.js")):
        content = path.read_text(encoding="utf-8")
        for name in re.findall(r'^import .* from "(.+)";$', content, re.MULTILINE):
            file = (path.parent / name).resolve()
            assert file.is_file(), f"{path} imports {name}"
            assert file.parent.name in (mine, *FOLDERS[mine].split()), f"{path} imports {name}"


def test_the_loop_knows_no_network() -> None:
    """It trains whatever has a step and a measurement."""
    found = imports("dynamics/engine/training/loop.py")
    assert {name for name in found if name.startswith("dynamics")} == {"dynamics.core.records"}


def test_the_web_process_loads_nothing_heavy() -> None:
    """PyTorch is 200 MB and a second of start, pandas with Arrow 60 MB, SciPy 50 MB.

    Tried with everything that the web process imports, and with a forecast made.
    """
    shown = ("dynamics/draw", "dynamics/teach", "dynamics/paper/figures", "pages/")
    modules = [
        path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in SOURCES
        if path.startswith(shown) and not path.removeprefix("pages/")[0].isdigit()
    ]
    modules += ["dynamics.core.config", "dynamics.runs.start", "dynamics.export.export", "app"]
    code = (
        f"import {', '.join(modules)}, sys; from dynamics.theory.forecast import forecast; "
        "forecast(dynamics.core.config.Config(depth=4)); "
        "assert not {'torch', 'scipy', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_waiting_worker_loads_no_torch() -> None:
    """Sixty of them may wait: each is small until it is its turn."""
    code = "import dynamics.runs.worker, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_command_line_answers_without_torch() -> None:
    """``--help`` and ``runs`` are at once there."""
    code = (
        "import sys; from dynamics.__main__ import main; main(['runs', '--runs', '/nowhere']); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
