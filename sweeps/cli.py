"""The command line: reads options, calls the rooms, prints; the only module that prints."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import yaml
from rich.console import Console
from rich.table import Table

from antsbees.errors import AntsbeesError, UserError
from results.errors import ResultsError
from results.leaderboard import Leaderboard
from results.schema import TrialRecord, TrialStatus
from sweeps import naming
from sweeps.errors import RunError, SpecError, SweepError, UsageError
from sweeps.paths import RunPaths
from sweeps.views import tables

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Find the best way to fine-tune a pre-trained network to your photographs.\n\n"
    "[bold]sweep[/] tries configurations, [bold]best[/] and [bold]leaderboard[/] show what came "
    "out, [bold]retrain[/] makes the winner a model, [bold]predict[/] uses it.",
)
cache_app = typer.Typer(no_args_is_help=True, help="Show or clear what frozen stages put out.")
app.add_typer(cache_app, name="cache")

RunsOption = Annotated[
    Path | None,
    typer.Option(
        "--runs", help="Folder for everything a run writes [default: ANTSBEES_RUNS or ./runs]"
    ),
]
SweepOption = Annotated[
    str | None, typer.Option("--sweep", help="Name of the sweep [default: the one run last]")
]


class TableFormat(StrEnum):
    """How the leaderboard is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class BestFormat(StrEnum):
    """How the best configuration is printed."""

    TABLE = "table"
    YAML = "yaml"
    JSON = "json"


class TrainOn(StrEnum):
    """What the winner learns from."""

    TRAIN = "train"
    ALL = "all"


class PredictFormat(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSON = "json"


@app.command()
def sweep(
    spec: Annotated[
        str,
        typer.Argument(
            help=f"A YAML file, or one of the shipped specs: {', '.join(naming.SHIPPED)}"
        ),
    ] = "default",
    name: Annotated[
        str | None,
        typer.Option(help="Name of the sweep [default: the spec's, with that of --data if given]"),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Images, instead of the spec's: a folder with train/<class>/ and val/<class>/, "
            "a zip of one, 'synthetic', or 'auto'"
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="Number of trials in all, instead of the spec's")
    ] = None,
    runs: RunsOption = None,
) -> None:
    """Run a sweep, and show the winner. Run again, it goes on where it ended."""
    from sweeps.spec.reading import read_spec

    paths = RunPaths.choose(runs)
    read = read_spec(naming.spec_path(spec), name=name, data=data, trials=trials)
    if data is not None and name is None:
        read = read.model_copy(update={"name": naming.name_with_data(read.name, data)})
    paths.require_writable()
    from sweeps import preparing

    console = Console()
    dataset = preparing.open_images(read.data, console)
    console.print(
        f"Sweep {read.name}: {read.backbone}, {len(dataset.train)} images to learn from and "
        f"{len(dataset.val)} to validate on, of {len(dataset.classes)} classes ({dataset.name})",
        highlight=False,
        soft_wrap=True,
    )
    preparing.require_weights(read.backbone, read.weights)
    from sweeps.running.driver import run_sweep
    from sweeps.views.progress import ProgressView

    with ProgressView(read, console) as view:
        outcome = run_sweep(read, dataset, paths, view)
    if outcome.interrupted:
        console.print(
            f"Interrupted: {len(outcome.records)} trials are in the leaderboard; "
            "run the same command again to go on.",
            soft_wrap=True,
        )
        raise typer.Exit(130)
    if not outcome.num_new:
        console.print(
            f"Nothing to add: sweep {read.name} has all its {len(outcome.records)} trials."
        )
    if not any(record.status is TrialStatus.COMPLETE for record in outcome.records):
        raise RunError(tables.why_no_winner(outcome.records, paths.log(read.name)))
    console.print()
    console.print(tables.best_table(tables.best_values(outcome.records)), soft_wrap=True)
    console.print(f"\nLeaderboard: {paths.leaderboard}", style="dim", soft_wrap=True)


@app.command()
def best(
    sweep: SweepOption = None,
    format: Annotated[BestFormat, typer.Option(help="How to print it")] = BestFormat.TABLE,
    runs: RunsOption = None,
) -> None:
    """Show the best configuration, its score, and the tutorial's score beside it."""
    values = tables.best_values(_rows(RunPaths.choose(runs), sweep))
    if format is BestFormat.JSON:
        print(json.dumps(values, indent=2))
    elif format is BestFormat.YAML:
        print(yaml.safe_dump(values, sort_keys=False), end="")
    else:
        Console().print(tables.best_table(values), soft_wrap=True)


@app.command()
def leaderboard(
    sweep: Annotated[
        str | None, typer.Option("--sweep", help="Name of a sweep [default: all of them]")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Rows to show of each dataset")] = 20,
    format: Annotated[TableFormat, typer.Option(help="How to print it")] = TableFormat.TABLE,
    runs: RunsOption = None,
) -> None:
    """List trials, best first; different datasets and objectives are never ranked together."""
    records = Leaderboard(RunPaths.choose(runs).leaderboard).read(sweep)
    if format is TableFormat.TABLE:
        _wide_console().print(tables.leaderboard_tables(records, top))
        return
    rows = tables.leaderboard_rows(records, top)
    if format is TableFormat.JSON:
        print(json.dumps(rows, indent=2))
    else:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@app.command()
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
    record = naming.chosen_row(_rows(paths, sweep), trial)
    model_name = naming.model_name(name or record.sweep)
    paths.require_writable()
    from sweeps.origin import find_origin
    from sweeps.retraining import Asked
    from sweeps.retraining import retrain as train_again
    from sweeps.views.retrained import told

    console = Console()
    origin = find_origin(record, paths.spec(record.sweep), data)
    console.print(
        f"Training trial {record.trial_number} of sweep {record.sweep} again: "
        f"{record.epochs_asked} epochs, dataset {origin.dataset.name}"
    )

    def report(seed: int, epoch: Any) -> None:
        console.print(
            f"  seed {seed}, epoch {epoch.epoch}: training loss {epoch.train_loss:.4f}"
            + ("" if on is TrainOn.ALL else f", validation accuracy {epoch.val_accuracy:.4f}"),
            highlight=False,
        )

    asked = Asked(record, origin, seeds, on is TrainOn.ALL)
    result = train_again(asked, paths.model(model_name), report)
    for line in told(result, record):
        console.print(line, highlight=False, soft_wrap=True)


@app.command()
def predict(
    model: Annotated[
        str, typer.Argument(help=f"A model: its name, its folder, or '{naming.LATEST}'")
    ],
    images: Annotated[list[Path], typer.Argument(help="Image files, and folders of them")],
    format: Annotated[PredictFormat, typer.Option(help="How to print it")] = PredictFormat.TABLE,
    runs: RunsOption = None,
) -> None:
    """Tell the class of images, and how probable it is."""
    folder = naming.model_folder(model, RunPaths.choose(runs))
    from antsbees.checkpoints import load_model
    from antsbees.prediction import image_files
    from antsbees.prediction import predict as answers_for

    files = image_files(images)
    answers = []
    failed = 0
    for answer in answers_for(load_model(folder), files):
        if answer.error is not None:
            failed += 1
            print(f"error: {answer.path}: {answer.error}", file=sys.stderr)
        answers.append(answer)
    if format is PredictFormat.JSON:
        rows = [
            {"path": str(a.path), "class": a.label, "probabilities": a.probabilities or None}
            | ({"error": a.error} if a.error else {})
            for a in answers
        ]
        print(json.dumps(rows, indent=2))
    else:
        table = Table(box=None, header_style="dim")
        for column in ("image", "class", "probability"):
            table.add_column(column, overflow="fold")
        for a in answers:
            if a.label is not None:
                table.add_row(str(a.path), a.label, f"{a.probabilities[a.label]:.4f}")
        _wide_console().print(table)
    if failed:
        raise typer.Exit(1)


@app.command()
def data(
    source: Annotated[
        str,
        typer.Argument(help="A folder, a zip, 'synthetic', or 'auto'"),
    ] = "auto",
) -> None:
    """Check images as a sweep would, and say what is there."""
    from sweeps import preparing

    console = Console()
    found = preparing.open_images(source, console)
    table = Table(title=f"{found.name}: {found.root}", title_justify="left", box=None)
    table.add_column("class")
    table.add_column("train", justify="right")
    table.add_column("val", justify="right")
    for label, class_name in enumerate(found.classes):
        table.add_row(
            class_name, str(found.train.labels.count(label)), str(found.val.labels.count(label))
        )
    table.add_row("all", str(len(found.train)), str(len(found.val)), style="bold")
    console.print(table)
    console.print(
        f"{found.num_skipped} files skipped that are no images; fingerprint {found.fingerprint}",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    from sweeps.spec.models import SweepSpec

    print(json.dumps(SweepSpec.model_json_schema(), indent=2))


@cache_app.command("show")
def cache_show() -> None:
    """Show where the cache is and how much it holds."""
    cache, folder = _activation_cache()
    usage = cache.usage()
    print(f"{folder}: {usage.num_files} files, {usage.num_bytes / 1024**3:.2f} GB")


@cache_app.command("clear")
def cache_clear() -> None:
    """Delete what no running sweep uses; all of it can be computed again."""
    cache, folder = _activation_cache()
    deleted = cache.clear()
    print(f"{folder}: deleted {deleted.num_files} files, {deleted.num_bytes / 1024**3:.2f} GB")


def _activation_cache() -> tuple[Any, Path]:
    from antsbees.frozen.cache import TensorCache
    from antsbees.storage import cache_folder

    folder = cache_folder() / "activations"
    return TensorCache(folder, max_bytes=0), folder


def _wide_console() -> Console:
    """Return a console that cuts nothing off where the output is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _rows(paths: RunPaths, sweep: str | None) -> list[TrialRecord]:
    board = Leaderboard(paths.leaderboard)
    names = board.sweeps()
    return board.read(sweep or (names[-1] if names else None))


def main() -> None:
    """Run the command line; a user's mistake ends with a sentence and exit code 2."""
    try:
        app()
    except (UserError, ResultsError, SpecError, UsageError) as error:
        _exit(error, 2)
    except (AntsbeesError, SweepError) as error:
        _exit(error, 1)


def _exit(error: Exception, code: int) -> NoReturn:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
