"""Makes ready what a sweep needs before its first trial: images, with a progress bar, weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.panel import Panel

from antsbees.data.datasets import Dataset
from antsbees.data.sources import open_dataset
from antsbees.networks.catalog import architecture


def open_images(source: str, console: Console) -> Dataset:
    """Open a dataset, and print what the user must know about it.

    Raises:
        DataError: The images cannot be used.
    """
    with _download_progress(console) as progress:
        dataset = open_dataset(source, progress)
    if dataset.notice:
        console.print(Panel(dataset.notice, title="no photographs", border_style="bold yellow"))
    for warning in dataset.warnings:
        console.print(
            f"warning: {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True
        )
    return dataset


def require_weights(backbone: str, weights: str) -> None:
    """Find out before the first trial if weights that are not installed can be had."""
    comes_along = weights == "default" and architecture(backbone).family == "efficientnet_lite"
    if weights != "none" and not comes_along:
        from antsbees.networks.backbones import load_backbone

        load_backbone(backbone, weights)


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
