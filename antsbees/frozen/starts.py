"""Heads that start as the probe: fitted once to what the whole pre-trained network puts out.

Linear probing, then fine-tuning: https://arxiv.org/abs/2202.10054.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor, nn

from antsbees.frozen.activations import VAL, Activations
from antsbees.frozen.cache import TensorCache
from antsbees.frozen.probe import fit_probe
from antsbees.storage import report_unusable

VERSION = 1  # raised when a probe of the same features becomes another one


class ProbeStarts:
    """The first weights of heads, for the images they are to learn from.

    They do not depend on a trial's seed, nor on how many stages it freezes.

    Args:
        num_stages: Of the backbone: all.
        num_views: Of the training images.
        cache: Where weights are kept for other processes; ``None`` fits once a process.
    """

    def __init__(
        self,
        activations: Activations,
        num_stages: int,
        num_views: int,
        cache: TensorCache | None = None,
    ) -> None:
        self._activations = activations
        self._num_stages = num_stages
        self._num_views = num_views
        self._cache = cache
        self._fitted: dict[str, Tensor] = {}

    def head(self, splits: tuple[str, ...]) -> nn.Linear:
        """Return a head that starts as the probe on all views of these splits."""
        return self._head("-".join(splits), lambda: self._fit(splits))

    def fold_head(self, learnt: tuple[int, ...]) -> nn.Linear:
        """Return a head that starts as the probe on all views of some of all images.

        Args:
            learnt: Places in train and val together.
        """
        named = hashlib.sha256(repr(learnt).encode()).hexdigest()[:32]
        return self._head(f"fold-{named}", lambda: self._fit_some(learnt))

    def _head(self, images: str, fit: Callable[[], Tensor]) -> nn.Linear:
        if images not in self._fitted:
            self._fitted[images] = self._load_or_fit(images, fit)
        weights = self._fitted[images]
        head = nn.Linear(weights.shape[1] - 1, weights.shape[0])
        with torch.no_grad():
            head.weight.copy_(weights[:, :-1])
            head.bias.copy_(weights[:, -1])
        return head

    def _load_or_fit(self, images: str, fit: Callable[[], Tensor]) -> Tensor:
        """Return ``(num_classes, D + 1) float32``, the bias last."""
        cache = self._cache
        if cache is None:
            return fit()
        name = f"probe{VERSION}-{images}-{self._num_views}-views"
        key = f"{self._activations.features_key}/{name}"
        with cache.computing(key):
            if (ready := cache.load(key)) is not None:
                return ready.clone()
            fitted = fit()
            try:
                with cache.filling(key, fitted.shape, fitted.dtype) as stored:
                    stored.copy_(fitted)
            except OSError as error:
                report_unusable(cache.folder, error)
            return fitted

    def _fit(self, splits: tuple[str, ...]) -> Tensor:
        """Fit to what ``Training`` learns from: validation images have a single view."""
        dataset, k = self._activations.dataset, self._num_stages
        views = {split: 1 if split == VAL else self._num_views for split in splits}
        self._activations.prepare(k, [(s, view) for s in splits for view in range(views[s])])
        features, labels, images = [], [], []
        num_images = 0
        for split in splits:
            of_split = dataset.split(split).labels
            for view in range(views[split]):
                features.append(self._activations.get(split, k, view).cpu())
                labels.append(torch.tensor(of_split))
                images.append(torch.arange(len(of_split)) + num_images)
            num_images += len(of_split)
        return self._probe(features, labels, images)

    def _fit_some(self, learnt: tuple[int, ...]) -> Tensor:
        """Fit to what ``Training`` learns from in a fold: every image has all views."""
        views, places = self._num_views, torch.tensor(learnt)
        features = [
            self._activations.pooled(self._num_stages, view).cpu()[places] for view in range(views)
        ]
        labels = torch.tensor(self._activations.dataset.pooled.labels)[places]
        return self._probe(features, [labels] * views, [torch.arange(len(learnt))] * views)

    def _probe(self, features: list[Tensor], labels: list[Tensor], images: list[Tensor]) -> Tensor:
        probe = fit_probe(
            torch.cat(features).float(),
            torch.cat(labels),
            len(self._activations.dataset.classes),
            images=torch.cat(images),
        )
        return torch.cat([probe.weight, probe.bias[:, None]], dim=1)
