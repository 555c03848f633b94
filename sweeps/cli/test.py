"""``antsbees test``: judge a model by images that nothing was learnt from or chosen by."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sweeps import naming
from sweeps.cli.options import RunsOption
from sweeps.paths import RunPaths
from sweeps.views.console import PlainConsole

if TYPE_CHECKING:
    from sweeps.testing import Judged


class ScoreFormat(StrEnum):
    """How the score is printed."""

    TABLE = "table"
    JSON = "json"


def judge(
    model: Annotated[
        str, typer.Argument(help=f"A model: its name, its folder, or '{naming.LATEST}'")
    ] = naming.LATEST,
    data: Annotated[
        str | None, typer.Option(help="The sweep's images, if they have moved since")
    ] = None,
    format: Annotated[ScoreFormat, typer.Option(help="How to print it")] = ScoreFormat.TABLE,
    runs: RunsOption = None,
) -> None:
    """Judge a model by the images of test/<class>/, which nothing else opens.

    Each time is counted in the leaderboard: who chooses by a test folder has none any more.
    """
    paths = RunPaths.choose(runs)
    folder = naming.model_folder(model, paths)
    paths.require_writable()
    from sweeps import testing

    judged = testing.judge(folder, paths, data)
    if format is ScoreFormat.JSON:
        print(json.dumps(asdict(judged), indent=2))
    else:
        _print(judged, PlainConsole())


def _print(judged: Judged, console: PlainConsole) -> None:
    score = judged.score
    console.print(
        f"{score.num_images} test images of {judged.dataset}, of {len(judged.classes)} classes"
    )
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for column in ("", "", "95 % interval"):
        table.add_column(column, justify="left" if not column else "right")
    accuracy, loss = score.accuracy_95, score.loss_95
    table.add_row("accuracy", f"{score.accuracy:.1%}", f"{accuracy.low:.1%} - {accuracy.high:.1%}")
    table.add_row("log-loss", f"{score.loss:.4f}", f"{loss.low:.4f} - {loss.high:.4f}")
    console.print(table)
    if judged.copies:
        console.print(
            f"warning: {judged.copies} of them are copies of images in train/ or val/, which makes "
            "this score too good",
            style="yellow",
            soft_wrap=True,
        )
    console.print(_looks(judged), soft_wrap=True)


def _looks(judged: Judged) -> str:
    if judged.looks == 1:
        return f"Looked at for the first time in sweep {judged.sweep}."
    trials = "one trial" if judged.trials == 1 else f"{judged.trials} trials"
    return (
        f"Looked at {judged.looks} times in sweep {judged.sweep}, for models of {trials}: the more "
        "often one chooses by it, the less this score says of new images."
    )
