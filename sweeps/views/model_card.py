"""The model card: what a model is, what it learnt from, how well it does; Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from results.winner import Score

if TYPE_CHECKING:
    from antsbees.checkpoints import ModelDescription


NO_SCORE = "It has no score of its own; those of its members stand in the model.json of each."


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


def ensemble_card(
    members: Sequence[ModelDescription], metrics: Mapping[str, Any], origin: Mapping[str, Any]
) -> str:
    """Write the card of an ensemble."""
    first = members[0]
    rows = "\n".join(
        f"| {member.provenance['trial_number']} | {member.task.backbone} | "
        f"{member.config.frozen_stages} | {member.config.epochs} |"
        for member in members
    )
    quality = (
        _expected(metrics)
        if metrics["trained_on_val"]
        else "The score of each is in its `model.json`."
    )
    return f"""# {" or ".join(first.classes)}

{len(members)} networks that tell {len(first.classes)} classes apart together:
{", ".join(first.classes)}. The answer is the mean of their probabilities.

- Images: `{first.dataset}`, fingerprint `{first.dataset_fingerprint[:16]}`
- From: sweep `{origin["sweep"]}`, trained {origin["trained_at"]}
- Code: antsbees {origin["code_version"]}

{quality}

| trial | backbone | frozen stages | epochs |
|---|---|---|---|
{rows}

Answer for images: `antsbees predict <this folder> <files or folders>`. It knows these classes only,
and puts every image into one of them.
"""


def _quality(description: ModelDescription) -> str:
    """Say how well the model does, and what that number is worth."""
    metrics = description.metrics
    if metrics["trained_on_val"]:
        return _expected(metrics) + _soup(description)
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


def _soup(description: ModelDescription) -> str:
    """Say of how many trainings it is the mean, where that is not as many as in its row."""
    size, metrics = description.config.soup_size, description.metrics
    if size < (made := metrics.get("trainings", size)):
        return f" {fallen_apart(made)}"
    if size == metrics.get("score_of_soup_size", size):
        return ""
    of_one = "" if metrics["expected"] is None else ", and the score is that of one"
    return f" To be surer, it is the mean of {size} trainings{of_one}."


def fallen_apart(trainings: int) -> str:
    """Say that the mean of so many is not what answers."""
    return f"The mean of its {trainings} trainings had fallen apart: the first answers alone."


def _expected(metrics: Mapping[str, Any]) -> str:
    """Say which score a model has that learnt from the validation images too."""
    learnt = f"It learnt from all {metrics['num_learnt']} images, the validation images too"
    if metrics["expected"] is None:
        return (
            f"{learnt}, so it has no score. The configuration was chosen for its score on the "
            "validation images when it had not."
        )
    return (
        f"{learnt}, so none is left to score it on. Trained on folds, the same had, "
        f"{Score(**metrics['expected']).sentence}."
    )
