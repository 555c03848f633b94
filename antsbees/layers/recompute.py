"""Activations that a backward pass computes again, instead of keeping them from the forward pass.

A convolution needs its input once more for the gradient of its weight, BatchNorm for its own. Where
that input is the output of BatchNorm and ReLU6, it follows from BatchNorm's input by one pass over
it; where it is that of a 1 x 1 convolution from few channels, from those. Both cost little more
than reading the activation back, so most of what a network keeps for its backward pass need not be
kept. The idea is Chen, Xu, Zhang and Guestrin's (https://arxiv.org/abs/1604.06174), applied layer
by layer.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

_RECIPE = "_antsbees_recipe"


class Recipe:
    """How to compute an activation again, to the same bits.

    Its users look at it in their backward passes; the one whose turn comes last takes it.

    Args:
        compute: Returns a new tensor; holds what it is computed from until ``take``.
        terms: The tensors it is computed from; they must not be written to before it is.
    """

    def __init__(self, compute: Callable[[], Tensor], terms: tuple[Tensor, ...]) -> None:
        self._compute: Callable[[], Tensor] | None = compute
        self._terms = tuple((term, term._version) for term in terms)
        self._value: Tensor | None = None

    def look(self) -> Tensor:
        """Return the activation, which stays at hand for the next one who needs it.

        Raises:
            RuntimeError: It was taken already: the backward pass of a graph can run once only; or
                what it is computed from has been written to since the forward pass.
        """
        if self._value is None:
            if self._compute is None:
                raise RuntimeError("the backward pass of this graph has run already")
            if any(term._version != version for term, version in self._terms):
                raise RuntimeError(
                    "a tensor that the backward pass needs was written to after the forward pass"
                )
            self._value = self._compute()
        return self._value

    def take(self) -> Tensor:
        """Return the activation to its last user, who may write to it, and forget all.

        Raises:
            RuntimeError: As ``look``.
        """
        value = self.look()
        self._compute = self._value = None
        self._terms = ()
        return value


def give_recipe(y: Tensor, recipe: Recipe) -> Tensor:
    """Tell the next layer how ``y`` can be computed again; return ``y``."""
    setattr(y, _RECIPE, (recipe, y._version))
    return y


def recipe_of(y: Tensor) -> Recipe | None:
    """Return the recipe a tensor came with, if any: its user then need not keep it.

    A tensor that was written to since is no longer what its recipe says.
    """
    given = getattr(y, _RECIPE, None)
    if given is None:  # most tensors; those of ``torch.inference_mode`` have no version to ask for
        return None
    recipe, version = given
    return recipe if version == y._version else None
