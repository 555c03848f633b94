"""``antsbees predict``: tell the class of images."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from sweeps import naming
from sweeps.cli.options import RunsOption
from sweeps.paths import RunPaths
from sweeps.views.console import PlainConsole
from sweeps.views.text import printable


class PredictFormat(StrEnum):
    """How answers are printed."""

    TABLE = "table"
    JSON = "json"


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
            print(f"error: {printable(f'{answer.path}: {answer.error}')}", file=sys.stderr)
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
        PlainConsole(wide=True).print(table)
    if failed:
        raise typer.Exit(1)
