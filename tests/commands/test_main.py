"""The command line: flags, exit statuses, and sentences on standard error."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dynamics.__main__ import main
from dynamics.commands.parser import parser
from dynamics.commands.printed import summary
from dynamics.core.config import SETTINGS, Config
from dynamics.core.records import Trajectory
from dynamics.findings import attribution
from dynamics.runs.run import CANCEL, PAUSE, RUN, Run, find, listing
from tests.support.make import is_sentence, small

ROOT = Path(__file__).parents[2]


def command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program as a user calls it."""
    return subprocess.run(
        [sys.executable, "-m", "dynamics", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def flags(config: Config) -> list[str]:
    return [
        word
        for name, value in config.to_dict().items()
        for word in ("--" + name.replace("_", "-"), str(value))
    ]


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The sentence with which a command is refused, after its exit status 2."""
    with pytest.raises(SystemExit) as end:
        sys.exit(main([*map(str, arguments)]))
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err
    last = err.strip().splitlines()[-1]
    assert "dynamics" in last.partition(": ")[0]
    return last.partition(": ")[2]


def test_help_lists_every_setting_with_symbol_range_and_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Flags are the fields of Config: none is missing and none is made up."""
    with pytest.raises(SystemExit) as end:
        main(["run", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    for name, field in SETTINGS.items():
        start = text.index(f"--{name.replace('_', '-')} ", text.index("options:"))
        entry = text[start : start + 900]
        assert field.symbol in entry and field.meaning.split(";")[0] in entry
        assert all(option in entry for option in field.offered)
    assert "--data" in text and "--runs" in text


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    (commands,) = (each for each in parser()._actions if isinstance(each.choices, dict))
    assert {"run", "sweep", "forecast", "verify", "export", "runs"} < set(commands.choices or ())
    for name in commands.choices or ():
        with pytest.raises(SystemExit) as end:
            parser().parse_args([name, "--help"])
        assert end.value.code == 0 and f"dynamics {name}" in capsys.readouterr().out


def test_a_run_is_trained_listed_shown_exported_and_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the shell alone, in a folder of its own."""
    config, folder = small(noise=0.25, alpha=0.1 + 0.2, alpha_original=3.0), tmp_path / "runs"
    trained = command("run", *flags(config), "--runs", folder)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.startswith(f"Run {config.key}\ndone: ")
    run = find(config.key, folder)
    assert run.config == config.canonical() and len(run.rows()) == 7

    def printed(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    monkeypatch.setenv("DLN_RUNS", str(folder))
    assert printed("run", *flags(config)) == trained.stdout  # the same run, not a second one
    assert printed("runs").split()[:3] == [config.key, "done", "60"]
    shown = printed("runs", "show", config.key)
    assert "--alpha-original" in shown
    assert all("reproducible to 10⁻⁸ at every record" in out for out in (trained.stdout, shown))

    file = tmp_path / "out.csv"
    assert str(file) in printed("export", config.key, "--out", str(file))
    assert len(pd.read_csv(file)) == 14
    assert command("export", config.key, "--out", "-").stdout == file.read_text()

    assert printed("runs", "delete", config.key) == printed("runs") == ""
    assert not run.folder.exists()


def test_a_run_that_diverges_is_a_negative_result(tmp_path: Path) -> None:
    config = small(learning_rate=1e4, init_scale=1.0)
    done = command("run", *flags(config), "--runs", tmp_path / "runs")
    assert done.returncode == 1
    assert "compressed network diverges: η is" in done.stdout
    assert "diverged at step" in done.stdout and "Traceback" not in done.stderr


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    """The flag --data reaches the worker."""
    (tmp_path / "u.data").write_text("no ratings\n")
    arguments = ["run", "--problem", "movielens", "--data", tmp_path, "--runs", tmp_path / "runs"]
    done = command(*arguments)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 2 and "u.data, line 1" in last and is_sentence(last)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--rank", "abc"], "--rank: "),
        (["--rank", "0"], "--rank: "),
        (["--learning-rate", "nan"], "--learning-rate: "),
        (["--problem", "nonsense"], "--problem: "),
        (["--networks", "original,narrow"], "--networks: "),
        (["--rank-bound", "101"], "--rank-bound: "),
        (["--steps", "10000000", "--record-every", "1"], "--record-every: "),
        (["--runs", "/dev/null/runs"], "cannot be written"),
    ],
)
def test_settings_that_cannot_be_run_are_refused_by_flag(
    capsys: pytest.CaptureFixture[str], arguments: list[str], word: str
) -> None:
    sentence = refused(capsys, "run", *arguments)
    assert word in sentence and is_sentence(sentence)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["run", "--lerning-rate", "3"], "--lerning-rate"),
        (["train"], "train"),
        ([], "command"),
        (["verify"], "FILE"),
        (["verify", "--tolerance", "x", "file"], "'x'"),
        (["export", "0" * 16, "--format", "xlsx"], "xlsx"),
        (["export", "0" * 16], "no run 000"),
        (["export", "0" * 16, "--out", "run.parquet"], "run.parquet"),
        (["export", "../../etc"], "no run"),
        (["runs", "show"], "key"),
        (["runs", "delete", "nonsense"], "nonsense"),
        (["runs", "burn"], "burn"),
    ],
)
def test_commands_that_make_no_sense_are_refused_with_their_word(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    word: str,
) -> None:
    monkeypatch.setenv("DLN_RUNS", str(tmp_path))
    assert word in refused(capsys, *arguments)


@pytest.mark.parametrize("more", [[], ["--figure", "nonsense"]])
def test_a_file_that_cannot_be_written_is_named(
    capsys: pytest.CaptureFixture[str], finished: Run, more: list[str]
) -> None:
    """Before anything is drawn: else the figure that does not exist would be named."""
    out = f"/dev/null/out.{'pdf' if more else 'csv'}"
    arguments = [finished.key, "--out", out, "--runs", finished.folder.parent, *more]
    sentence = refused(capsys, "export", *arguments)
    assert out in sentence and is_sentence(sentence)


def test_a_reader_that_goes_away_gets_no_traceback(finished: Run) -> None:
    """As ``| head`` does, or a pager that is left."""
    arguments = ["export", finished.key, "--format", "json", "--out", "-"]
    process = subprocess.Popen(
        [sys.executable, "-m", "dynamics", *arguments, "--runs", str(finished.folder.parent)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 2


def test_runs_are_steered_by_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a button does, the shell does."""
    run = Run(tmp_path / ("a" * 16))
    run.folder.mkdir()
    asked = {"pause": PAUSE, "resume": RUN, "cancel": CANCEL}
    for action, control in asked.items():
        assert main(["runs", action, run.key, "--runs", str(tmp_path)]) == 0
        assert run.asked() == control
    assert main(["runs", "--runs", str(tmp_path)]) == 0  # damaged ones are listed, too
    assert "unreadable" in capsys.readouterr().out


def falling(network: str, errors: list[float]) -> Trajectory:
    steps = 100.0 * np.arange(len(errors))
    seconds = steps / (200.0 if network == "original" else 400.0)
    return Trajectory(network, steps, seconds, steps, steps, {"recovery_error": np.array(errors)})


def test_the_summary_compares_steps_and_seconds_to_each_decade() -> None:
    original = falling("original", [1, 0.5, 0.2, 0.1, 0.05])
    compressed = falling("compressed", [1, 0.1, 0.009, 0.009, 0.009])
    lines = summary([original, compressed]).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["1e-01", "300", "1.5", "100", "0.25", "3", "3"],
        ["1e-02", "–", "–", "200", "0.5", "–", "–"],
    ]
    assert "No network" in summary([falling("original", [1.0])])
    assert "no records" in summary([]) and "no records" in summary([falling("original", [])])


def test_the_summary_of_ratings_is_their_best_held_out_error() -> None:
    """½ mean square is not what people quote: the root mean square error stands beside it."""
    steps = np.arange(3.0)
    trajectory = Trajectory(
        "compressed", steps, steps, steps, steps, {"test_loss": np.array([2.0, 0.5, 0.72])}
    )
    assert "0.5 (root mean square error 1) at step 1" in summary([trajectory])


def verified(
    capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, dict[str, object]]:
    status = main(["verify", "--json", *map(str, arguments)])
    content: dict[str, object] = json.loads(capsys.readouterr().out)
    return status, content


def test_verify_prints_json_and_its_status_says_the_verdict(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, trajectory_file: Path
) -> None:
    status, content = verified(capsys, trajectory_file)
    assert (status, content["passed"], content["unreadable"]) == (0, True, [])
    assert {"network", "quantity", "worst", "tolerance", "within"} <= set(content["deviations"][0])  # type: ignore[index]
    status, content = verified(capsys, trajectory_file, "--tolerance", "0")
    assert (status, content["passed"]) == (1, False)
    status, content = verified(capsys, trajectory_file, tmp_path / "nothing.npz")
    assert (status, content["passed"]) == (2, False)
    assert is_sentence(content["unreadable"][0])  # type: ignore[index]
    assert main(["verify", str(trajectory_file)]) == 0
    assert capsys.readouterr().out.count("ok ") == 14


@pytest.mark.slow
def test_attribution_prints_what_the_runs_of_its_seeds_give(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ordinary runs, one a seed: the numbers of the table are those of their records."""
    config = small(networks="original", alpha=3.0, problem="factorization", steps=600)
    arguments = [*flags(config), "--runs", str(folder), "--seeds", "2", "--level", "0.3"]
    assert main(["attribution", *arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    kept = [run.trajectories for run, _, _ in reversed(listing(folder))]
    made = attribution.attribute(config, kept, "0.3")
    assert len(kept) == printed["seeds"] == 2 and made.orders
    assert printed == json.loads(json.dumps(attribution.to_dict(made)))
    assert main(["attribution", *arguments]) == 0  # nothing is trained twice
    assert attribution.sentences(made)[0] in capsys.readouterr().out
    for wrong in (["--level", "soon"], ["--out", "causes.gif"]):
        assert main(["attribution", *arguments, *wrong]) == 2
        assert is_sentence(capsys.readouterr().err.strip())
    file = folder / "causes.tex"
    nothing = str(file.with_stem("nothing"))
    assert main(["attribution", *arguments, "--level", "1e-9", "--out", nothing]) == 1
    assert "is not written" in capsys.readouterr().err and not Path(nothing).exists()
    assert main(["attribution", *arguments, "--out", str(file), "--size", "slide"]) == 0
    code = file.read_text()
    assert "\\textbf{Steps in all}" in code and "\\fontsize{24}" in code
