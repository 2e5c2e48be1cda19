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
RUN_COLORS = (  # without blue and orange, which mean a network
    "#2f9e44", "#ae3ec9", "#846358", "#0c8599", "#e03131", "#74840f", "#e64980", "#868e96"
)  # fmt: skip
INK = "#1f2430"  # colour of theory and type on white; the page takes its theme's
GREY = "rgba(128,128,128,0.25)"


def color(network: str, shade: float = 0.0) -> str:
    """A network's fixed colour; ``shade``, from 0 to 1, fades it towards a light grey."""
    strong = COLORS.get(network.removesuffix("_reduced"))
    strong = strong or SPARE_COLORS[sum(map(ord, network)) % len(SPARE_COLORS)]
    mixed = (
        round(int(strong[i : i + 2], 16) * (1 - 0.72 * shade) + 205 * 0.72 * shade)
        for i in (1, 3, 5)
    )
    return "#{:02x}{:02x}{:02x}".format(*mixed)
