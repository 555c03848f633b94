"""Cross-validation: configurations trained without each fold of all images, and judged on it."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import nn

from antsbees.bench import Bench
from antsbees.config import MOST_IMAGES_FUSED, TrialConfig
from antsbees.errors import DivergedError
from antsbees.evaluation import Evaluation, evaluation_of
from antsbees.heads import FusedHeads, Head
from antsbees.hyperparameters import HeadStart, OptimizerKind

Places = tuple[int, ...]


class CrossValidation:
    """One division of all images into folds, on a bench.

    Args:
        folds: The places of the images of each, ascending; each place in one of them.
    """

    def __init__(self, bench: Bench, folds: Sequence[Places]) -> None:
        self._bench = bench
        self._folds = [tuple(fold) for fold in folds]
        num_images = len(bench.dataset.pooled)
        held_out = [set(fold) for fold in self._folds]
        self._learnt = [
            tuple(place for place in range(num_images) if place not in fold) for fold in held_out
        ]

    def is_fused(self, config: TrialConfig) -> bool:
        """Tell whether a configuration can be trained with others, by ``heads``."""
        is_head = config.frozen_stages == self._bench.task.num_stages
        few = len(self._bench.dataset.pooled) <= MOST_IMAGES_FUSED
        return is_head and few and config.optimizer is OptimizerKind.SGD

    def one(self, config: TrialConfig, without: Sequence[int] | None = None) -> list[Evaluation]:
        """Train a configuration without each fold; return how it does there.

        Args:
            without: Only without these, from 0.

        Raises:
            DivergedError: The loss is no longer finite, in any of them.
        """
        found = []
        for number in range(len(self._folds)) if without is None else without:
            learnt, held_out = self._learnt[number], self._folds[number]
            start = self._start(config, number)
            training = self._bench.fold_training(config, learnt, held_out, start)
            for _ in range(config.epochs):
                training.run_epoch()
            training.settle()
            if training.evaluation is None:
                raise RuntimeError("a training without epochs answers nothing")
            found.append(training.evaluation)
        return found

    def heads(self, configs: Sequence[TrialConfig]) -> list[list[Evaluation] | DivergedError]:
        """Train many at once, as ``one`` would each: probabilities agree to 1e-4.

        Args:
            configs: Each of them ``is_fused``.
        """
        pooled = self._bench.dataset.pooled
        labels, num_classes = torch.tensor(pooled.labels), len(self._bench.dataset.classes)
        heads = [
            Head(config, learnt, self._start(config, number))
            for config in configs
            for number, learnt in enumerate(self._learnt)
        ]
        longest = max((config.epochs for config in configs), default=1)
        num_views = min(longest, self._bench.task.views)
        views = [view.cpu() for view in self._bench.training_features(num_views)]
        fused = FusedHeads(heads, views, labels, num_classes)
        fused.train()
        logits = fused.logits(self._bench.pooled_features().cpu())
        logits = logits.unflatten(0, (len(configs), len(self._folds)))
        return [self._judged(of_config, labels) for of_config in logits]

    def _judged(
        self, logits: torch.Tensor, labels: torch.Tensor
    ) -> list[Evaluation] | DivergedError:
        """Judge a configuration by its logits ``(folds, N, num_classes)``."""
        found = []
        for of_fold, fold in zip(logits, self._folds, strict=True):
            places = torch.tensor(fold)
            found.append(evaluation_of(of_fold[places], labels[places]))
        if not all(math.isfinite(evaluation.loss) for evaluation in found):
            return DivergedError("the loss is no longer finite")
        return found

    def _start(self, config: TrialConfig, number: int) -> nn.Linear | None:
        if config.head_start is HeadStart.RANDOM:
            return None
        return copy.deepcopy(self._starts[number])  # it is trained in place

    @cached_property
    def _starts(self) -> list[nn.Linear]:
        return self._bench.fold_heads(self._folds)
