"""``antsbees data``: check images as a sweep would, and say what is there."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from sweeps.views.console import PlainConsole


def data(
    source: Annotated[
        str,
        typer.Argument(help="A folder, a zip, 'synthetic', or 'auto'"),
    ] = "auto",
) -> None:
    """Check images as a sweep would, and say what is there."""
    from sweeps import preparing

    console = PlainConsole()
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
        soft_wrap=True,
    )
