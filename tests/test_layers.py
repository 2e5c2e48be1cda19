"""Layers: the table of what may import what, read from the source and tried in a process."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OPTIONS = ("problems", "networks", "optimizers", "measurements", "figures", "lessons")
VIEWERS = [  # what a process that only shows runs may load
    *(
        f"dynamics/{name}.py"
        for name in (
            "config",
            "runs",
            "trajectory",
            "export",
            "registry",
            "queue",
            "schedule",
            "fork",
        )
    ),
    *(f"dynamics/{name}.py" for name in ("figure", "data", "train", "theory", "escape")),
    *(f"dynamics/{name}.py" for name in ("simulation", "spectrum", "cost", "prediction", "kinds")),
    *(
        f"dynamics/{name}.py"
        for name in ("advice", "forecast", "reference", "expected", "modes", "story", "signatures")
    ),
    *(
        f"dynamics/{name}.py"
        for name in ("caption", "dress", "picture", "chrome", "film", "script")
    ),
    *(f"dynamics/{name}.py" for name in ("attribution", "waterfall")),
    "dynamics/maps.py",
    "dynamics/tikz/",
    "dynamics/figures/",
    "dynamics/lesson.py",
    "dynamics/lessons/",
    *(
        f"dynamics/{name}.py"
        for name in ("published", "paper", "overlay", "reproduce", "judge", "report", "altmin")
    ),
    "dynamics/papers/",
    "app.py",
    "pages/",
]


def sources() -> list[str]:
    """All modules of the project that are no tests, by their path."""
    found = [*ROOT.glob("dynamics/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"]
    return sorted(str(file.relative_to(ROOT)) for file in found)


def imports(path: str) -> set[str]:
    """The modules that a file imports, anywhere in it, but for type checkers."""
    tree = ast.parse((ROOT / path).read_text())
    names: set[str] = set()
    for node in walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written from the root"
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def walk(tree: ast.AST) -> list[ast.AST]:
    nodes = []
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            nodes += [node, *walk(node)]
    return nodes


def package(path: str, name: str) -> bool:
    """Whether a file imports a package or anything in it."""
    return any(found.split(".")[0] == name for found in imports(path))


def inside(path: str, places: list[str]) -> bool:
    return any(path == place or path.startswith(place) for place in places if place)


@pytest.mark.parametrize("path", [path for path in sources() if inside(path, VIEWERS)])
def test_what_shows_runs_imports_no_torch(path: str) -> None:
    """Not even late: a viewer of thirty runs must stay small and start at once."""
    assert not package(path, "torch")
    computing = {"compare", "descent", "entries", "factors", "network", "problem", "verify"}
    found = {name.split(".")[1] for name in imports(path) if name.startswith("dynamics.")}
    assert not found & (computing | set(OPTIONS) - {"figures", "lessons"}), path


@pytest.mark.parametrize("path", sources())
def test_streamlit_is_known_to_the_app_and_its_pages_alone(path: str) -> None:
    assert not package(path, "streamlit") or inside(path, ["app.py", "pages/"])


@pytest.mark.parametrize("path", sources())
def test_plotly_is_known_to_figures_exports_and_pages_alone(path: str) -> None:
    """Trajectories are numbers; a chart is described once."""
    drawing = ["dynamics/figure.py", "dynamics/figures/", "dynamics/export.py", "pages/"]
    drawing += [
        "dynamics/dress.py",
        "dynamics/scenes.py",
        "dynamics/space.py",
        "dynamics/standalone.py",
        "dynamics/subplots.py",
        "dynamics/picture.py",
        "dynamics/chrome.py",
        "dynamics/tikz/",
    ]
    drawing += ["dynamics/overlay.py", "dynamics/papers/", "dynamics/report.py"]
    drawing += ["dynamics/waterfall.py"]
    assert not package(path, "plotly") or inside(path, drawing)


@pytest.mark.parametrize("path", [path for path in sources() if path.startswith("dynamics/")])
def test_the_library_knows_no_page(path: str) -> None:
    assert (
        not package(path, "pages") and not package(path, "app") and not package(path, "starlette")
    )


@pytest.mark.parametrize(
    "path", [path for path in sources() if path.split("/")[1:2] and path.split("/")[1] in OPTIONS]
)
def test_options_do_not_know_each_other(path: str) -> None:
    """A file of a folder can be read, added and deleted alone."""
    own = path.removesuffix(".py").replace("/", ".")
    options = [
        name
        for name in imports(path)
        if name.startswith(tuple(f"dynamics.{folder}" for folder in OPTIONS)) and name != own
    ]
    assert not options


@pytest.mark.parametrize("name", ["compare", "train", "descent", "network", "problem", "factors"])
def test_the_core_knows_no_option_by_name(name: str) -> None:
    """A new problem is one new file, and no edit of another."""
    found = imports(f"dynamics/{name}.py")
    assert not any(each.startswith(tuple(f"dynamics.{f}" for f in OPTIONS)) for each in found)


def test_the_loop_knows_no_network() -> None:
    """It trains whatever has a step and a measurement."""
    assert {name for name in imports("dynamics/train.py") if name.startswith("dynamics")} == {
        "dynamics.trajectory",
        "dynamics.trajectory.Array",
        "dynamics.trajectory.Record",
    }


def test_the_web_process_loads_nothing_heavy() -> None:
    """PyTorch is 200 MB and a second of start, pandas with Arrow 60 MB, SciPy 50 MB.

    Tried with everything that the web process imports, and with a forecast made.
    """
    pages = [path for path in sources() if path.startswith("pages/shared/")]
    modules = [
        "dynamics.config",
        "dynamics.runs",
        "dynamics.export",
        "dynamics.figure",
        *(path.removesuffix(".py").replace("/", ".") for path in sources() if "/figures/" in path),
        *(path.removesuffix(".py").replace("/", ".") for path in pages if "__" not in path),
        "app",
    ]
    code = (
        f"import {', '.join(modules)}, sys; from dynamics.forecast import forecast; "
        "forecast(dynamics.config.Config(depth=4)); "
        "assert not {'torch', 'scipy', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_waiting_worker_loads_no_torch() -> None:
    """Sixty of them may wait: each is small until it is its turn."""
    code = "import dynamics.worker, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_command_line_answers_without_torch() -> None:
    """``--help`` and ``runs`` are at once there."""
    code = (
        "import sys; from dynamics.__main__ import main; main(['runs', '--runs', '/nowhere']); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
