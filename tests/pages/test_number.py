"""Number: what a visitor types is read as what it says, or refused in one sentence."""

import pytest

from pages.shared.number import read


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2.5", 2.5),
        (" 2,5 ", 2.5),
        ("0,037", 0.037),
        ("2,5e-3", 0.0025),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567),
        ("1e-30", 1e-30),
        ("9.6 × 10⁻¹³", 9.6e-13),
        ("−3", -3),
    ],
)
def test_a_point_or_a_comma_is_read(text: str, number: float) -> None:
    assert read(text) == number


@pytest.mark.parametrize(
    "text", ["", "abc", "1,5,2", "1.5,2", "0,037,000", "2.5.1", "9" * 99 + "x"]
)
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number\.$"):
        read(text)


def test_what_can_be_two_numbers_is_told() -> None:
    with pytest.raises(ValueError, match=r"1,500 can be read as 1500 or as 1\.5; type one"):
        read("1,500")


def test_a_whole_number_has_thousands_and_no_second_reading() -> None:
    assert read("1,500", whole=True) == 1500
    assert read("2,5", whole=True) == 2.5  # which the box's check refuses
