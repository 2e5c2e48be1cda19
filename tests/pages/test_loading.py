"""Charts are drawn while another thread loads pandas."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys, threading
import plotly.graph_objects as go
from pages.shared import loading

if sys.argv[1] == "with":
    loading.install()
assert not {"pandas", "pyarrow"} & {*sys.modules}
loads = threading.Thread(target=lambda: __import__("pandas"))
wrong, drawn = [], 0
loads.start()
while loads.is_alive() or not drawn:
    try:
        go.Figure(go.Scatter(y=[1.0, 2.0])).update_layout(title="any", xaxis_range=[0, 1])
        drawn += 1
    except AttributeError as error:
        wrong.append(str(error))
import pandas
assert pandas.Series([1]).sum() == 1 and not hasattr(pandas, "nothing")
print(wrong[:1] or "all drawn")
"""


@pytest.mark.parametrize(
    ("how", "words"), [("with", "all drawn"), ("without", "partially initialized module")]
)
def test_a_chart_is_drawn_while_pandas_is_being_loaded(how: str, words: str) -> None:
    """Without it, Plotly fails: otherwise this test could not."""
    command = [sys.executable, "-c", SCRIPT, how]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert words in said.stdout
