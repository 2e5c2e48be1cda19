"""Verify: passes on the authors' trajectories, fails on a single changed number."""

import json
import shutil
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.commands.printed import print_deviations
from dynamics.peers.verify import Deviation, UnreadableError, verify
from tests.support.make import is_sentence
from tests.support.numpy_engine import trajectory

QUICK = ("completion_d60_r4_L2", "sensing_d20_r2_L3")
LONG = ("completion_d100_r5_L3", "factorization_d100_r10_L3")


def deviations(file: Path, tolerance: float = 1e-8) -> list[Deviation]:
    return list(verify(file, tolerance, lambda network, number, total: None))


@pytest.mark.parametrize(
    "name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in LONG)]
)
def test_the_authors_trajectories_are_met(shared: Path, name: str) -> None:
    """Every quantity of both networks at every record, from their code in another framework."""
    found = deviations(shared / "reference" / f"{name}.npz")
    assert len(found) == 14 and all(each.within for each in found)
    spectra = [each for each in found if "angles" not in each.quantity]
    assert len(spectra) == 10 and max(each.worst for each in spectra) < 1e-9
    assert all(each.records > 50 for each in found)


def test_files_of_this_program_s_own_numbers_pass(trajectory_file: Path) -> None:
    """Made here by plain NumPy; all agree to the last digits but spare singular values."""
    found = deviations(trajectory_file)
    assert all(each.within for each in found) and len(found) == 14
    assert max(each.worst for each in found if "angles" not in each.quantity) < 1e-9
    assert all(each.until is None and each.beyond == 0 for each in found)


def test_a_run_that_amplifies_rounding_is_compared_up_to_where_it_decides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beyond η* of the compressed network NumPy and torch part; up to there one number counts."""
    arrays = trajectory(eta=6.0)
    file = tmp_path / "large.npz"
    np.savez(file, **arrays)
    found = deviations(file)
    assert len(found) == 14 and all(each.within for each in found)
    assert {each.network for each in found if each.until is not None} == {"compressed"}
    losses = next(each for each in found if each.quantity == "train_loss" and each.until)
    assert losses.until and 100 < losses.until < 400 and losses.beyond > 1e-3
    print_deviations(found, [], as_json=False)
    said = capsys.readouterr().out
    assert said.count(f"; beyond step {losses.until} rounding decides: ") > 1
    for record, fails in ((1, True), (-1, False)):
        changed = arrays["compressed_train_loss"].copy()
        changed[record] *= 1 + 1e-4
        found = deviations(altered(file, tmp_path, compressed_train_loss=changed))
        assert any(not each.within for each in found) == fails


def test_a_start_that_rounding_decides_is_said_and_fails_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = Deviation("f", "original", "left_angles", 0.0, 1e-6, 0, until=-1, beyond=0.5)
    print_deviations([result], [], as_json=False)
    assert "ok" in (said := capsys.readouterr().out) and "from the first record on" in said


def altered(file: Path, folder: Path, **changes: object) -> Path:
    """A copy with arrays replaced, or left out where the change is None."""
    with np.load(file) as content:
        arrays = {name: content[name] for name in content.files} | changes
    copy = folder / "altered.npz"
    np.savez(copy, **{name: array for name, array in arrays.items() if array is not None})
    return copy


@pytest.mark.parametrize(
    "quantity",
    [
        "original_train_loss",
        "original_test_loss",
        "compressed_relative_error",
        "compressed_end_to_end_singular_values",
        "original_layer_singular_values",
        "compressed_left_angles",
        "original_right_angles",
    ],
)
def test_one_changed_number_fails_its_quantity_alone(
    trajectory_file: Path, tmp_path: Path, quantity: str
) -> None:
    """In one record out of many, by one part in ten thousand."""
    with np.load(trajectory_file) as content:
        array = content[quantity].copy()
    array[1] *= 1 + 1e-4
    found = deviations(altered(trajectory_file, tmp_path, **{quantity: array}))
    failed = [f"{each.network}_{each.quantity}" for each in found if not each.within]
    assert failed == [quantity]


def test_a_changed_start_fails(trajectory_file: Path, tmp_path: Path) -> None:
    with np.load(trajectory_file) as content:
        factor = content["original_init_1"].copy()
    factor[0, 0] += 1e-6
    found = deviations(altered(trajectory_file, tmp_path, original_init_1=factor))
    assert {each.network for each in found if not each.within} == {"original"}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_fails(
    trajectory_file: Path, tmp_path: Path, bad: float
) -> None:
    with np.load(trajectory_file) as content:
        losses = content["original_train_loss"].copy()
    losses[3] = bad
    found = deviations(altered(trajectory_file, tmp_path, original_train_loss=losses))
    assert [each.worst for each in found if not each.within] == [np.inf]


def unreadable(file: Path) -> str:
    with pytest.raises(UnreadableError) as caught:
        deviations(file)
    assert is_sentence(str(caught.value)) and str(file) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "key", ["config", "target", "mask", "iteration", "original_init_2", "compressed_train_loss"]
)
def test_a_missing_array_is_named(trajectory_file: Path, tmp_path: Path, key: str) -> None:
    assert f"'{key}'" in unreadable(altered(trajectory_file, tmp_path, **{key: None}))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_unreadable(
    trajectory_file: Path, tmp_path: Path, share: float
) -> None:
    content = trajectory_file.read_bytes()
    file = tmp_path / "half.npz"
    file.write_bytes(content[: int(share * len(content))])
    unreadable(file)


def test_a_huge_header_is_refused_before_memory_is_used(
    trajectory_file: Path, tmp_path: Path
) -> None:
    """50 MB of blanks, which take 50 kB in the file."""
    file = tmp_path / "blanks.npz"
    shutil.copy(trajectory_file, file)
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}" + b" " * 50_000_000
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("blanks.npy", b"\x93NUMPY\2\0" + len(text).to_bytes(4, "little") + text)
    tracemalloc.start()
    with pytest.raises(UnreadableError, match=r"not an \.npz file"):
        deviations(file)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()


@pytest.mark.parametrize("content", [b"not a zip", b"\x93NUMPY", b"[]"])
def test_another_kind_of_file_is_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.npz").write_bytes(content)
    unreadable(tmp_path / "file.npz")
    unreadable(tmp_path / "nothing.npz")
    unreadable(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"config": "no JSON"},
        {"config": "[]"},
        {"config": json.dumps({"task": "mc"})},
        {"target": np.zeros((3, 3))},
        {"target": np.zeros(5)},
        {"mask": np.ones((2, 2))},
        {"original_init_1": np.zeros((2, 2))},
        {"iteration": np.array(["a", "b"])},
        {"original_train_loss": np.zeros(3)},
    ],
    ids=str,
)
def test_contents_that_do_not_fit_together_are_unreadable(
    trajectory_file: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    unreadable(altered(trajectory_file, tmp_path, **changes))


def test_an_unknown_task_or_optimizer_is_named(trajectory_file: Path, tmp_path: Path) -> None:
    with np.load(trajectory_file) as content:
        config = json.loads(str(content["config"]))
    for name, value in (("task", "mx"), ("optimizer", "lion")):
        file = altered(trajectory_file, tmp_path, config=json.dumps(config | {name: value}))
        assert f"'{value}'" in unreadable(file)


def test_a_target_of_full_rank_is_met(shared: Path) -> None:
    """Nothing lies beyond its top subspace."""
    found = deviations(shared / "inputs" / "full_rank_d8.npz")
    assert len(found) == 14 and all(each.within for each in found)


STRANGE: list[Any] = [None, "x", -1, 0, 1.5, float("nan"), float("inf"), 10**30, [], {}]
WRONG: list[Any] = [
    np.zeros(0), np.zeros((0, 3)), np.array(3.0), np.full((2, 2), np.nan), np.array("text"),
    np.array([10**15, 10**16]), np.arange(5)[::-1], np.zeros((3, 3), complex),
]  # fmt: skip


@st.composite
def damages(draw: st.DrawFn, names: Any, keys: Any) -> Any:
    """What replaces an array, a setting, or bytes of the file."""
    kind = draw(st.sampled_from(["array", "setting", "bytes", "cut"]))
    if kind == "array":
        return kind, draw(names), draw(st.sampled_from(WRONG))
    if kind == "setting":
        return kind, draw(keys), draw(st.sampled_from(STRANGE))
    return kind, draw(st.floats(0, 1)), draw(st.binary(min_size=1, max_size=8))


NAMES = ["target", "mask", "iteration", "config", "original_init_1", "compressed_init_2",
         "original_train_loss", "compressed_left_angles", "original_layer_singular_values",
         "compressed_end_to_end_singular_values"]  # fmt: skip
KEYS = ["task", "r", "rhat", "depth", "epsilon", "eta", "alpha", "optimizer", "record_every"]
DAMAGES = damages(st.sampled_from(NAMES), st.sampled_from(KEYS))


def survive(file: Path, folder: Path, damage: Any) -> None:
    """It is compared, or refused in one sentence."""
    kind, place, new = damage
    copy = folder / "altered.npz"
    if kind == "array":
        altered(file, folder, **{place: new})
    elif kind == "setting":
        with np.load(file) as content:
            settings_of = json.loads(str(content["config"])) | {place: new}
        altered(file, folder, config=np.array(json.dumps(settings_of)))
    else:
        content = file.read_bytes()
        at = int(place * len(content))
        copy.write_bytes(
            content[:at] + (new + content[at + len(new) :] if kind == "bytes" else b"")
        )
    said = ""
    try:
        assert len(deviations(copy)) == 14
    except UnreadableError as refused:
        said = str(refused)
    assert not said or is_sentence(said)


@settings(max_examples=150, deadline=None)
@given(damage=DAMAGES)
def test_a_damaged_file_is_compared_or_refused_in_a_sentence(
    trajectory_file: Path, tmp_path_factory: pytest.TempPathFactory, damage: Any
) -> None:
    survive(trajectory_file, tmp_path_factory.getbasetemp(), damage)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=4000, deadline=None)
@given(damage=DAMAGES)
def test_thousands_of_damaged_files_are_compared_or_refused(
    trajectory_file: Path, tmp_path_factory: pytest.TempPathFactory, damage: Any
) -> None:
    survive(trajectory_file, tmp_path_factory.getbasetemp(), damage)
