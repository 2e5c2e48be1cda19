"""Look: each network's colour and dash, in every chart.

On the page, the browser adapts them to its theme: ``pages/shared/live/browser/base/theme.js``.
"""

# Wide networks are blue, networks with the compressed start orange, narrow random ones pink, a
# plain layer is green. Dashes distinguish them in grey. An exact reduction is dotted, in the colour
# of its network.
COLORS = {
    "original": "#2f6fde",
    "original_alpha": "#12a3c4",
    "original_spectral": "#7c86f2",
    "original_spectral_alpha": "#9a63e8",
    "compressed": "#e8710a",
    "compressed_even": "#c79a00",
    "narrow_random": "#c2407f",
    "narrow_random_alpha": "#d984b0",
    "original_layered": "#5b8fb0",
    "plain": "#3d8b57",
}
DASHES = {
    "original": "solid",
    "original_alpha": "dashdot",
    "original_spectral": "longdash",
    "original_spectral_alpha": "8px,2px,2px,2px",
    "compressed": "dash",
    "compressed_even": "longdashdot",
    "narrow_random": "2px,6px",
    "narrow_random_alpha": "12px,4px,2px,4px,2px,4px",
    "original_layered": "4px,4px",
    "plain": "16px,6px",
}
SPARE_COLORS = ("#7b5ea7", "#2a9d8f", "#b23a6f", "#6b7280")
UNKNOWN = "#808080"  # where numbers are not known
BACKBONE = "#6b7280"  # what all networks have in front of them
RUN_COLORS = (  # without blue and orange, which mean a network
    "#2f9e44", "#ae3ec9", "#846358", "#0c8599", "#e03131", "#74840f", "#e64980", "#868e96"
)  # fmt: skip
# Each class of images has a colour and a mark, so that grey paper and colour-blind eyes tell them
# apart (colours: Paul Tol's "muted"). Of more than ten, the marks are paired with other colours.
CLASS_COLORS = (
    "#332288", "#cc6677", "#117733", "#88ccee", "#882255",
    "#ddaa33", "#44aa99", "#aa4499", "#6b7280", "#999933",
)  # fmt: skip
CLASS_MARKS = (
    "circle", "square", "triangle-up", "diamond", "x",
    "circle-open", "square-open", "triangle-up-open", "diamond-open", "cross",
)  # fmt: skip
# Violet below zero, green above: colours that no network has.
DIVERGING = ((0.0, "#7b3294"), (0.5, "#ffffff"), (1.0, "#00783c"))
INK = "#1f2430"  # colour of theory and type on white; the page takes its theme's
GREY = "rgba(128,128,128,0.25)"
# Opacities of a line whose mode is not lit, and of one of the parent run; FAINT and OPACITY of
# pages/shared/live/browser/base/theme.js are the same.
UNLIT, PARENT = 0.16, 0.38
LAST = 2000  # rank in the legend, after the networks
RING = {"symbol": "circle-open", "size": 10, "color": INK, "line": {"width": 1.5}}
# The darkest light and the lightest dark that words in a network's colour stand on; their contrast.
PAPERS = ("#ececea", "#2d2c29")
CONTRAST = 4.5


def color(network: str, shade: float = 0.0) -> str:
    """A network's fixed colour; ``shade``, from 0 to 1, fades it towards a light grey."""
    strong = COLORS.get(network.removesuffix("_reduced"))
    return faded(strong or SPARE_COLORS[sum(map(ord, network)) % len(SPARE_COLORS)], shade)


def faded(strong: str, shade: float) -> str:
    """A colour; ``shade``, from 0 to 1, fades it towards a light grey."""
    mixed = (
        round(int(strong[i : i + 2], 16) * (1 - 0.72 * shade) + 205 * 0.72 * shade)
        for i in (1, 3, 5)
    )
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def written(network: str) -> str:
    """A network's colour for words, as CSS: legible in a light and in a dark theme."""
    ends = ("#000000", "#ffffff")
    light, dark = (
        next(
            shade
            for share in range(0, 101, 2)
            if contrast(shade := mixed(color(network), end, share / 100), paper) >= CONTRAST
        )
        for end, paper in zip(ends, PAPERS, strict=True)
    )
    return f"light-dark({light},{dark})"


def mixed(one: str, other: str, share: float) -> str:
    """A colour with a share, from 0 to 1, of another one."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#{:02x}{:02x}{:02x}".format(*(round(a + (b - a) * share) for a, b in pairs))


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' brightness, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(shade: str) -> float:
    parts = (int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def class_look(number: int) -> tuple[str, str]:
    """The colour and the mark of a class, by its number from 0; no two of a hundred are equal."""
    count = len(CLASS_COLORS)
    return CLASS_COLORS[number % count], CLASS_MARKS[(number + number // count) % count]
