"""One place decides who may do what with a run: all other code is read for a way past it."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.test_layers import ROOT, SOURCES

DECIDES = "dynamics/runs/control.py"
# What makes, mends or replaces a folder that nobody has yet, or that ``start`` has checked.
WORKERS = (DECIDES, "dynamics/runs/start.py", "dynamics/runs/sweep.py")
PEOPLE = ("pages/", "app.py", "dynamics/commands/")  # what somebody presses or types
# Files of a drawing, a download or a check, and what a command writes where it is told to.
OWN_FILES = tuple(f"pages/shared/files/{name}.py" for name in ("process", "media", "making"))
WRITES = ("rmtree", "unlink", "rmdir", "rename", "write_bytes", "write_text", "touch", "open")
MAKES = ("start", "sweeper.start", "Group", "Training")  # what has something trained for somebody


def calls(path: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def people() -> list[str]:
    return [path for path in SOURCES if path.startswith(PEOPLE)]


def mentions(path: str, name: str) -> bool:
    """Whether a file names an attribute, called or handed on."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.Attribute) and node.attr == name for node in ast.walk(tree))


@pytest.mark.parametrize("name", ["ask", "delete"])
def test_nobody_else_asks_a_worker_or_deletes_a_run(name: str) -> None:
    users = [path for path in SOURCES if mentions(path, name)]
    assert DECIDES in users
    assert set(users) <= set(WORKERS), "these steer past control.steer"


def test_nobody_else_keeps_remarks() -> None:
    """Neither as ``remarks.write`` nor as a ``write`` of its own."""
    users = []
    for path in SOURCES:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            named = isinstance(node, ast.ImportFrom) and node.module == "dynamics.runs.remarks"
            if named and "write" in {alias.name for alias in node.names}:
                users.append(path)
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "remarks.write":
                users.append(path)
    assert DECIDES in users and set(users) <= set(WORKERS)


def test_pages_and_commands_write_no_file_of_a_run() -> None:
    found = []
    for path in people():
        for call in calls(path):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            name = call.func.id if isinstance(call.func, ast.Name) else name
            if name in WRITES and path not in OWN_FILES:
                found.append((path, ast.unparse(call)))
    assert not found


def test_whatever_is_trained_is_trained_for_somebody() -> None:
    """The usual owner of ``start`` is for programs; pages and commands say who asks."""
    found = {}
    for path in people():
        for call in calls(path):
            if ast.unparse(call.func) in MAKES:
                found[path] = ast.unparse(call)
                given = [*call.args, *(each.value for each in call.keywords)]
                said = " ".join(map(ast.unparse, given))
                mine = "visitor()" in said or "of_command(" in said or "by" in said.split()
                if path.startswith("pages/") and call.args and "group" in ast.unparse(call.args[0]):
                    continue  # ``group.start`` starts a Group, which has been said who asks
                assert mine, f"{path}: {ast.unparse(call)}"
    assert len(found) >= 8


def test_no_page_takes_the_owner_s_part() -> None:
    """But the one that knows whether the visitor is the owner; no command does at all."""
    users = [
        path
        for path in people()
        if re.search(r"\bOWNER\b|here=", (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert users == ["pages/shared/session/who.py"]
