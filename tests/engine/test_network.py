"""Network: what it knows of itself."""

from tests.engine.measuring.test_state import network


def test_a_network_knows_its_widths() -> None:
    assert network(5, 4, 3, 6).widths == [5, 4, 3, 6]
