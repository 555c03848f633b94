"""``antsbees watch``: look at a sweep from another terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from results.finals import Finals
from results.leaderboard import Leaderboard
from sweeps.cli.options import RunsOption, SweepOption
from sweeps.liveness import is_running, running_on, written_at_s
from sweeps.paths import RunPaths
from sweeps.views.console import PlainConsole

if TYPE_CHECKING:
    from sweeps.views.watching import Seen


def watch(
    sweep: SweepOption = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks")] = 2.0,
    runs: RunsOption = None,
) -> None:
    """Look at a sweep that runs, or has ended, from another terminal; it is not disturbed."""
    paths = RunPaths.choose(runs)
    name = sweep or Leaderboard(paths.leaderboard).newest()
    console = PlainConsole(wide=True)
    from rich.live import Live

    from sweeps.views.watching import picture

    found = _look(paths, name)
    if not (found.running_on and console.is_terminal):
        console.print(picture(found))
        return
    try:
        with Live(picture(found), console=console, auto_refresh=False) as live:
            while found.running_on:
                at_s = written_at_s(paths, name)
                while is_running(paths, name) and written_at_s(paths, name) == at_s:
                    time.sleep(every)
                found = _look(paths, name)
                live.update(picture(found), refresh=True)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _look(paths: RunPaths, name: str) -> Seen:
    from sweeps.views.watching import seen

    running = running_on(paths, name)
    records = Leaderboard(paths.leaderboard).read(name)
    finals = Finals(paths.finals)
    folds = finals.read(name) if name in finals.sweeps() else []
    return seen(name, running, records, folds)
