"""What the live view promises: true numbers, plain lines in a file, a table on a terminal."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from antsbees.config import TrialConfig
from results.schema import TrialStatus
from sweeps.finals.standing import FinalsStanding
from sweeps.views.progress import ProgressView, Tally, tally
from tests.sweeps.sweep_fakes import CPU, GPU, make_spec, row

CONFIG = TrialConfig(frozen_stages=8, lr=0.0123, epochs=10)


class Clock:
    """A clock that is set by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def view_of(
    is_terminal: bool, trials: int = 4, minutes: float | None = None
) -> tuple[ProgressView, Clock, StringIO]:
    out, clock = StringIO(), Clock()
    console = Console(file=out, force_terminal=is_terminal, width=100)
    spec = make_spec(search={"trials": trials, "minutes": minutes})
    return ProgressView(spec, console, clock), clock, out


@pytest.mark.parametrize(
    ("known", "done", "total", "elapsed_s", "limit_s", "left_s"),
    [
        (0, 0, 10, 5.0, None, None),
        (0, 2, 10, 10.0, None, 40.0),
        (6, 8, 10, 10.0, None, 10.0),
        (6, 6, 10, 10.0, None, None),
        (0, 10, 10, 50.0, None, 0.0),
        (0, 2, 10, 10.0, 30.0, 20.0),
        (0, 2, 10, 10.0, 300.0, 40.0),
        (0, 0, 10, 10.0, 30.0, 20.0),
        (0, 2, 10, 40.0, 30.0, 0.0),
    ],
)
def test_the_time_left_follows_from_the_trials_of_this_start(
    known: int,
    done: int,
    total: int,
    elapsed_s: float,
    limit_s: float | None,
    left_s: float | None,
) -> None:
    expected = Tally(done, total, elapsed_s, left_s)
    assert tally(known, done, total, elapsed_s, limit_s) == expected


def test_the_start_is_not_spread_over_the_trials() -> None:
    """Workers take 20 s to start; then two of them do a trial of 10 s each after the other."""
    view, clock, _ = view_of(is_terminal=False, trials=20)
    view.sweep_started((CPU,), [])
    clock.now_s += 30
    for number in range(2):
        view.trial_finished(row(number, 0.9, training_s=10.0))
    assert view._tally().left_s == pytest.approx(90)


def test_without_a_terminal_every_trial_that_ends_is_a_line() -> None:
    view, clock, out = view_of(is_terminal=False)
    with view:
        view.sweep_started((GPU, CPU), [])
        for number in range(3):
            view.trial_started(number, CONFIG, CPU)
        view.trial_reported(0, 1, 0.5)
        clock.now_s += 65
        view.trial_finished(row(0, 0.9))
        view.trial_finished(row(1, 0.8, status=TrialStatus.STOPPED, epochs_run=3))
        message = "loss [bold]nan[/] in a very long message " + "x" * 100
        failed = {"status": TrialStatus.FAILED, "error_kind": "diverged", "epochs_run": 0}
        view.trial_finished(row(2, None, error_message=message, **failed))
    assert out.getvalue().splitlines() == [
        "4 trials; worker slots: 1 gpu, 2 cpu",
        "[1/4, 1:05] trial 0 complete after 10 epochs: 0.9000; best 0.9000 (trial 0)",
        "[2/4, 1:05] trial 1 stopped after 3 epochs: 0.8000; best 0.9000 (trial 0)",
        f"[3/4, 1:05] trial 2 failed after 0 epochs: {message}; best 0.9000 (trial 0)",
    ]


def test_beside_a_log_loss_stands_the_accuracy() -> None:
    view, _, out = view_of(is_terminal=False)
    view.sweep_started((CPU,), [row(0, 0.2, objective="val_loss", val_accuracy=0.934)])
    view.trial_finished(row(1, 0.07, objective="val_loss", val_accuracy=0.967))
    assert out.getvalue().splitlines()[1] == (
        "[2/4, 0:00] trial 1 complete after 10 epochs: 0.0700 at 96.7%; "
        "best 0.0700 at 96.7% (trial 1)"
    )


def test_what_was_done_before_counts() -> None:
    view, _, out = view_of(is_terminal=False)
    view.sweep_started((CPU,), [row(0, 0.7), row(1, 0.95)])
    view.trial_started(2, CONFIG, CPU)
    view.trial_finished(row(2, 0.8))
    assert out.getvalue().splitlines() == [
        "4 trials, 2 done before; worker slots: 2 cpu",
        "[3/4, 0:00] trial 2 complete after 10 epochs: 0.8000; best 0.9500 (trial 1)",
    ]


def test_only_complete_trials_can_be_the_best() -> None:
    view, _, out = view_of(is_terminal=False)
    view.sweep_started((CPU,), [])
    view.trial_finished(row(0, 0.99, status=TrialStatus.STOPPED))
    assert out.getvalue().splitlines()[-1].endswith("best none yet")


def test_a_terminal_shows_the_trials_that_run() -> None:
    view, clock, out = view_of(is_terminal=True)
    with view:
        view.sweep_started((GPU, CPU), [])
        view.trial_started(7, CONFIG, GPU)
        view.trial_started(8, CONFIG, CPU)
        view.trial_reported(7, 3, 0.8765)
        view.trial_finished(row(6, 0.9))
        clock.now_s += 30
    shown = out.getvalue()
    last = shown[shown.rindex("best so far") - 200 :]
    for text in ("1/4 trials", "0:30", "about 1:30 left", "0.9000 (trial 6)"):
        assert text in last
    cells = [line.split() for line in last.splitlines()]
    assert "workers busy: 1 of 1 gpu, 1 of 2 cpu" in last
    assert ["7", "gpu", "3/10", "0.8765", "0.012", "8"] in cells
    assert ["8", "cpu", "0/10", "-", "0.012", "8"] in cells
    assert "complete after" not in shown


@pytest.mark.parametrize("objective", ["val_accuracy", "val_loss"])
def test_a_terminal_shows_how_the_best_became_better(objective: str) -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    view = ProgressView(make_spec(objective=objective), console)
    scores = (0.5, 0.65, 0.6, 0.9)
    known = [s if objective == "val_accuracy" else 1 - s for s in scores]
    with view:
        view.sweep_started((CPU,), [row(n, s, objective=objective) for n, s in enumerate(known)])
    assert "(trial 3)  ▁▄▄█" in out.getvalue()


def test_a_terminal_shows_at_most_twenty_trials() -> None:
    view, _, out = view_of(is_terminal=True, trials=100)
    with view:
        for number in range(50):
            view.trial_started(number, CONFIG, CPU)
    last = out.getvalue()[out.getvalue().rindex("best so far") :]
    assert sum("cpu" in line for line in last.splitlines()) == 20


def test_before_ray_is_up_the_terminal_says_so() -> None:
    view, _, out = view_of(is_terminal=True)
    with view:
        pass
    assert "starting the workers ..." in out.getvalue()


def test_without_a_terminal_nothing_is_drawn() -> None:
    view, _, out = view_of(is_terminal=False)
    with view:
        view.trial_started(0, CONFIG, CPU)
    assert out.getvalue() == ""


HALF_WAY = FinalsStanding(2, 5, taking_part=8, answered=4, leader=3, loss=0.07, accuracy=0.98)
LEADS = "; trial 3 leads: 98.0%, log-loss 0.0700"


def test_finals_are_a_line_a_repeat_where_there_is_no_terminal() -> None:
    view, _, out = view_of(is_terminal=False)
    view.finals_went_on(HALF_WAY)
    assert out.getvalue() == ""
    view.finals_went_on(replace(HALF_WAY, answered=8))
    told = f"Finals, repeat 2 of at most 5: 8 of 8 finalists have answered{LEADS}\n"
    assert out.getvalue() == told


def test_finals_take_the_place_of_the_trials_on_a_terminal() -> None:
    view, clock, out = view_of(is_terminal=True)
    with view:
        view.finals_went_on(HALF_WAY)
        clock.now_s += 65
    last = out.getvalue()
    assert "test, finals" in last
    assert f"repeat 2 of at most 5: 4 of 8 finalists have answered{LEADS}" in last
    assert "1:05" in last
