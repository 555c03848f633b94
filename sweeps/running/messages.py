"""What crosses Ray between the driver and its workers: a ``Proposal`` out, a ``Report`` back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from antsbees.config import TrialConfig


@dataclass(frozen=True)
class Proposal:
    """A trial for a worker.

    Args:
        is_first: It is a first try, which early stopping leaves alone.
        lane: The kind of its worker slot.
        device: What torch computes on.
        resources: What its worker asks Ray for.
        slots: How many workers its lane may keep warm.
        node_id: Ray's name of the machine it must run on; ``None`` leaves it to Ray.
    """

    number: int
    trial: TrialConfig
    is_first: bool
    lane: str
    device: str
    threads: int
    resources: Mapping[str, float]
    slots: int
    node_id: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain values, which Ray keeps as the configuration of its trial."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {"trial": self.trial.to_dict(), "resources": dict(self.resources)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read what ``to_plain`` returned; values that Ray put beside it are passed over."""
        values = {f.name: plain[f.name] for f in fields(cls)}
        return cls(**values | {"trial": TrialConfig.from_dict(plain["trial"])})


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to; see ``antsbees.training.EpochMetrics``, which needs torch."""

    epoch: int
    train_loss: float
    val_loss: float
    val_accuracy: float
    lr: float
    seconds: float
    train_s: float
    images_per_second: float


@dataclass(frozen=True)
class Facts:
    """How and where a trial was computed; columns of its row."""

    started_at_s: float
    node: str
    worker_pid: int
    peak_memory_bytes: int | None = None
    weights_hash: str | None = None
    library_versions: str | None = None
    precision: str | None = None
    inference_precision: str | None = None
    fast_layers: bool | None = None
    micro_batch: int | None = None


@dataclass(frozen=True)
class Report:
    """What a worker has to say of its trial since the report before.

    Args:
        done: The trial has no more epochs, or it failed.
        epoch: Epochs completed; read by early stopping.
        score: The objective at that epoch; ``None`` when none was completed.
        epochs: Those since the report before.
        probabilities: Of the last of them, per validation image, per class.
        restored: How many epochs, the first ones, an earlier try had completed: this one went on
            from there.
        error_kind: Set for a trial that failed.
    """

    done: bool
    epoch: int
    score: float | None
    epochs: tuple[Epoch, ...]
    facts: Facts
    probabilities: list[list[float]] | None = None
    restored: int = 0
    error_kind: str | None = None
    error_message: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain values; Ray flattens what is nested in dictionaries, not in lists.

        A score that is not there is left out: Ray's schedulers look for the key.
        """
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain |= {"epochs": [asdict(e) for e in self.epochs], "facts": [asdict(self.facts)]}
        if self.score is None:
            del plain["score"]
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read what ``to_plain`` returned; values that Ray put beside it are passed over."""
        values = {f.name: plain[f.name] for f in fields(cls) if f.name != "score"}
        values["score"] = plain.get("score")
        values["epochs"] = tuple(Epoch(**e) for e in plain["epochs"])
        values["facts"] = Facts(**plain["facts"][0])
        return cls(**values)
