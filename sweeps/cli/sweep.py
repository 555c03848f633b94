"""``antsbees sweep``: run a sweep, and show the winner."""

from __future__ import annotations

from typing import Annotated

import typer

from results.leaderboard import Leaderboard
from results.report.places import place_uses
from results.schema import TrialStatus
from sweeps import naming
from sweeps.cli.options import AddressOption, RunsOption, named_winner, spec_asked
from sweeps.errors import RunError
from sweeps.paths import RunPaths
from sweeps.views import tables
from sweeps.views.console import PlainConsole
from sweeps.views.places import has_several, places_table


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
    report: Annotated[bool, typer.Option(help="Write a page about it at the end")] = True,
    address: AddressOption = None,
    runs: RunsOption = None,
) -> None:
    """Run a sweep, and show the winner. Run again, it goes on where it ended."""
    paths = RunPaths.choose(runs)
    read = spec_asked(spec, name, data, trials, address)
    paths.require_writable()
    from sweeps import preparing

    console = PlainConsole()
    dataset = preparing.open_images(read.data, console)
    backbones = " or ".join(read.backbones)
    console.print(
        f"Sweep {read.name}: {backbones}, {len(dataset.train)} images to learn from and "
        f"{len(dataset.val)} to validate on, of {len(dataset.classes)} classes ({dataset.name})",
        soft_wrap=True,
    )
    for backbone in read.backbones:
        preparing.require_weights(backbone, read.weights)
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
    values = tables.best_values(outcome.records, named_winner(paths, outcome.records))
    console.print(tables.best_table(values), soft_wrap=True)
    if has_several(outcome.records):
        rows = Leaderboard(paths.leaderboard).read(read.name, heavy=True)
        console.print()
        console.print(places_table("Where the trials ran", place_uses(rows)))
    console.print(f"\nLeaderboard: {paths.leaderboard}", style="dim", soft_wrap=True)
    if report:
        from sweeps.reporting.writing import closing_line

        console.print(closing_line(paths, read.name, dataset), soft_wrap=True)
