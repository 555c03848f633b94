"""``antsbees best``: show the best configuration and its score."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
import yaml

from results.leaderboard import Leaderboard
from results.standing import read_standing
from sweeps.cli.options import RunsOption, SweepOption, winner_of_finals
from sweeps.paths import RunPaths
from sweeps.views import tables
from sweeps.views.console import PlainConsole


class BestFormat(StrEnum):
    """How the best configuration is printed."""

    TABLE = "table"
    YAML = "yaml"
    JSON = "json"


def best(
    sweep: SweepOption = None,
    format: Annotated[BestFormat, typer.Option(help="How to print it")] = BestFormat.TABLE,
    runs: RunsOption = None,
) -> None:
    """Show the best configuration, its score, and the tutorial's score beside it."""
    paths = RunPaths.choose(runs)
    board = Leaderboard(paths.leaderboard)
    name = sweep or board.newest()
    named = winner_of_finals(paths, name)
    standing = read_standing(board, name, None if named is None else named.trial_number)
    values = tables.standing_values(standing, named)
    if format is BestFormat.JSON:
        print(json.dumps(values, indent=2))
    elif format is BestFormat.YAML:
        print(yaml.safe_dump(values, sort_keys=False), end="")
    else:
        PlainConsole(wide=True).print(tables.best_table(values), soft_wrap=True)
