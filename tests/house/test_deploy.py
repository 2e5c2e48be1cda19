"""The files of ``deploy``: each is what docs/deploy.md says of it, read without a server."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.test_layers import ROOT

DEPLOY = ROOT / "deploy"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order: word and arguments."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found = re.findall(r"^([A-Z]+)\s+((?:.*\\\n)*.*)$", lines, re.MULTILINE)
    words = " ".join(" ".join(pair) for pair in found).split()
    assert words == lines.split(), "a line is no instruction"
    return found


def test_the_image_runs_as_nobody_and_says_whether_it_is_well() -> None:
    found = instructions()
    last = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    stage = found[last:]
    users = [told for word, told in stage if word == "USER"]
    assert users == ["10001"]
    order = [word for word, _ in stage]
    assert order.index("USER") < order.index("HEALTHCHECK") < order.index("CMD")
    (health,) = [told for word, told in stage if word == "HEALTHCHECK"]
    assert "/api/ready" in health
    (volume,) = [told for word, told in stage if word == "VOLUME"]
    (places,) = [told for word, told in stage if word == "ENV"]
    for name in ("DLN_RUNS", "DLN_DATA", "HOME"):  # all that is written, on a read-only root
        assert re.search(rf"{name}={volume}/", places), name
    assert not any(re.search(r":latest\b", told) or told.startswith("ADD") for _, told in found)


def test_all_that_is_copied_is_there_and_is_let_through() -> None:
    """A file that .dockerignore holds back would be missing from the image."""
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for word, told in instructions():
        if word == "COPY" and not told.startswith("--from"):
            *sources, _ = told.split()
            for source in sources:
                assert (ROOT / source).exists() and f"!{source}" in let_through, source


def test_the_image_starts_what_the_readme_starts() -> None:
    (command,) = [told for word, told in instructions() if word == "CMD"]
    unit = (DEPLOY / "dln-explorer.service").read_text(encoding="utf-8")
    for words in ("-m streamlit run app.py", "--server.port 8501"):
        assert words in command.replace('", "', " ") and words in unit


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """As it is, but for a program, a folder and a user that this machine has."""
    unit = (DEPLOY / "dln-explorer.service").read_text(encoding="utf-8")
    unit = unit.replace("/opt/dln-explorer/.venv/bin/python", sys.executable)
    unit = unit.replace("/opt/dln-explorer", str(ROOT)).replace("User=dln\nGroup=dln\n", "")
    (tmp_path / "dln-explorer.service").write_text(unit)
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "dln-explorer.service"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    own = [line for line in ended.stderr.splitlines() if "dln-explorer" in line]
    assert ended.returncode == 0 and not own, ended.stderr
