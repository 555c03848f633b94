"""``antsbees plan``: what a sweep will do, on which lanes, and how long it will take."""

from __future__ import annotations

from typing import Annotated

import typer

from results.leaderboard import Leaderboard
from sweeps import naming
from sweeps.cli.options import AddressOption, RunsOption, spec_asked
from sweeps.paths import RunPaths
from sweeps.views.console import PlainConsole


def plan(
    spec: Annotated[
        str,
        typer.Argument(
            help=f"A YAML file, or one of the shipped specs: {', '.join(naming.SHIPPED)}"
        ),
    ] = "default",
    name: Annotated[str | None, typer.Option(help="Name of the sweep")] = None,
    data: Annotated[str | None, typer.Option(help="Images, instead of the spec's")] = None,
    trials: Annotated[
        int | None, typer.Option(help="Number of trials in all, instead of the spec's")
    ] = None,
    address: AddressOption = None,
    runs: RunsOption = None,
) -> None:
    """Say what a sweep will do, on which lanes, and about how long it will take. Runs nothing."""
    paths = RunPaths.choose(runs)
    read = spec_asked(spec, name, data, trials, address)
    from sweeps import preparing
    from sweeps.machines import resources_here
    from sweeps.running.cluster import nodes_at
    from sweeps.running.planning import plan as planned
    from sweeps.views.plan import plan_lines

    console = PlainConsole()
    dataset = preparing.open_images(read.data, console)
    nodes = [resources_here()] if read.address is None else nodes_at(read.address)
    board = Leaderboard(paths.leaderboard)
    rows = board.read() if board.sweeps() else []
    for line in plan_lines(planned(read, dataset, nodes, rows)):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
