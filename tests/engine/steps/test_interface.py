"""Steps: an interface whose classes are abstract or final."""

import inspect

from dynamics.engine.steps.fastest import FORMS
from dynamics.engine.steps.interface import Steps
from dynamics.engine.steps.plain import Descent
from dynamics.engine.steps.reduced import REDUCTIONS


def descendants(base: type) -> list[type]:
    return [base, *(each for child in base.__subclasses__() for each in descendants(child))]


def test_every_class_of_steps_is_abstract_or_final() -> None:
    """So no form inherits what it never set up: a method is looked for in one place."""
    for form in descendants(Steps):
        final = getattr(form, "__final__", False)
        assert final != inspect.isabstract(form), form
        assert not (final and form.__subclasses__()), form


def test_every_final_form_can_be_chosen() -> None:
    finals = {form for form in descendants(Steps) if not inspect.isabstract(form)}
    assert finals == {*FORMS, *REDUCTIONS.values()}
    assert FORMS[-1] is Descent
