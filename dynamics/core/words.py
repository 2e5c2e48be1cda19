"""Digits: numbers as people read them, ``9.6 × 10⁻¹³``; what is typed or computed with has an e.

A number and its power are held together by spaces at which no line breaks.
"""

import math
import re

_TIMES = "\u00a0×\u00a0"
_SIGNS = ("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UP, _DOWN = str.maketrans(*_SIGNS), str.maketrans(*_SIGNS[::-1])
_E = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?\d+)\b")
RAISED = f"[{_SIGNS[1]}]+"  # the pattern of an exponent


def raised(text: str) -> str:
    """Every ``9.6e-13`` of a text as ``9.6 × 10⁻¹³``, and ``1e-04`` as ``10⁻⁴``."""
    return _E.sub(_power, text)


def _power(found: re.Match[str]) -> str:
    ten = f"10{str(int(found[2])).translate(_UP)}"
    return ten if found[1] == "1" else f"{found[1]}{_TIMES}{ten}"


def lowered(text: str) -> str:
    """An exponent in ordinary digits."""
    return text.translate(_DOWN)


def value(text: str) -> float:
    """The number that a text writes: ``9.6 × 10⁻¹³``, ``10⁻⁴`` or ``4,081``.

    Raises:
        ValueError: if it writes none.
    """
    digits, times, power = text.replace("\u00a0", " ").rpartition(" × ")
    if times or re.fullmatch(f"10{RAISED}", power):
        return float(f"{digits or 1}e{lowered(power.removeprefix('10'))}")
    return float(power.replace(",", ""))


def plain(value: float) -> str:
    """A number as a table writes it: ``4,081``, ``0.178`` or ``6.8 × 10⁻¹²``."""
    if not math.isfinite(value):
        return "never" if value == math.inf else "not reached"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if value == 0 or abs(value) >= 1e-3:
        return f"{value:{'.4g' if abs(value) >= 10 else '.3g'}}"
    return raised(f"{value:.1e}")


def formula(value: float) -> str:
    """A number as a formula writes it: ``4{,}081``, ``0.178`` or ``6.8 \\cdot 10^{-12}``."""
    digits, times, power = plain(value).replace(",", "{,}").partition(f"{_TIMES}10")
    return f"{digits} \\cdot 10^{{{lowered(power)}}}" if times else digits
