"""Registry: options are files, and are read without being imported."""

import subprocess
import sys

import pytest

from dynamics.core import registry


@pytest.mark.parametrize(
    ("folder", "function"),
    [
        ("problems", "make"),
        ("networks", "build"),
        ("backbones", "build"),
        ("optimizers", "direction"),
        ("measurements", "measure"),
        ("charts", "draw"),
        ("figures", "draw"),
    ],
)
def test_every_file_of_a_folder_is_an_option_with_the_same_function(
    folder: str, function: str
) -> None:
    """A newcomer's file appears in every menu by being there."""
    files = {file.stem for file in registry.place(folder).glob("[!_]*.py")}
    assert set(registry.options(folder)) == files and files
    for name, headline in registry.options(folder).items():
        module = registry.load(folder, name)
        made_by = getattr(module, "LIKE", name)
        assert callable(getattr(registry.load(folder, made_by), function))
        assert headline == (module.__doc__ or "").splitlines()[0]


def test_listing_options_loads_neither_torch_nor_the_option() -> None:
    """A page shows menus in a process that never computes."""
    code = (
        "import sys; from dynamics.core import registry, traits; registry.options('problems'); "
        "traits.problem('sensing'); "
        "assert not {'torch', 'dynamics.engine.problems.sensing'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=registry.PROGRAM.parent, check=True)


def test_an_option_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"'sgd' is not one of the optimizers: adam, gradient"):
        registry.load("optimizers", "sgd")
    with pytest.raises(ValueError, match="is not one of"):
        registry.load("problems", "../config")
