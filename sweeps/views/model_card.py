"""The model card: what a model is, what it learnt from, how well it does; Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antsbees.checkpoints import ModelDescription


def model_card(description: ModelDescription) -> str:
    """Write the card of a model that ``sweeps.retraining`` described."""
    origin, classes = description.provenance, description.classes
    settings = "\n".join(
        f"| {name} | {value} |"
        for name, value in description.config.to_dict().items()
        if value is not None
    )
    return f"""# {" or ".join(classes)}

A {description.task.backbone} fine-tuned to tell {len(classes)} classes apart:
{", ".join(classes)}.

- Images: `{description.dataset}`, fingerprint `{description.dataset_fingerprint[:16]}`
- From: trial {origin["trial_number"]} of sweep `{origin["sweep"]}`, trained {origin["trained_at"]}
- Code: antsbees {origin["code_version"]}; {origin["library_versions"]}

{_quality(description)}

| setting | value |
|---|---|
{settings}

Answer for images: `antsbees predict <this folder> <files or folders>`. It knows these classes only,
and puts every image into one of them.
"""


def _quality(description: ModelDescription) -> str:
    """Say how well the model does, and what that number is worth."""
    metrics = description.metrics
    if metrics["trained_on_val"]:
        return (
            "It learnt from the validation images too, so it has no validation accuracy. "
            "The configuration was chosen for its score on these images when it had not."
        )
    seeds = ""
    if metrics["val_accuracy_std"] is not None:
        seeds = (
            f" Over {len(metrics['val_accuracy_by_seed'])} seeds: mean "
            f"{metrics['val_accuracy_mean']:.4f}, standard deviation "
            f"{metrics['val_accuracy_std']:.4f}."
        )
    return (
        f"Validation accuracy {metrics['val_accuracy']:.4f}, "
        f"validation loss {metrics['val_loss']:.4f}.{seeds} "
        "The configuration was chosen for its score on these validation images, so on new images "
        "expect a little less."
    )
