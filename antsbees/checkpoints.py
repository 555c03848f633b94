"""A trained model as a folder: weights, what is known of it, a card to read; published whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
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
class SavedModel:
    """A model read back: its description, and the network in evaluation mode."""

    description: ModelDescription
    backbone: Backbone
    network: nn.Module


def save_model(folder: Path, network: nn.Module, description: ModelDescription, card: str) -> None:
    """Write a model folder, in place of the one that may be there.

    Args:
        network: All stages, then the head.
        card: The text of the model card, Markdown.
    """
    tensors = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    plain = asdict(description) | {
        "format_version": FORMAT_VERSION,
        "config": description.config.to_dict(),
        "architecture": asdict(architecture(description.task.backbone)),
    }
    with publish_folder(folder) as fresh:
        save_file(tensors, fresh / WEIGHTS_FILE)
        (fresh / DESCRIPTION_FILE).write_text(json.dumps(plain, indent=2) + "\n")
        (fresh / CARD_FILE).write_text(card)


def load_model(folder: Path) -> SavedModel:
    """Read a model folder.

    Raises:
        ModelError: The folder is no model's, or is damaged.
    """
    if not (folder / DESCRIPTION_FILE).is_file():
        raise ModelError(f"there is no model at {folder}: it holds no {DESCRIPTION_FILE}")
    try:
        description = _description(json.loads((folder / DESCRIPTION_FILE).read_text()))
        backbone = load_backbone(description.task.backbone, weights="none")
        k, batchnorm = description.config.frozen_stages, description.config.batchnorm
        trained = backbone.trained_part(k, len(description.classes), 0, batchnorm)
        network = nn.Sequential(*backbone.stages[:k], *trained)
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        SafetensorError,
        ConfigError,
        WeightsError,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"the model at {folder} cannot be read: {reason}") from error
    return SavedModel(description, backbone, network.eval())


def _description(plain: Any) -> ModelDescription:
    if not isinstance(plain, dict):
        raise ValueError(f"{DESCRIPTION_FILE} describes no model")
    if plain.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"its format is {plain.get('format_version')}, not {FORMAT_VERSION}")
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
