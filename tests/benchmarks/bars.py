"""``python tests/benchmarks/bars.py BENCH.json``: this program over plain JAX, beside the bars.

Reads what ``python -m dynamics bench --json`` printed. The bars are for two idle cores.
"""

import json
import sys
from pathlib import Path

BARS = {  # (case, network): steps per second, this program's over plain JAX's
    ("completion_d100_r5_L3", "original"): 0.95,
    ("completion_d100_r5_L3", "compressed"): 3.5,
    ("completion_d100_r5_L3_uncompiled", "compressed"): 1.0,
    ("movielens", "compressed"): 5.0,
    ("completion_d5000_p0.01", "compressed"): 40.0,
    ("sensing_d200_r5_L3_m4000", "compressed"): 20.0,
    ("ablation_alpha", "compressed"): 10.0,
}
LEAST = ("completion_d20000_p0.001", "compressed", 200.0)  # steps per second


def main() -> int:
    """Print the table; 1 if a bar is missed."""
    rows = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["rows"]
    speeds = {
        (row["case"], row["network"], row["engine"]): row["steps_per_second"]
        for row in rows
        if row["dtype"] == "float64"
    }
    found = [
        (f"{case}, {network}, over JAX", speeds[case, network, "dynamics"] / jax, bar)
        for (case, network), bar in BARS.items()
        if (jax := speeds.get((case.removesuffix("_uncompiled"), network, "jax")))
        and (case, network, "dynamics") in speeds
    ]
    large = speeds.get((*LEAST[:2], "dynamics"))
    found += [(f"{LEAST[0]}, steps/s", large, LEAST[2])] if large else []
    print("| measured | seen | bar |\n|---|---|---|")
    for what, seen, bar in found:
        print(f"| {what} | {seen:.3g}{'' if seen >= bar else ' **missed**'} | {bar:g} |")
    return int(any(seen < bar for _, seen, bar in found))


if __name__ == "__main__":
    sys.exit(main())
