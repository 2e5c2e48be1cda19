"""``python tests/benchmarks/growth.py BENCH.json``: how a step grows; a table and docs/growth.svg.

Reads what ``python -m dynamics bench --json`` printed; gives seconds per step against d, L, the
number of observed entries and r̂, each with the slope that the operation counts let one expect.
"""

import json
import math
import sys
from pathlib import Path

OUT = Path(__file__).parents[2] / "docs" / "growth.svg"
BASE = "completion_d100_r5_L3"
AXES = {  # title: cases by the number that grows, networks with their expected slopes
    "d": ({30: "completion_d30", 100: BASE, 300: "completion_d300", 1000: "completion_d1000"},
          {"original": 3.0, "compressed": 2.0}),
    "L": ({2: "completion_L2", 3: BASE, 5: "completion_L5", 8: "completion_L8"},
          {"original": 1.0, "compressed": 0.0}),
    "observed entries": ({10_000: "completion_d1000_p0.01", 50_000: "completion_d1000_p0.05",
                          200_000: "completion_d1000_p0.2"}, {"compressed": 1.0}),
    "r̂": ({5: "completion_rank_bound5", 10: BASE, 20: "completion_rank_bound20",
           40: "completion_rank_bound40"}, {"compressed": 1.0}),
}  # fmt: skip
COLORS = {"original": "#2f6fde", "compressed": "#e8710a"}
Points = list[tuple[float, float]]


def points(rows: list[dict[str, object]], cases: dict[int, str], network: str) -> Points:
    """The number that grows and seconds per step, where both were measured in float64."""
    speeds = {
        row["case"]: float(str(row["steps_per_second"]))
        for row in rows
        if (row["engine"], row["network"], row["dtype"]) == ("dynamics", network, "float64")
    }
    return [(size, 1 / speeds[case]) for size, case in cases.items() if case in speeds]


def slope(found: Points) -> float:
    """Of the least-squares line through the logarithms."""
    xs, ys = ([math.log(value) for value in column] for column in zip(*found, strict=True))
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum(
        (a - x) ** 2 for a in xs
    )


def panel(title: str, lines: dict[str, Points], left: float) -> str:
    """One log-log chart, 210 wide and 190 high."""
    xs = [math.log10(x) for each in lines.values() for x, _ in each]
    low, high = min(xs), max(xs)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = left + 170 * (math.log10(point[0]) - low) / (high - low)
        return x, 180 - 150 * (math.log10(point[1]) + 6) / 6

    parts = [f'<text x="{left + 85}" y="222" text-anchor="middle">{title}</text>']
    for decade in range(-6, 1):
        y = place((10**low, 10**decade))[1]
        parts.append(f'<path d="M{left} {y}h170" stroke="#8884"/>')
        if left < 100:
            parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">1e{decade}</text>')
    for network, each in lines.items():
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, each))
        color = COLORS[network]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        for size, seconds in each:
            x, y = place((size, seconds))
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>')
            parts.append(f'<text x="{x:.1f}" y="200" text-anchor="middle">{size:,}</text>')
    return "".join(parts)


def main() -> None:
    """Print the table and write the figure."""
    rows = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["rows"]
    drawn = []
    print("| grows | network | µs a step | slope expected | measured |\n|---|---|---|---|---|")
    for number, (title, (cases, networks)) in enumerate(AXES.items()):
        lines = {network: points(rows, cases, network) for network in networks}
        for network, found in lines.items():
            speeds = ", ".join(f"{size:,}: {1e6 * seconds:,.3g}" for size, seconds in found)
            print(
                f"| {title} | {network} | {speeds} | {networks[network]:g} | {slope(found):.2f} |"
            )
        drawn.append(panel(title, lines, 60 + 215 * number))
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 930 240" font-family="sans-serif" '
    label = '<text x="60" y="16">seconds a step: original blue, compressed orange</text>'
    OUT.write_text(f'{head}font-size="11" fill="#777">{label}{"".join(drawn)}</svg>\n')


if __name__ == "__main__":
    main()
