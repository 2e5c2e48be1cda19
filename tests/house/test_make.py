"""The Makefile's commands say what is in their way."""

import socket
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_taken_port_is_named_before_a_browser_is_opened() -> None:
    """Otherwise the page of another program would be shown."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        made = subprocess.run(
            ["make", "-o", ".venv/bin/.app", "app", f"PORT={port}"],
            check=False,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert made.returncode == 2
    assert f"Port {port} is taken" in made.stderr and "Traceback" not in made.stderr
