"""Residuals: the loss on what the means of users and films leave over, with a validation part."""

from jaxtyping import Float, Int
from torch import Tensor

from dynamics.engine.losses.entries import Entries, Indices, Pattern, Values


class Residuals(Entries):
    """½ mean over the ratings to learn from of (W − (Y − means))², in squared stars.

    ``√(2 · test_loss)`` is the held-out RMSE in stars: the means belong to each prediction.

    Args:
        shape: users and films.
        train: places, and what the means leave over there.
        validation: the same of the ratings that decide when to stop.
        held_out: the same of the ratings for ``test_loss``.

    Attributes:
        known: the films with enough ratings that a mode may be named by them, from 0; None without.
        examples: places of held-out ratings that are shown one by one.
    """

    known: Int[Tensor, " films"] | None = None
    examples: Indices

    def __init__(
        self,
        shape: tuple[int, int],
        train: tuple[Indices, Values],
        validation: tuple[Indices, Values],
        held_out: tuple[Indices, Values],
    ) -> None:
        super().__init__(shape, train, held_out)
        self._validation = Pattern(*validation, shape)
        self.measures = "½ mean square, held-out ratings less means"

    def held_out_rmse(self, left: Tensor, right: Tensor) -> Tensor:
        """The root mean square error in stars of the held-out ratings."""
        return (2 * self.test_loss(left, right)).sqrt()

    def at_examples(self, left: Tensor, right: Tensor) -> Float[Tensor, " examples"]:
        """W at the examples."""
        users, films = self.examples
        return (left[users] * right[:, films].mT).sum(1)

    def validation_rmse(self, left: Tensor, right: Tensor) -> Tensor:
        """The root mean square error in stars of the ratings that decide when to stop."""
        return self._validation.misfit(left, right).square().mean().sqrt()
