"""Nothing that is not finite reaches LAPACK: no call without a guard, and no guard that lets by."""

import ast

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from dynamics.core.finite import NotFiniteError, finite
from tests.house.test_layers import ROOT, SOURCES
from tests.support.make import is_sentence

# Sums of squares and triangular solves are no decompositions: they neither print nor iterate.
HARMLESS = {"norm", "vector_norm", "lu_solve", "LinAlgError"}
# Of a matrix that is known by its products alone: these are guarded.
OPERATORS = {"eigsh", "LinearOperator", "ArpackNoConvergence"}


def unguarded(path: str) -> list[str]:
    """The decompositions in a file whose matrix does not come out of ``finite``."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    elsewhere = (
        "torch.svd",
        "torch.qr",
        "np.polyfit",
        "np.roots",
        "np.poly",
    )  # LAPACK by a back door
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    bad = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in elsewhere
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).endswith("linalg"):
            names = {alias.asname or alias.name for alias in node.names}
            bad += sorted(names - {"svds", *OPERATORS})
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "LinearOperator":
            bad += unguarded_products(tree, ast.unparse(node.args[1]))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "eigsh":
            bad += [] if ast.unparse(node.args[0]) in operators(tree) else [ast.unparse(node)]
        of_linalg = isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("linalg")
        if of_linalg or (isinstance(node, ast.Name) and node.id == "svds"):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            call = called.get(id(node))
            given = ast.unparse(call.args[0]) if call else ""
            guarded = given.startswith("finite(") or (name == "svds" and given in operators(tree))
            if name not in HARMLESS and not guarded:
                bad.append(f"line {node.lineno}: {ast.unparse(call or node)}")
    return bad


def unguarded_products(tree: ast.AST, function: str) -> list[str]:
    """What the function of an operator returns, where that is not guarded."""
    defined = [node for node in ast.walk(tree) if getattr(node, "name", "") == function]
    returned = [
        ast.unparse(node.value)
        for each in defined
        for node in ast.walk(each)
        if isinstance(node, ast.Return) and node.value
    ]
    return [each for each in returned or [function] if not each.startswith("finite(")]


def operators(tree: ast.AST) -> set[str]:
    """The names that are given to operators."""
    return {
        ast.unparse(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("LinearOperator(")
    }


def test_every_decomposition_is_guarded() -> None:
    found = {path: bad for path in SOURCES if (bad := unguarded(path))}
    assert not found


def test_the_guard_lets_no_strange_number_by() -> None:
    for number in (np.nan, np.inf, -np.inf):
        for shape in ((1, 1), (6, 6), (3, 40)):
            matrix = np.ones(shape)
            assert finite(matrix) is matrix
            matrix[-1, -1] = number
            for strange in (matrix, torch.tensor(matrix), torch.tensor(matrix).float()):
                with pytest.raises(NotFiniteError) as refused:
                    finite(strange)
                assert is_sentence(str(refused.value))
            with pytest.raises(NotFiniteError):
                finite(csr_matrix(matrix))
