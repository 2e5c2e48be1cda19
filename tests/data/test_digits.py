"""Digits: what scikit-learn itself reads from its file."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from dynamics.data.digits import digits
from dynamics.data.folder import DataError
from tests.support.make import is_sentence


def test_images_and_labels_are_those_of_scikit_learn() -> None:
    found, wanted = digits(), load_digits()
    assert found.images.dtype == np.float32 and found.labels.dtype == np.int64
    np.testing.assert_array_equal(found.images[:, 0] * 16, wanted.images)
    np.testing.assert_array_equal(found.labels, wanted.target)
    assert found.classes == tuple(str(name) for name in wanted.target_names)
    assert found.held_images is None and found.held_labels is None


@pytest.mark.parametrize("kept", ["nothing", "a broken file"])
def test_a_file_that_cannot_be_read_is_named_in_one_sentence(
    kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kept == "a broken file":
        (tmp_path / "datasets" / "data").mkdir(parents=True)
        (tmp_path / "datasets" / "data" / "digits.csv.gz").write_bytes(b"0,0,1")
    place = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: place)
    with pytest.raises(DataError, match=r"digits\.csv\.gz") as caught:
        digits()
    assert is_sentence(str(caught.value))
