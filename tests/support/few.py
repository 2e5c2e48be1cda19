"""Few: a test of many cases, of which ``make test`` runs some and ``make slow`` all others."""

from collections.abc import Iterable
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet


def few(cases: Iterable[Any], keep: int) -> list[ParameterSet]:
    """The cases for ``parametrize``; all but the first ``keep`` are slow."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            marks=[] if number < keep else [pytest.mark.slow],
        )
        for number, case in enumerate(cases)
    ]
