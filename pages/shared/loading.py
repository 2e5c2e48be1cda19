"""Loading: no thread sees a library that another thread is still loading.

Plotly asks ``sys.modules`` whether pandas is there, and finds it from the first moment of its
import on. A chart that is drawn meanwhile, for another visitor, would end in an AttributeError.
Loading pandas when the server starts would spare that, and cost 70 MB where nobody needs it.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

LATE = ("pandas", "pyarrow")  # loaded when they are first needed, and looked for by Plotly


class Whole(ModuleType):
    """A module whose attributes are waited for while another thread loads it."""

    def __getattr__(self, name: str) -> Any:
        importlib.import_module(self.__name__)  # returns at once in the thread that loads it
        try:
            return vars(self)[name]
        except KeyError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None


class Finder:
    """Finds the modules of ``LATE``, and makes them whole ones while they load."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec; None for all other modules."""
        spec = PathFinder.find_spec(name, path, target) if name in LATE else None
        if spec and spec.loader:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                module.__class__ = Whole
                load(module)
                module.__class__ = ModuleType

            vars(spec.loader)["exec_module"] = exec_module
        return spec


def install() -> None:
    """Let the libraries of ``LATE`` be seen whole from now on."""
    if Finder not in sys.meta_path:
        sys.meta_path.insert(0, Finder)
