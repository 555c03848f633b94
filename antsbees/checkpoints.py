"""A trained model as a folder: weights, what is known of it, a card to read; published whole.

An ensemble is a folder too, with the folders of its members below it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from antsbees.config import TaskConfig, TrialConfig
from antsbees.errors import ConfigError, ModelError, WeightsError
from antsbees.networks.backbones import Backbone, load_backbone
from antsbees.networks.catalog import architecture
from antsbees.storage import publish_folder

FORMAT_VERSION = 1
WEIGHTS_FILE = "model.safetensors"
DESCRIPTION_FILE = "model.json"
CARD_FILE = "README.md"


@dataclass(frozen=True)
class ModelDescription:
    """Everything about a saved model but its weights.

    Args:
        inference_precision: The precision its validation metrics were measured in, and in which it
            answers.
        metrics: Name to number, or to a list of numbers.
        provenance: Where it comes from: sweep, trial, versions.
    """

    task: TaskConfig
    config: TrialConfig
    classes: tuple[str, ...]
    dataset: str
    dataset_fingerprint: str
    inference_precision: str
    metrics: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """One network of a model, in evaluation mode.

    Args:
        backbone: Of members on the same one, it is the same object, as are its frozen stages.
        network: All stages, then the head.
    """

    description: ModelDescription
    backbone: Backbone
    network: nn.Sequential


@dataclass(frozen=True)
class SavedModel:
    """A model read back.

    Args:
        description: Of an ensemble: its first member's, with metrics and provenance of the whole.
        members: One, or those of an ensemble.
    """

    description: ModelDescription
    members: tuple[Member, ...]

    @property
    def network(self) -> nn.Sequential:
        """The network of a model that is no ensemble.

        Raises:
            ModelError: It is one.
        """
        if len(self.members) > 1:
            raise ModelError(f"an ensemble of {len(self.members)} has no single network")
        return self.members[0].network


def save_model(folder: Path, network: nn.Module, description: ModelDescription, card: str) -> None:
    """Write a model folder, in place of the one that may be there.

    Args:
        network: All stages, then the head.
        card: The text of the model card, Markdown.
    """
    with publish_folder(folder) as fresh:
        _write(fresh, network, description, card)


def save_ensemble(
    folder: Path,
    members: Sequence[tuple[nn.Module, ModelDescription]],
    metrics: dict[str, Any],
    provenance: dict[str, Any],
    card: str,
) -> None:
    """Write several networks as one model folder, in place of the one that may be there.

    Its answer is the mean of their probabilities.
    """
    names = [f"member-{number}" for number in range(1, len(members) + 1)]
    plain = {
        "format_version": FORMAT_VERSION,
        "members": names,
        "metrics": metrics,
        "provenance": provenance,
    }
    with publish_folder(folder) as fresh:
        for name, (network, description) in zip(names, members, strict=True):
            (fresh / name).mkdir()
            _write(fresh / name, network, description, card)
        (fresh / DESCRIPTION_FILE).write_text(json.dumps(plain, indent=2) + "\n")
        (fresh / CARD_FILE).write_text(card)


def _write(folder: Path, network: nn.Module, description: ModelDescription, card: str) -> None:
    tensors = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    plain = asdict(description) | {
        "format_version": FORMAT_VERSION,
        "config": description.config.to_dict(),
        "architecture": asdict(architecture(description.task.backbone)),
    }
    save_file(tensors, folder / WEIGHTS_FILE)
    (folder / DESCRIPTION_FILE).write_text(json.dumps(plain, indent=2) + "\n")
    (folder / CARD_FILE).write_text(card)


def load_model(folder: Path) -> SavedModel:
    """Read a model folder.

    Raises:
        ModelError: The folder is no model's, or is damaged.
    """
    if not (folder / DESCRIPTION_FILE).is_file():
        raise ModelError(f"there is no model at {folder}: it holds no {DESCRIPTION_FILE}")
    try:
        plain = _read(folder)
        shared: dict[str, Backbone] = {}
        if "members" not in plain:
            member = _member(folder, shared)
            return SavedModel(member.description, (member,))
        if not isinstance(plain["members"], list):
            raise ValueError("an earlier version wrote this ensemble; retrain it")
        members = tuple(_member(folder / name, shared) for name in plain["members"])
        metrics, provenance = plain["metrics"], plain["provenance"]
        description = replace(members[0].description, metrics=metrics, provenance=provenance)
    except (
        OSError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        RuntimeError,
        SafetensorError,
        ConfigError,
        WeightsError,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"the model at {folder} cannot be read: {reason}") from error
    return SavedModel(description, members)


def _member(folder: Path, shared: dict[str, Backbone]) -> Member:
    """Read one network; its backbone is one of those shared, if it has the same weights."""
    description = _description(_read(folder))
    name = f"{description.task.backbone} {description.provenance.get('weights_hash', folder)}"
    if name not in shared:
        shared[name] = load_backbone(description.task.backbone, weights="none")
    backbone = shared[name]
    k, batchnorm = description.config.frozen_stages, description.config.batchnorm
    trained = backbone.trained_part(k, len(description.classes), 0, batchnorm)
    network = nn.Sequential(*backbone.stages[:k], *trained)
    network.load_state_dict(load_file(folder / WEIGHTS_FILE))
    return Member(description, backbone, network.eval())


def _read(folder: Path) -> dict[str, Any]:
    """Read a description as plain values."""
    plain = json.loads((folder / DESCRIPTION_FILE).read_text())
    if not isinstance(plain, dict):
        raise ValueError(f"{DESCRIPTION_FILE} describes no model")
    if plain.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"its format is {plain.get('format_version')}, not {FORMAT_VERSION}")
    return plain


def _description(plain: dict[str, Any]) -> ModelDescription:
    return ModelDescription(
        task=TaskConfig(**plain["task"]),
        config=TrialConfig.from_dict(plain["config"]),
        classes=tuple(plain["classes"]),
        dataset=plain["dataset"],
        dataset_fingerprint=plain["dataset_fingerprint"],
        inference_precision=plain["inference_precision"],
        metrics=plain["metrics"],
        provenance=plain["provenance"],
    )
