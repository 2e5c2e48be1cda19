"""Fixtures of the tests of pages: a server that its own machine alone reaches, as ``make app``."""

from collections.abc import Iterator

import pytest
from streamlit import config


@pytest.fixture(autouse=True, scope="package")
def _local() -> Iterator[None]:
    """Whoever opens a page is the owner then; strangers are in ``tests/browser``."""
    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    yield
    config.set_option("server.address", before)
