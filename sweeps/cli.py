"""The command line: reads options, calls the rooms, prints; the only module that prints."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import yaml
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from antsbees.errors import AntsbeesError, UserError
from results.errors import ResultsError
from results.leaderboard import Leaderboard
from results.schema import TrialRecord, TrialStatus
from sweeps import tables
from sweeps.errors import RunError, SpecError, SweepError, UsageError
from sweeps.paths import RunPaths

if TYPE_CHECKING:
    from antsbees.datasets import Dataset

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

LATEST = "latest"
SHIPPED = ("default", "quick", "tutorial")

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
        str, typer.Argument(help=f"A YAML file, or one of the shipped specs: {', '.join(SHIPPED)}")
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
    from sweeps.reading import read_spec

    paths = RunPaths.choose(runs)
    read = read_spec(_spec_path(spec), name=name, data=data, trials=trials)
    if data is not None and name is None:
        read = read.model_copy(update={"name": _name_with_data(read.name, data)})
    paths.require_writable()
    console = Console()
    dataset = _open(read.data, console)
    console.print(
        f"Sweep {read.name}: {read.backbone}, {len(dataset.train)} images to learn from and "
        f"{len(dataset.val)} to validate on, of {len(dataset.classes)} classes ({dataset.name})",
        highlight=False,
        soft_wrap=True,
    )
    _require_weights(read.backbone, read.weights)
    from sweeps.driver import run_sweep
    from sweeps.progress import ProgressView

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
        raise RunError(_none_complete(outcome.records, paths.log(read.name)))
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
    record = _chosen_row(_rows(paths, sweep), trial)
    model_name = _model_name(name or record.sweep)
    paths.require_writable()
    from sweeps.retraining import open_images
    from sweeps.retraining import retrain as train_again

    console = Console()
    dataset = open_images(record, paths.spec(record.sweep), data)
    console.print(
        f"Training trial {record.trial_number} of sweep {record.sweep} again: "
        f"{record.epochs_asked} epochs, dataset {dataset.name}"
    )

    def report(seed: int, epoch: Any) -> None:
        console.print(
            f"  seed {seed}, epoch {epoch.epoch}: training loss {epoch.train_loss:.4f}"
            + ("" if on is TrainOn.ALL else f", validation accuracy {epoch.val_accuracy:.4f}"),
            highlight=False,
        )

    folder = paths.model(model_name)
    result = train_again(record, dataset, folder, report, seeds, on is TrainOn.ALL)
    for line in _retrained_lines(result, record):
        console.print(line, highlight=False, soft_wrap=True)


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help=f"A model: its name, its folder, or '{LATEST}'")],
    images: Annotated[list[Path], typer.Argument(help="Image files, and folders of them")],
    format: Annotated[PredictFormat, typer.Option(help="How to print it")] = PredictFormat.TABLE,
    runs: RunsOption = None,
) -> None:
    """Tell the class of images, and how probable it is."""
    folder = _model_folder(model, RunPaths.choose(runs))
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
    console = Console()
    found = _open(source, console)
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
    from sweeps.spec import SweepSpec

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
    from antsbees.cache import TensorCache
    from antsbees.storage import cache_folder

    folder = cache_folder() / "activations"
    return TensorCache(folder, max_bytes=0), folder


def _spec_path(spec: str) -> Path:
    path = Path(spec)
    if path.is_file():
        return path
    if spec in SHIPPED:
        return Path(str(resources.files("sweeps.configs").joinpath(f"{spec}.yaml")))
    raise UsageError(f"there is no spec {spec}: give a YAML file, or one of {', '.join(SHIPPED)}")


def _name_with_data(name: str, data: str) -> str:
    """Name a sweep after its spec and its images, so that other images make another sweep."""
    images = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(data).absolute().stem).strip("-.")
    return f"{name}-{images}"[:64] if images else name


def _open(source: str, console: Console) -> Dataset:
    from antsbees.datasets import open_dataset

    with _download_progress(console) as progress:
        dataset = open_dataset(source, progress)
    if dataset.notice:
        console.print(Panel(dataset.notice, title="no photographs", border_style="bold yellow"))
    return dataset


def _wide_console() -> Console:
    """Return a console that cuts nothing off where the output is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


class _download_progress:  # noqa: N801 # used like a function, in a with statement
    """A progress bar that appears with the first block of a download."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Any = None

    def __enter__(self) -> Callable[[int, int], None]:
        return self._update

    def _update(self, done: int, total: int) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

        if self._progress is None:
            columns = (
                "downloading photographs",
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
            )
            self._progress = Progress(*columns, console=self._console)
            self._progress.start()
            self._task = self._progress.add_task("", total=total or None)
        self._progress.update(self._task, completed=done)

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()


def _require_weights(backbone: str, weights: str) -> None:
    """Find out before the first trial if weights that are not installed can be had."""
    if weights != "none" and (backbone, weights) != ("efficientnet_lite0", "default"):
        from antsbees.backbones import load_backbone

        load_backbone(backbone, weights)


def _rows(paths: RunPaths, sweep: str | None) -> list[TrialRecord]:
    board = Leaderboard(paths.leaderboard)
    names = board.sweeps()
    return board.read(sweep or (names[-1] if names else None))


def _chosen_row(records: list[TrialRecord], trial: int | None) -> TrialRecord:
    from results.ranking import winner

    if trial is None:
        return winner(records)
    row = next((record for record in records if record.trial_number == trial), None)
    if row is None:
        raise UsageError(
            f"sweep {records[0].sweep!r} has no trial {trial}; see antsbees leaderboard"
        )
    if not row.epochs_run:
        raise UsageError(f"trial {trial} completed no epoch ({row.error_message}); choose another")
    return row


def _model_name(name: str) -> str:
    from sweeps.spec import NAME_RULE, is_safe_name

    if not is_safe_name(name) or name == LATEST:
        raise UsageError(f"{name!r} cannot be the name of a model; use {NAME_RULE}")
    return name


def _model_folder(model: str, paths: RunPaths) -> Path:
    named = paths.model(model)
    if model == LATEST:
        found = sorted(paths.model("x").parent.glob("[!.]*"), key=lambda p: p.stat().st_mtime)
        if not found:
            raise UsageError(f"there is no model in {named.parent}; run antsbees retrain first")
        return found[-1]
    if named.is_dir():
        return named
    if Path(model).is_dir():
        return Path(model)
    raise UsageError(f"there is no model {model}: neither a folder nor a name in {named.parent}")


def _retrained_lines(result: Any, record: TrialRecord) -> list[str]:
    lines = []
    if result.reproduced:
        lines.append(
            f"Reproduced exactly: validation accuracy {record.val_accuracy:.4f}, "
            f"loss {record.val_loss:.6f}, the same numbers as in the leaderboard."
        )
    elif result.reproduced is False:
        lines.append(
            "Not the same numbers as in the leaderboard, accuracy "
            f"{record.val_accuracy:.4f}, loss {record.val_loss:.6f}: this machine or its libraries "
            "are not those of the trial."
        )
    elif result.accuracies:
        lines.append(f"Not comparable bit by bit: the trial ran on {record.device}.")
    if len(result.accuracies) > 1:
        import statistics

        values = list(result.accuracies.values())
        mean, spread = statistics.fmean(values), statistics.stdev(values)
        lines.append(
            f"Over {len(values)} seeds: validation accuracy {mean:.4f} ± {spread:.4f} "
            f"(mean and standard deviation), from {min(values):.4f} to {max(values):.4f}"
        )
    return [*lines, f"Model: {result.folder}"]


def _none_complete(records: list[TrialRecord], log: Path) -> str:
    failed = [record for record in records if record.status is TrialStatus.FAILED]
    if not failed:
        return f"no trial came to its end: {len(records)} were stopped; see {log}"
    last = failed[-1]
    return (
        f"{len(failed)} of {len(records)} trials failed and none is complete; the last failed with "
        f"{last.error_kind}: {last.error_message}; see {log}"
    )


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
