"""The command ``antsbees``: which commands there are, and how their failures end."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from antsbees.errors import AntsbeesError, UserError
from results.errors import ResultsError
from sweeps.cli import (
    best,
    cache,
    data,
    leaderboard,
    plan,
    predict,
    report,
    retrain,
    schema,
    sweep,
    test,
    watch,
)
from sweeps.errors import SpecError, SweepError, UsageError
from sweeps.views.text import printable_lines

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Find the best way to fine-tune a pre-trained network to your photographs.\n\n"
    "[bold]sweep[/] tries configurations, [bold]best[/] and [bold]leaderboard[/] show what came "
    "out, [bold]retrain[/] makes the winner a model, [bold]predict[/] uses it, [bold]test[/] "
    "judges it.",
)
for command in (
    sweep.sweep, best.best, leaderboard.leaderboard, retrain.retrain, predict.predict, data.data,
    schema.schema, report.report, watch.watch, plan.plan,
):  # fmt: skip
    app.command()(command)
app.command("test")(test.judge)
cache_app = typer.Typer(no_args_is_help=True, help="Show or clear what frozen stages put out.")
cache_app.command()(cache.show)
cache_app.command()(cache.clear)
app.add_typer(cache_app, name="cache")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"antsbees {version('antsbees')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; a user's mistake ends with a sentence and exit code 2."""
    try:
        app()
    except (UserError, ResultsError, SpecError, UsageError) as error:
        _exit(error, 2)
    except (AntsbeesError, SweepError) as error:
        _exit(error, 1)


def _exit(error: Exception, code: int) -> NoReturn:
    print(f"error: {printable_lines(str(error))}", file=sys.stderr)
    sys.exit(code)
