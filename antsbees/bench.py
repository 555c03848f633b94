"""What a process keeps between trials; it makes a ``Training`` of a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from torch import Tensor, nn

from antsbees.config import Precision, TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.frozen.activations import TRAIN_CENTRED, Activations
from antsbees.frozen.cache import TensorCache
from antsbees.frozen.starts import ProbeStarts
from antsbees.hyperparameters import HeadStart
from antsbees.lessons import Fold, Splits
from antsbees.machine.allocator import release_freed_memory
from antsbees.machine.devices import Execution, configure
from antsbees.machine.precision import resolve
from antsbees.machine.versions import library_versions
from antsbees.networks.backbones import Backbone, load_backbone
from antsbees.training import Training


class Bench:
    """The backbone, the activations at hand and the measured precisions of one process.

    Args:
        task: The network and how it sees the images; by default the one with weights at hand.
        execution: Where and how to compute; by default one thread in float32.
        cache: Where activations are kept for other processes; ``None`` computes them every time.
        precision_folder: Where measured precisions are remembered; ``None`` measures every time.
        backbone: The task's, where it is loaded already.

    Raises:
        WeightsError: The pre-trained weights cannot be had.
    """

    def __init__(
        self,
        dataset: Dataset,
        task: TaskConfig | None = None,
        execution: Execution | None = None,
        cache: TensorCache | None = None,
        precision_folder: Path | None = None,
        *,
        backbone: Backbone | None = None,
    ) -> None:
        self.dataset = dataset
        self.task = task = task or TaskConfig()
        self.execution = execution or Execution()
        self._cache = cache
        self._precision_folder = precision_folder
        configure(self.execution)
        self.backbone = backbone or load_backbone(
            task.backbone, task.weights, fast_layers=self.execution.fast_layers
        )
        self._activations: dict[Precision, Activations] = {}
        self._starts: dict[Precision, ProbeStarts] = {}
        self._used: Execution | None = None

    @classmethod
    def sharing(
        cls,
        dataset: Dataset,
        task: TaskConfig,
        execution: Execution,
        folder: Path | None,
        max_bytes: int,
    ) -> Self:
        """Return a bench that shares what it computes with other processes through a folder.

        Args:
            folder: See ``antsbees.storage.cache_folder``; ``None`` shares nothing.
            max_bytes: Of activations on disk; 0 keeps none there.
        """
        if folder is None:
            return cls(dataset, task, execution)
        cache = TensorCache(folder / "activations", max_bytes) if max_bytes > 0 else None
        return cls(dataset, task, execution, cache, folder / "precision")

    @property
    def num_bytes(self) -> int:
        """Of the backbone in memory; activations at hand are mapped files."""
        states = (stage.state_dict() for stage in self.backbone.stages)
        return sum(tensor.nbytes for state in states for tensor in state.values())

    @property
    def facts(self) -> dict[str, str]:
        """What numbers depend on: weights, libraries, and the precisions of the last training."""
        facts = {
            "weights_hash": self.backbone.weights_hash,
            "library_versions": library_versions(),
        }
        if self._used is not None:
            facts["precision"] = str(self._used.precision)
            facts["inference_precision"] = str(self._used.inference_precision)
        return facts

    def training(self, config: TrialConfig, train_on: tuple[str, ...] = ("train",)) -> Training:
        """Return a fresh training of a configuration, on what is already warm.

        Args:
            train_on: The splits to learn from.

        Raises:
            ConfigError: More stages are frozen than the backbone has.
        """
        execution = self._execution_of(config)
        lesson = Splits(self._activations_in(execution), train_on)
        head = None
        if config.head_start is HeadStart.PROBE:
            head = self._starts_in(execution).head(train_on)
        return Training(config, self.task, self.backbone, lesson, execution, head)

    def fold_training(
        self,
        config: TrialConfig,
        learnt: tuple[int, ...],
        held_out: tuple[int, ...],
        head: nn.Linear | None = None,
    ) -> Training:
        """Return a fresh training on some of all images, to be judged on others.

        Args:
            learnt: Places in train and val together, ascending.
            held_out: Places of those to be judged on, ascending.
            head: What the head starts as, where ``head_start`` is ``probe``; see ``fold_heads``.

        Raises:
            ConfigError: More stages are frozen than the backbone has.
            ValueError: As ``antsbees.lessons.Fold``, or no such head is given.
        """
        execution = self._execution_of(config)
        lesson = Fold(self._activations_in(execution), learnt, held_out)
        return Training(config, self.task, self.backbone, lesson, execution, head)

    def fold_heads(self, folds: Sequence[Sequence[int]]) -> list[nn.Linear]:
        """Return for each fold a head that starts as the probe on the images of all others.

        Args:
            folds: Places in train and val together, each in one of them.
        """
        return self._starts_in(self._execution_of(self._head)).fold_heads(folds)

    def compute(self, stages: Sequence[int]) -> None:
        """Compute what folds need and no training does: training images as validation sees them.

        Without a cache nothing can be kept for later.

        Args:
            stages: Numbers of frozen stages; each goes on from the one before it.
        """
        if self._cache is not None:
            source = self._activations_in(self._execution_of(self._head))
            for k in sorted(stages):
                source.get(TRAIN_CENTRED, k, 0)

    def training_features(self, num_views: int) -> list[Tensor]:
        """Return for the first views what the whole backbone makes of every image to learn from."""
        source = self._activations_in(self._execution_of(self._head))
        return [source.pooled(self.task.num_stages, view) for view in range(num_views)]

    def pooled_features(self) -> Tensor:
        """Return what the whole backbone makes of every image, ``(N, width)``: train, then val."""
        source = self._activations_in(self._execution_of(self._head))
        return source.pooled_val(self.task.num_stages)

    def pooled_pixels(self) -> Tensor:
        """Return every image as validation sees it, ``(N, S, S, 3) uint8``: train, then val."""
        return self._activations_in(self._execution_of(self._head)).pooled_val(0)

    @property
    def _head(self) -> TrialConfig:
        """A configuration without a trained stage."""
        return TrialConfig(self.task.num_stages)

    def _execution_of(self, config: TrialConfig) -> Execution:
        """Return how a configuration is computed, its precisions chosen."""
        k, size = config.frozen_stages, self.task.image_size
        execution = resolve(self.execution, self.backbone, k, size, self._precision_folder)
        release_freed_memory()
        self._used = execution
        return execution

    def _activations_in(self, execution: Execution) -> Activations:
        """Return the activations in an execution's inference precision."""
        precision = execution.inference_precision
        if precision not in self._activations:
            self._activations[precision] = Activations(
                self.dataset, self.backbone, self.task, execution, self._cache
            )
        return self._activations[precision]

    def _starts_in(self, execution: Execution) -> ProbeStarts:
        """Return the probes on the features of an execution's inference precision."""
        precision = execution.inference_precision
        if precision not in self._starts:
            self._starts[precision] = ProbeStarts(
                self._activations_in(execution), self.task.num_stages, self._cache
            )
        return self._starts[precision]
