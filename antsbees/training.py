"""Fine-tunes one configuration: one epoch at a time, its metrics, its state."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from antsbees.batches import batch_sizes, order_seed, shuffled
from antsbees.config import TaskConfig, TrialConfig, check_frozen_stages, num_trainings
from antsbees.errors import ConfigError, DivergedError
from antsbees.evaluation import Evaluation, evaluate, network_input
from antsbees.hyperparameters import HeadStart
from antsbees.lessons import Lesson
from antsbees.machine.devices import Execution, arithmetic
from antsbees.networks.backbones import Backbone
from antsbees.optimizers import head_lr, make_optimizer, set_lr
from antsbees.pieces import Pieces
from antsbees.schedules import lr_fraction
from antsbees.soup import Member, averaged

T = TypeVar("T")
FALLEN_APART = 0.05
"""By how much less accurate than its worst member a soup is none any more."""


@dataclass(frozen=True)
class EpochMetrics:
    """What one epoch came to.

    Args:
        epoch: Epochs completed with this one, from 1.
        train_loss: Mean loss over the epoch's batches, with label smoothing.
        lr: The head's learning rate in the epoch's last batch.
        seconds: Of the epoch with its evaluation.
        train_s: Of training and evaluating the trained part; the rest is activations.
        images_per_second: Training images over ``seconds``.
    """

    epoch: int
    train_loss: float
    val_loss: float
    val_accuracy: float
    lr: float
    seconds: float
    train_s: float
    images_per_second: float


class Training:
    """The state of one trial between epochs.

    The frozen part is not run here: its output comes from ``Activations``; what is trained is the
    stages after it and the head. Every epoch is a pure function of the state, the configuration
    and the epoch's number.

    Args:
        execution: Without ``Precision.AUTO``: see ``antsbees.machine.precision.resolve``.
        lesson: What it learns from, and is judged on.
        head: What the head starts as; by default it is drawn from the seed. To be given where
            ``head_start`` is ``probe``, see ``antsbees.frozen.starts``.

    Raises:
        ConfigError: More stages are frozen than the backbone has, or it is another trial's.
    """

    def __init__(
        self,
        config: TrialConfig,
        task: TaskConfig,
        backbone: Backbone,
        lesson: Lesson,
        execution: Execution,
        head: nn.Linear | None = None,
    ) -> None:
        check_frozen_stages(config.frozen_stages, task.backbone)
        if config.backbone not in (None, task.backbone):
            raise ConfigError(f"this is a trial of {config.backbone}, not of {task.backbone}")
        self.config = config
        self.epoch = 0
        self.curve: list[EpochMetrics] = []
        self.evaluation: Evaluation | None = None
        self._task = task
        self._backbone = backbone
        self._lesson = lesson
        self._execution = execution
        self._labels = torch.tensor(lesson.labels, device=execution.device)
        self._judged_labels = torch.tensor(lesson.judged_labels, device=execution.device)
        trained = backbone.trained_part(
            config.frozen_stages, lesson.num_classes, config.seed, config.batchnorm
        )
        if (head is None) != (config.head_start is HeadStart.RANDOM):
            raise ValueError(f"head_start is {config.head_start}, which the given head is not")
        if head is not None:
            trained[-1] = head
        self.trained: nn.Sequential = trained.to(execution.device)
        self._members = [Member(0, self.trained, make_optimizer(self.trained, config))]
        size = num_trainings(config.soup_size, config.frozen_stages, task.backbone)
        for number in range(1, size):
            other = copy.deepcopy(self.trained)
            self._members.append(Member(number, other, make_optimizer(other, config)))
        self._pieces = Pieces()

    def run_epoch(self) -> EpochMetrics:
        """Train over all images once, and evaluate.

        Raises:
            DivergedError: The training or the validation loss is no finite number.
        """
        start = time.perf_counter()
        k = self.config.frozen_stages
        view = self.epoch % self._task.views
        self._lesson.prepare(k, view)
        train_loss, train_s = _timed(self._train_all, self._lesson.inputs(k, view))
        self.epoch += 1
        evaluation, evaluation_s = _timed(self._evaluate, self._lesson.judged(k))
        self.evaluation = evaluation
        if not (math.isfinite(train_loss) and math.isfinite(evaluation.loss)):
            raise DivergedError(
                f"the loss is no longer finite in epoch {self.epoch}: training "
                f"{train_loss}, validation {evaluation.loss}"
            )
        seconds = time.perf_counter() - start
        metrics = EpochMetrics(
            epoch=self.epoch,
            train_loss=train_loss,
            val_loss=evaluation.loss,
            val_accuracy=evaluation.accuracy,
            lr=head_lr(self._members[0].optimizer),
            seconds=seconds,
            train_s=train_s + evaluation_s,
            images_per_second=len(self._labels) / seconds,
        )
        self.curve.append(metrics)
        return metrics

    @property
    def identity(self) -> str:
        """What its numbers follow from, beside the code and the libraries."""
        images, weights = self._lesson.identity, self._backbone.weights_hash
        return f"{self.config} {self._task} {self._execution} {images} {weights}"

    def state(self) -> dict[str, Any]:
        """Return where it is after an epoch, as tensors and plain values, for ``restore``."""
        if self.evaluation is None:
            raise RuntimeError("no epoch was completed")
        return {
            "curve": [asdict(metrics) for metrics in self.curve],
            "probabilities": torch.from_numpy(self.evaluation.probabilities),
            "members": [(m.trained.state_dict(), m.optimizer.state_dict()) for m in self._members],
            "largest_piece": self._pieces.largest,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go to where a training of the same identity was; from there on both are the same.

        Raises:
            LookupError, TypeError, ValueError: It is no state of such a training, which is as it
                was before.
        """
        curve = [EpochMetrics(**metrics) for metrics in state["curve"]]
        last, probabilities = curve[-1], state["probabilities"].numpy()
        piece, kept = state["largest_piece"], state["members"]
        optimizers = []
        for own, (trained, optimizer) in zip(self._members, kept, strict=True):
            if _shapes(own.trained.state_dict()) != _shapes(trained):
                raise ValueError("its weights are those of another network")
            optimizers.append(make_optimizer(own.trained, self.config))
            optimizers[-1].load_state_dict(optimizer)
        for own, (trained, _), optimizer in zip(self._members, kept, optimizers, strict=True):
            own.trained.load_state_dict(trained)
            own.optimizer = optimizer
        self.trained = averaged(self._members)
        self.curve, self.epoch, self._pieces.largest = curve, len(curve), piece
        self.evaluation = Evaluation(last.val_loss, last.val_accuracy, probabilities)

    def settle(self) -> None:
        """Let the first member of a soup answer alone, as a training without a soup would.

        That is done where the mean gets clearly less of the judged images right than the worst
        member: they have moved too far apart to have a mean that is good for anything.
        """
        if len(self._members) == 1 or self.evaluation is None:
            return
        judged = self._lesson.judged(self.config.frozen_stages)
        alone = [self._evaluate(judged, member.trained) for member in self._members]
        if self.evaluation.accuracy < min(each.accuracy for each in alone) - FALLEN_APART:
            self._members = self._members[:1]
            self.trained, self.evaluation = self._members[0].trained, alone[0]
            self.config = replace(self.config, soup_size=1)

    @property
    def micro_batch(self) -> int | None:
        """Images computed at once, where a batch did not fit into memory."""
        return self._pieces.largest

    def network(self) -> nn.Sequential:
        """Return the whole network, frozen and trained part, as one module for inference."""
        frozen = self._backbone.stages[: self.config.frozen_stages]
        return nn.Sequential(*frozen, *self.trained.children()).eval()

    def _train_all(self, x: Tensor) -> float:
        """Run the epoch's batches for every member; return their mean loss."""
        losses = [self._train(x, member) for member in self._members]
        self.trained = averaged(self._members)
        return math.fsum(losses) / len(losses)

    def _train(self, x: Tensor, member: Member) -> float:
        """Run the epoch's batches; return their mean loss. The device is waited for once."""
        member.trained.train()
        config, num_images, of = self.config, len(self._labels), member.number
        torch.manual_seed(order_seed(config.seed, self.epoch, of))  # of dropout, stochastic depth
        order = shuffled(config.seed, self.epoch, num_images, of)
        sizes = batch_sizes(num_images, config.batch_size)
        batches = order.to(x.device).split(sizes)
        answers = self._labels[order.to(self._labels.device)].split(sizes)
        total = torch.zeros((), device=self._execution.device)
        for number, (batch, labels) in enumerate(zip(batches, answers, strict=True)):
            progress = self.epoch + number / len(batches)
            fraction = lr_fraction(self.config.schedule, progress, self.config.epochs)
            set_lr(member.optimizer, self.config.lr * fraction)
            total += self._step(member, x[batch], labels) * len(batch)
        return float(total) / len(self._labels)

    def _evaluate(self, judged: Tensor, part: nn.Module | None = None) -> Evaluation:
        part, labels = part or self.trained, self._judged_labels
        return evaluate(part, judged, labels, self._backbone, self._execution)

    def _step(self, member: Member, rows: Tensor, labels: Tensor) -> Tensor:
        clear = partial(member.optimizer.zero_grad, set_to_none=True)
        loss_of = partial(self._loss_of, member.trained)
        loss = self._pieces.backward(rows, labels, loss_of, clear)
        member.optimizer.step()
        return loss

    def _loss_of(self, trained: nn.Module, rows: Tensor, labels: Tensor) -> Tensor:
        with arithmetic(self._execution.device, self._execution.precision):
            logits = trained(network_input(rows, self._backbone, self._execution))
        smoothing = self.config.label_smoothing
        return F.cross_entropy(logits.float(), labels, label_smoothing=smoothing)


def _shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in state.items()}


def _timed(work: Callable[[Tensor], T], x: Tensor) -> tuple[T, float]:
    """Do some work; return what came out, and the seconds it took."""
    start = time.perf_counter()
    return work(x), time.perf_counter() - start
