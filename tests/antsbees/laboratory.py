"""Small real training for the tests of this room: tiny images and a real backbone."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from torch import Tensor, nn

from antsbees.bench import Bench
from antsbees.config import TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.evaluation import Evaluation
from antsbees.frozen.activations import Activations
from antsbees.frozen.cache import TensorCache
from antsbees.lessons import Splits
from antsbees.machine.devices import Execution
from antsbees.networks.backbones import Backbone
from antsbees.training import EpochMetrics, Training

TIMES = ("seconds", "train_s", "images_per_second")
ON_ONE_THREAD = Execution()


@dataclass(frozen=True)
class Laboratory:
    """What one backbone's trials share, their cached activations among it."""

    dataset: Dataset
    backbone: Backbone
    task: TaskConfig
    cache: TensorCache
    execution: Execution = ON_ONE_THREAD

    def activations(self, cache: TensorCache | None = None) -> Activations:
        """Return activations on the given cache, by default on none."""
        return Activations(self.dataset, self.backbone, self.task, self.execution, cache)

    def bench(self, cache: TensorCache | None = None) -> Bench:
        """Return a bench on the given cache, by default on none."""
        return Bench(self.dataset, self.task, self.execution, cache, backbone=self.backbone)

    def training(
        self,
        config: TrialConfig,
        activations: Activations | None = None,
        train_on: tuple[str, ...] = ("train",),
    ) -> Training:
        """Return a trial before its first epoch, from the bench or on activations of one's own."""
        if activations is None:
            return self.bench(self.cache).training(config, train_on)
        lesson = Splits(activations, train_on)
        return Training(config, self.task, self.backbone, lesson, self.execution)

    def curve(
        self, config: TrialConfig, activations: Activations | None = None
    ) -> list[dict[str, float]]:
        """Train all epochs; return their metrics but the times."""
        training = self.training(config, activations)
        return [timeless(training.run_epoch()) for _ in range(config.epochs)]


def judged(training: Training) -> Evaluation:
    """Return the evaluation of the last epoch."""
    assert training.evaluation is not None
    return training.evaluation


def head_of(trained: nn.Sequential) -> Tensor:
    """Return the weights of a trained part's head, ``(num_classes, width)``."""
    head = trained[-1]
    assert isinstance(head, nn.Linear)
    return head.weight


def timeless(metrics: EpochMetrics) -> dict[str, float]:
    """Return what must be reproducible of an epoch's metrics."""
    return {name: value for name, value in asdict(metrics).items() if name not in TIMES}
