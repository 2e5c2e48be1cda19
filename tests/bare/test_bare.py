"""The README's commands on a bare Debian: from a clone to a trained run and an exported PDF.

The root has nothing but python3, make and certificates. It is made by debootstrap, which needs to
be run as root.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, free_port
from tests.support.make import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a root"),
    pytest.mark.skipif(shutil.which("debootstrap") is None, reason="there is no debootstrap"),
]
PACKAGES = "python3,make,ca-certificates"
RELEASE = "bookworm"
SHARED = "/proc", "/sys", "/dev"
INSTALLING = 1800  # seconds
QUICK = 300  # seconds


class Bare:
    """A root in which commands run, as root, in the project's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"} | _pip()

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Start a command."""
        words = [
            "chroot",
            str(self.folder),
            "/bin/sh",
            "-c",
            'cd /app && exec "$@"',
            "sh",
            *command,
        ]
        return subprocess.Popen(
            words, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *command: str, patience: float = QUICK) -> str:
        """What a command says, once it has ended well."""
        process = self.start(*command)
        said, _ = process.communicate(timeout=patience)
        assert process.returncode == 0, said[-3000:]
        return said


def _pip() -> dict[str, str]:
    """This machine's settings of pip: where packages come from is not what is tested."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = (line.partition("=") for line in lines)
    return {
        f"PIP_{name.rpartition('.')[2].upper().replace('-', '_')}": value.strip("'")
        for name, _, value in pairs
    }


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    """A bare root with a clone of the project in /app."""
    folder = tmp_path_factory.mktemp("bare")
    made = Bare(folder)
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALLING)
    assert done.returncode == 0, done.stdout[-3000:]
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "app"], check=True)
    local = re.findall(r"(?:^|\s|//)(/[^\s]+)", "\n".join(made.environment.values()))
    with contextlib.ExitStack() as stack:
        # Of an index on this machine, what its pages link to is needed, too.
        trees = {str(Path(*Path(each).parts[:3])) for each in local if Path(each).is_dir()}
        for path in (*SHARED, *sorted(trees)):
            place = folder / path.lstrip("/")
            if not place.is_mount():
                place.mkdir(parents=True, exist_ok=True)
                subprocess.run(["mount", "--rbind", path, str(place)], check=True)
                subprocess.run(["mount", "--make-rslave", str(place)], check=True)
                stack.callback(subprocess.run, ["umount", "--lazy", "--recursive", str(place)])
        for path in local:
            if Path(path).is_file():
                (folder / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / path.lstrip("/"))
        yield made


def test_from_a_clone_to_a_run_and_a_pdf(bare: Bare) -> None:
    """There is no compiler and no ensurepip; one command brings both and opens the app."""
    assert "no" in bare.run("sh", "-c", "command -v c++ || echo no")
    port = free_port()
    app = bare.start("make", "app", f"PORT={port}")
    assert app.stdout
    said = []
    for line in app.stdout:  # installing takes minutes
        said.append(line)
        if "Training will run" in line or "kernels are ready" in line:
            break
    try:
        assert said[-1] == "The compiled kernels are ready.\n", "".join(said)[-3000:]
        until(lambda: app.poll() is not None or _answers(port), "make app answers")
        assert app.poll() is None, app.stdout.read()
    finally:
        subprocess.run(["pkill", "--full", f"server.port {port}"], check=False)
        app.wait(QUICK)
    assert not any("Traceback" in line for line in said)
    ran = bare.run(".venv/bin/python", "-m", "dynamics", "run", "--steps", "2000")
    assert "torch alone" not in ran
    key = re.search("[0-9a-f]{16}", ran)
    assert key
    bare.run("make", "chromium", patience=INSTALLING)
    bare.run(".venv/bin/python", "-m", "dynamics", "export", key[0], "--out", "figure.pdf")
    assert (bare.folder / "app/figure.pdf").read_bytes().startswith(b"%PDF")


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        address = f"http://127.0.0.1:{port}/api/ready"
        return bool(urllib.request.urlopen(address, timeout=2).status == 200)
    return False
