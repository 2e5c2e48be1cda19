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
HARMLESS = {"norm", "lu_solve", "LinAlgError"}


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
            bad += sorted(names - {"svds"})
        of_linalg = isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("linalg")
        if of_linalg or (isinstance(node, ast.Name) and node.id == "svds"):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            call = called.get(id(node))
            given = ast.unparse(call.args[0]) if call else ""
            if name not in HARMLESS and not given.startswith("finite("):
                bad.append(f"line {node.lineno}: {ast.unparse(call or node)}")
    return bad


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
