"""Heads that start as the probe: fitted once to what the whole pre-trained network puts out.

Linear probing, then fine-tuning: https://arxiv.org/abs/2202.10054.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from antsbees.frozen.activations import TRAIN, TRAIN_CENTRED, Activations
from antsbees.frozen.cache import TensorCache
from antsbees.frozen.probe import Probe, fit_probe, fold_probes
from antsbees.storage import report_unusable

VERSION = 4  # raised when a probe of the same features becomes another one


class ProbeStarts:
    """The first weights of heads, for the images they are to learn from.

    They do not depend on a trial's seed, nor on how many stages it freezes. Images are learnt from
    as validation sees them: a probe of all views is no better, and costs as many times more.

    Args:
        num_stages: Of the backbone: all.
        cache: Where weights are kept for other processes; ``None`` fits once a process.
    """

    def __init__(
        self,
        activations: Activations,
        num_stages: int,
        cache: TensorCache | None = None,
    ) -> None:
        self._activations = activations
        self._num_stages = num_stages
        self._cache = cache
        self._fitted: dict[str, Tensor] = {}

    def head(self, splits: tuple[str, ...]) -> nn.Linear:
        """Return a head that starts as the probe on the images of these splits."""
        return _head_of(self._fitted_to("-".join(splits), lambda: self._fit(splits)))

    def fold_heads(self, folds: Sequence[Sequence[int]]) -> list[nn.Linear]:
        """Return for each fold of all images a head that starts as the probe on all the others.

        Args:
            folds: Places in train and val together; each place in one of them.
        """
        named = hashlib.sha256(repr([list(fold) for fold in folds]).encode()).hexdigest()[:32]
        fitted = self._fitted_to(f"folds-{named}", lambda: self._fit_without_each(folds))
        return [_head_of(weights) for weights in fitted]

    def _fitted_to(self, images: str, fit: Callable[[], Tensor]) -> Tensor:
        """Return weights with the bias last, ``(..., num_classes, D + 1) float32``."""
        if images not in self._fitted:
            self._fitted[images] = self._load_or_fit(images, fit)
        return self._fitted[images]

    def _load_or_fit(self, images: str, fit: Callable[[], Tensor]) -> Tensor:
        cache = self._cache
        if cache is None:
            return fit()
        key = f"{self._activations.features_key}/probe{VERSION}-{images}"
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
        k, dataset = self._num_stages, self._activations.dataset
        sources = [TRAIN_CENTRED if split == TRAIN else split for split in splits]
        self._activations.prepare(k, [(source, 0) for source in sources])
        features = torch.cat([self._activations.get(source, k, 0).cpu() for source in sources])
        labels = torch.tensor([label for split in splits for label in dataset.split(split).labels])
        return _weights_of(fit_probe(features.float(), labels, len(dataset.classes)))

    def _fit_without_each(self, folds: Sequence[Sequence[int]]) -> Tensor:
        dataset = self._activations.dataset
        features = self._activations.pooled_val(self._num_stages).cpu().float()
        labels = torch.tensor(dataset.pooled.labels)
        probes = fold_probes(features[None], features, labels, folds, len(dataset.classes))
        return torch.stack([_weights_of(probe) for probe in probes])


def _weights_of(probe: Probe) -> Tensor:
    """Return ``(num_classes, D + 1) float32``, the bias last."""
    return torch.cat([probe.weight, probe.bias[:, None]], dim=1)


def _head_of(weights: Tensor) -> nn.Linear:
    head = nn.Linear(weights.shape[1] - 1, weights.shape[0])
    with torch.no_grad():
        head.weight.copy_(weights[:, :-1])
        head.bias.copy_(weights[:, -1])
    return head
