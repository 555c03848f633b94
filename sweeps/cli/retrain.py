"""``antsbees retrain``: train the winner again, and keep it as a model."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from sweeps import naming
from sweeps.cli.options import RunsOption, SweepOption, named_winner, rows_of
from sweeps.paths import RunPaths
from sweeps.views.console import PlainConsole


class TrainOn(StrEnum):
    """What the winner learns from."""

    TRAIN = "train"
    ALL = "all"


def retrain(
    sweep: SweepOption = None,
    trial: Annotated[
        int | None, typer.Option(min=0, help="Number of a trial [default: the winner]")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Train under this many seeds, for mean and spread")
    ] = 1,
    on: Annotated[TrainOn, typer.Option(help="Images to learn from")] = TrainOn.TRAIN,
    data: Annotated[
        str | None, typer.Option(help="The sweep's images, if they have moved since")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model [default: that of the sweep]")
    ] = None,
    runs: RunsOption = None,
) -> None:
    """Train the winner again, and write it below runs/models/ as a model to use."""
    paths = RunPaths.choose(runs)
    rows = rows_of(paths, sweep)
    record = naming.chosen_row(rows, trial, named_winner(paths, rows) if trial is None else None)
    model_name = naming.model_name(name or record.sweep)
    paths.require_writable()
    from sweeps.origin import find_origin
    from sweeps.retraining import Asked
    from sweeps.retraining import retrain as train_again
    from sweeps.views.retrained import told

    console = PlainConsole()
    origin = find_origin(record, paths.spec(record.sweep), data)
    console.print(
        f"Training trial {record.trial_number} of sweep {record.sweep} again: "
        f"{record.epochs} epochs, dataset {origin.dataset.name}"
    )

    def report(seed: int, epoch: Any) -> None:
        console.print(
            f"  seed {seed}, epoch {epoch.epoch}: training loss {epoch.train_loss:.4f}"
            + ("" if on is TrainOn.ALL else f", validation accuracy {epoch.val_accuracy:.4f}"),
        )

    asked = Asked(record, origin, seeds, on is TrainOn.ALL)
    result = train_again(asked, paths.model(model_name), report)
    for line in told(result, record):
        console.print(line, soft_wrap=True)
