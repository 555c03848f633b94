"""The pre-trained networks a process keeps, each with its activations: those used last."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from antsbees.config import TaskConfig
from antsbees.data.datasets import Dataset
from antsbees.frozen.activations import Activations, tensors_at_hand
from antsbees.frozen.cache import TensorCache
from antsbees.frozen.holding import Holder
from antsbees.machine.devices import Execution
from antsbees.networks.backbones import Backbone, load_backbone

MAX_BYTES = 256 * 2**20  # of parameters and buffers: three small networks, or one or two large ones


@dataclass(frozen=True)
class _Kept:
    backbone: Backbone
    activations: dict[tuple[TaskConfig, Execution], Activations] = field(default_factory=dict)

    @property
    def num_bytes(self) -> int:
        return sum(
            tensor.nbytes
            for stage in self.backbone.stages
            for tensor in stage.state_dict().values()
        )


class Backbones:
    """Loads backbones as they are asked for, and lets go of the ones used longest ago.

    All share what is at hand of activations, so that several need no more memory than one.

    Args:
        cache: Where activations are kept for other processes; ``None`` computes them every time.
        max_bytes: Of all backbones together; the one in use is kept in any case by its user.
    """

    def __init__(
        self, dataset: Dataset, cache: TensorCache | None = None, max_bytes: int = MAX_BYTES
    ) -> None:
        self._dataset = dataset
        self._cache = cache
        self._kept: Holder[_Kept] = Holder(max_bytes, lambda kept: kept.num_bytes)
        self._tensors: dict[str, Holder[Tensor]] = {}  # by device

    def load(self, task: TaskConfig) -> Backbone:
        """Return a task's backbone, loaded if it is not at hand.

        Raises:
            WeightsError: The pre-trained weights cannot be had.
        """
        return self._find(task).backbone

    def activations(self, task: TaskConfig, execution: Execution) -> Activations:
        """Return the activations of a task's backbone, which stay the same object while it is kept.

        Args:
            execution: Without ``Precision.AUTO``.
        """
        kept = self._find(task)
        if execution.device not in self._tensors:
            self._tensors[execution.device] = tensors_at_hand(execution)
        key = (task, execution)
        if key not in kept.activations:
            held = self._tensors[execution.device]
            kept.activations[key] = Activations(
                self._dataset, kept.backbone, task, execution, self._cache, held
            )
        return kept.activations[key]

    def _find(self, task: TaskConfig) -> _Kept:
        name = f"{task.backbone} {task.weights}"
        kept = self._kept.find(name)
        if kept is None:
            kept = _Kept(load_backbone(task.backbone, task.weights))
            self._kept.keep(name, kept)
        return kept
