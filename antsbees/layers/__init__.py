"""Layers of our own, with the sums of PyTorch's.

What a layer needs again in the backward pass may come with a ``Recipe`` (``recompute``) instead of
being kept. Who looks, and who takes:

* The layer that *makes* an activation gives it a recipe (``give_recipe``): BatchNorm with ReLU6,
  and a 1 x 1 convolution from few channels. A recipe holds what the activation follows from, which
  is smaller or kept anyway, and may itself begin at the recipe of another.
* The layer that *uses* the activation asks for its recipe (``recipe_of``) and keeps that instead;
  in its backward pass it *looks*. Autograd runs backward passes of users before that of the maker,
  so all users have looked when the maker's turn comes.
* The maker *takes*: it is the last, may write to the tensor, and the recipe forgets everything. A
  convolution that gave a recipe is followed by BatchNorm, which takes that one as well. A user that
  comes later still, as in a second backward pass over the same graph, is told so by an error.
* A tensor that was written to has no recipe any more, and one whose terms were written to between
  the passes refuses to compute; a second derivative is refused too.
* A pass that fails leaves nothing behind: recipes belong to tensors and to the nodes of the graph,
  nothing else refers to them, and they go when those do.
"""

LAYERS_VERSION = 2
"""Raised when they compute other bits, faster or slower: activations and precisions follow."""
