"""Words: numbers, ratios, durations and sizes as people read them, such as ``9.6 × 10⁻¹³``.

Numbers that people type or compute with keep their e. Non-breaking spaces hold a number and its
power together.
"""

import math
import re

LETTERS = ("psnr", "ssim")  # names that are said letter by letter

_TIMES = "\u00a0×\u00a0"
_SIGNS = ("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UP = str.maketrans(*_SIGNS)
_DOWN = str.maketrans(*_SIGNS[::-1])
_INDEX = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_E = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?\d+)\b")
_HELD = re.compile(r"(?<=\w) (?=[×%])|(?<=\w ×) (?=\w)")
WHOLE = 4  # powers of ten from 10⁰ on and below this one are written in full
RAISED = f"[{_SIGNS[1]}]+"  # the pattern of an exponent


def raised(text: str) -> str:
    """Every ``9.6e-13`` of a text as ``9.6 × 10⁻¹³``, and ``1e-04`` as ``10⁻⁴``.

    Powers that people read faster in full are written so: ``6e+02`` as ``600``, ``1.2e+03`` as
    ``1,200``.
    """
    return _E.sub(_power, text)


def _power(match: re.Match[str]) -> str:
    if 0 <= int(match[2]) < WHOLE:
        return f"{float(match[0]):,.10g}"
    power = f"10{str(int(match[2])).translate(_UP)}"
    return power if match[1] == "1" else f"{match[1]}{_TIMES}{power}"


def held(text: str) -> str:
    """A text in which no line ends inside ``30 × 30`` or ``30 %``."""
    return _HELD.sub("\u00a0", text)


def lowered(text: str) -> str:
    """A raised exponent in ordinary digits: ``-13`` for ``⁻¹³``."""
    return text.translate(_DOWN)


def subscript(number: int) -> str:
    """A whole number from 0 on as an index: ``₁₂``."""
    return str(number).translate(_INDEX)


def value(text: str) -> float:
    """The number that a text writes: ``9.6 × 10⁻¹³``, ``10⁻⁴`` or ``4,081``.

    Raises:
        ValueError: if the text is not a number.
    """
    digits, times, power = text.replace("\u00a0", " ").rpartition(" × ")
    if times or re.fullmatch(f"10{RAISED}", power):
        return float(f"{digits or 1}e{lowered(power.removeprefix('10'))}")
    return float(power.replace(",", ""))


def plain(value: float, missing: str = "not reached", endless: str = "never") -> str:
    """A number as a table writes it: ``4,081``, ``0.178`` or ``6.8 × 10⁻¹²``.

    ``missing`` stands for NaN, ``endless`` for infinity.
    """
    if not math.isfinite(value):
        return endless if value == math.inf else missing
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.4g}"
    if value == 0 or abs(value) >= 1e-3:
        return f"{value:.3g}"
    return raised(f"{value:.1e}")


def title(name: str) -> str:
    """An option's name as a heading: ``Recovery error``, or ``PSNR`` for letters."""
    return name.upper() if name in LETTERS else name.replace("_", " ").capitalize()


def formula(value: float) -> str:
    """A number as a formula writes it: ``4{,}081``, ``0.178`` or ``6.8 \\cdot 10^{-12}``."""
    digits, times, power = plain(value).replace(",", "{,}").partition(f"{_TIMES}10")
    return f"{digits} \\cdot 10^{{{lowered(power)}}}" if times else digits


def brief(value: float) -> str:
    """A number with two digits: ``0.027`` or ``1.6 × 10⁻¹⁴``."""
    if 1e-3 <= abs(value) < 1e5 or not value:
        return f"{value:.2g}" if abs(value) < 99.5 else f"{value:,.0f}"
    return raised(f"{value:.1e}".replace(".0e", "e"))


def ratio(value: float, more: str, less: str, same: str, even: float = 1.05) -> str:
    """A ratio, such as ``3.1 × fewer steps``; ``same`` if it is between 1/even and even."""
    if 1 / even < value < even:
        return same
    size = max(value, 1 / value)
    digits = f"{size:.2g}" if size < 99.5 else f"{size:,.0f}"
    return f"{digits} × {more if value > 1 else less}"


def duration(seconds: float) -> str:
    """A time with two digits: ``0.12 s``, ``45 s``, ``3 min`` or ``1.5 h``."""
    if seconds < 90:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """A size in bytes: ``640 B``, ``12.3 kB`` or ``1.28 GB``."""
    power = min(3, int(math.log(max(count, 1), 1000)))
    return f"{count / 1000**power:.3g} {('B', 'kB', 'MB', 'GB')[power]}"


def count(number: float, noun: str) -> str:
    """A number of things: ``1 run``, ``3 runs``, ``2 entries``."""
    return f"{number:,.0f} {noun if round(number) == 1 else _plural(noun)}"


def all_its(number: int, noun: str) -> str:
    """Everything that something has: ``its only mode``, ``both its modes``, ``all its 5 modes``."""
    if number == 1:
        return f"its only {noun}"
    return f"both its {_plural(noun)}" if number == 2 else f"all its {count(number, noun)}"


def one_every(number: int, noun: str) -> str:
    """How often something comes: ``one every step``, ``one every 50 steps``."""
    return f"one every {noun if number == 1 else count(number, noun)}"


def _plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
