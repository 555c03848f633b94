"""``antsbees retrain``: train the winner again, and keep it as a model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from results.ensemble import MOST_OFFERED, Ensemble
from results.winner import FinalWinner, Score
from sweeps import naming
from sweeps.cli.options import RunsOption, SweepOption, named_winner, rows_of
from sweeps.errors import UsageError
from sweeps.paths import RunPaths
from sweeps.views.console import PlainConsole

if TYPE_CHECKING:
    from antsbees.training import EpochMetrics
    from sweeps.retraining import Asked


class TrainOn(StrEnum):
    """What the winner learns from."""

    TRAIN = "train"
    ALL = "all"


def retrain(
    sweep: SweepOption = None,
    trial: Annotated[
        int | None, typer.Option(min=0, help="Number of a trial [default: the winner]")
    ] = None,
    ensemble: Annotated[
        int | None,
        typer.Option(min=2, help="Train so many finalists, at most, that answer together"),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(min=1, help="Train on train under this many seeds, for mean and spread"),
    ] = 1,
    on: Annotated[
        TrainOn | None,
        typer.Option(
            help="Images to learn from: all, or train alone, which gives the numbers of the row "
            "[default: all; with --seeds: train]"
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="The sweep's images, if they have moved since")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the model [default: <sweep>, and <sweep>-ensemble]"),
    ] = None,
    runs: RunsOption = None,
) -> None:
    """Train the winner again, and write it below runs/models/ as a model to use."""
    _require_consistent(trial, ensemble, seeds, on)
    paths = RunPaths.choose(runs)
    rows = rows_of(paths, sweep)
    named = named_winner(paths, rows, ensemble or MOST_OFFERED)
    winner = naming.chosen_row(rows, trial, named)
    together = None if ensemble is None else _ensemble_of(named, winner.sweep)
    usual = winner.sweep if together is None else naming.ensemble_name(winner.sweep)
    model_name = naming.model_name(name or usual)
    paths.require_writable()
    from sweeps.origin import find_origin
    from sweeps.retraining import Asked

    origin = find_origin(winner, paths.spec(winner.sweep), data)
    on_all = on is TrainOn.ALL or (on is None and seeds == 1)
    folder = paths.model(model_name)
    console = PlainConsole()
    if together is not None and named is not None:
        chosen = [naming.chosen_row(rows, number) for number in together.members]
        score = named.score_of_ensemble(together) if on_all else None
        asked = [Asked(row, origin, 1, on_all) for row in chosen]
        _retrain_ensemble(asked, together, score, folder, console)
    else:
        score = None if named is None else named.score_of(winner.trial_number)
        _retrain_one(Asked(winner, origin, seeds, on_all, score), folder, console)


def _ensemble_of(named: FinalWinner | None, sweep: str) -> Ensemble:
    """Return the ensemble that finals chose.

    Raises:
        UsageError: There is none.
    """
    if named is None:
        raise UsageError(f"sweep {sweep!r} had no finals, so there is no ensemble to choose")
    if named.ensemble is None:
        raise UsageError(f"too many rows of the finals of sweep {sweep!r} are lost for an ensemble")
    return named.ensemble


def _require_consistent(
    trial: int | None, ensemble: int | None, seeds: int, on: TrainOn | None
) -> None:
    if seeds > 1 and on is TrainOn.ALL:
        raise UsageError(
            "--seeds are compared on the validation images, which --on all learns from; leave out "
            "one of the two"
        )
    if ensemble is not None and (trial is not None or seeds > 1):
        raise UsageError("--ensemble chooses its members itself: leave out --trial and --seeds")


def _retrain_one(asked: Asked, folder: Path, console: PlainConsole) -> None:
    from sweeps.retraining import retrain as train_again
    from sweeps.views.retrained import told

    record, dataset = asked.record, asked.origin.dataset
    times = asked.config.soup_size
    often = f", {times} times" if times > 1 else ""
    console.print(
        f"Training trial {record.trial_number} of sweep {record.sweep} again: "
        f"{record.epochs} epochs{often}, dataset {dataset.name}"
    )

    def report(seed: int, epoch: EpochMetrics) -> None:
        accuracy = "" if asked.on_all else f", validation accuracy {epoch.val_accuracy:.4f}"
        console.print(
            f"  seed {seed}, epoch {epoch.epoch}: training loss {epoch.train_loss:.4f}{accuracy}"
        )

    result = train_again(asked, folder, report)
    for line in told(result, record):
        console.print(line, soft_wrap=True)


def _retrain_ensemble(
    asked: list[Asked], ensemble: Ensemble, score: Score | None, folder: Path, console: PlainConsole
) -> None:
    from sweeps.ensembling import retrain_ensemble
    from sweeps.views.retrained import told_of_ensemble

    trials = "trial" if len(asked) == 1 else "trials"
    console.print(
        f"Training {len(asked)} {trials} of sweep {asked[0].record.sweep} again, dataset "
        f"{asked[0].origin.dataset.name}"
    )

    def report(trial: int, epoch: EpochMetrics) -> None:
        console.print(f"  trial {trial}, epoch {epoch.epoch}: training loss {epoch.train_loss:.4f}")

    retrain_ensemble(asked, score, folder, report)
    for line in told_of_ensemble(ensemble, score):
        console.print(line, soft_wrap=True)
    console.print(f"Model: {folder}", soft_wrap=True)
