"""Numbers as people read them: in tables, in sentences and in formulas."""

import math

import plotly.graph_objects as go
import pytest

from dynamics.core.words import all_its, count, formula, held, one_every, plain, raised, subscript
from dynamics.export.layout.perspective import Axis
from dynamics.export.layout.traces import show_values
from dynamics.export.tikz.pens import text


def test_numbers_are_written_as_one_reads_them() -> None:
    """Thousands apart, small ones with a power, in tables and in formulas."""
    values = (4080.6, 10.954, 0.1777, 6.8e-12, math.nan)
    assert [plain(each).replace("\u00a0", " ") for each in values] == [
        "4,081", "10.95", "0.178", "6.8 × 10⁻¹²", "not reached",
    ]  # fmt: skip
    assert [formula(each) for each in values[:4]] == [
        "4{,}081", "10.95", "0.178", r"6.8 \cdot 10^{-12}",
    ]  # fmt: skip
    assert f"σ{subscript(1)} to σ{subscript(20)}" == "σ₁ to σ₂₀"


def test_numbers_in_a_sentence_have_their_powers_raised() -> None:
    """Whatever the form, large or small; what only looks like a number stays."""
    said = raised("From 9.6e-13 to -1e-04 and 9.42e10, η = 1e+05, at 3 GHz in run 2e5a, v1.2e3")
    assert said.replace("\u00a0", " ") == (
        "From 9.6 × 10⁻¹³ to -10⁻⁴ and 9.42 × 10¹⁰, η = 10⁵, at 3 GHz in run 2e5a, v1.2e3"
    )


def test_no_line_ends_between_the_sides_of_a_matrix_or_before_a_percent_sign() -> None:
    assert held("A 30 × 30 matrix is d × d.") == "A 30\u00a0×\u00a030 matrix is d\u00a0×\u00a0d."
    assert held("30 % of 5 to 6") == "30\u00a0% of 5 to 6"


def test_powers_below_ten_thousand_are_written_in_full() -> None:
    """Nobody reads 6 × 10² faster than 600."""
    assert raised("6e+02 times, 1.2e+03, 9.94e+03 and 1e+00") == "600 times, 1,200, 9,940 and 1"
    assert raised("1e+04 and 1.5e-01").replace("\u00a0", " ") == "10⁴ and 1.5 × 10⁻¹"


def test_things_are_counted_in_the_singular_and_in_the_plural() -> None:
    assert [count(each, "entry") for each in (0, 1, 2)] == ["0 entries", "1 entry", "2 entries"]
    assert [count(each, "step") for each in (1.0, 1234.0)] == ["1 step", "1,234 steps"]
    assert [all_its(each, "mode") for each in (1, 2, 1000)] == [
        "its only mode", "both its modes", "all its 1,000 modes",
    ]  # fmt: skip
    assert [one_every(each, "step") for each in (1, 50)] == ["one every step", "one every 50 steps"]


def test_a_power_is_one_exponent_in_latex() -> None:
    """No ``^-^4``, which TeX refuses."""
    assert text(raised("ε = 2.5e-14 m²")) == r"$\varepsilon $ = 2.5$~\times ~$10$^{-14}$ m$^{2}$"


@pytest.mark.parametrize(("tick", "words"), [(4e-5, "4×10⁻⁵"), (-1e-6, "−10⁻⁶"), (0.02, "0.02")])
def test_ticks_in_space_are_as_plotly_writes_them(tick: float, words: str) -> None:
    """Beside axes in the plane, in the same file."""
    assert Axis("", 0.0, 1.0).said(tick) == words


def test_a_cell_of_a_heat_map_is_told_whole() -> None:
    """Plotly would have 80p for 8 · 10⁻¹¹, or its own e."""
    trace = go.Heatmap(z=[[8e-11, 0.25]], hovertemplate="row %{y}: %{z:.3g}")
    show_values(trace)
    said = [cell.replace("\u00a0", " ") for cell in trace.text[0]]
    assert said == ["8 × 10⁻¹¹", "0.25"] and trace.hovertemplate == "row %{y}: %{text}"
