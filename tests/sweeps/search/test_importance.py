"""What decided is found, with how sure that is."""

from __future__ import annotations

import random
from dataclasses import replace

from results.schema import TrialRecord, TrialStatus
from sweeps.search.importance import FEWEST_TRIALS, importances, on_log_scale
from tests.sweeps.sweep_fakes import WIDE_SPACE, make_spec, row

SPEC = make_spec(WIDE_SPACE)


def trials(count: int) -> list[TrialRecord]:
    """Rows whose score is that of their momentum; nothing else matters."""
    draw = random.Random(0)
    found = []
    for number in range(count):
        momentum = draw.uniform(0.5, 0.99)
        changes = {
            "lr": 10 ** draw.uniform(-4, -0.5), "momentum": momentum,
            "weight_decay": draw.choice([0, 1e-4, 1e-2]),
            "schedule": "step", "step_size": draw.randint(1, 5), "gamma": draw.uniform(0.1, 0.9),
            "final_fraction": None,
        }  # fmt: skip
        status = TrialStatus.STOPPED if number % 3 == 0 else TrialStatus.COMPLETE
        found.append(row(number, momentum, status=status, **changes))
    return found


def test_what_decides_is_the_most_important_and_surely_so() -> None:
    found = importances(SPEC, trials(60), bootstraps=8)
    first, second, *_ = found
    assert first.name == "momentum"
    assert first.low > second.share
    assert {"gamma", "step_size"} <= {importance.name for importance in found}
    for importance in found:
        assert 0 <= importance.low <= importance.share <= importance.high <= 1


def test_the_same_rows_give_the_same_importances() -> None:
    known = trials(30)
    assert importances(SPEC, known, bootstraps=3) == importances(SPEC, known, bootstraps=3)


def test_of_a_few_trials_nothing_is_said() -> None:
    known = trials(FEWEST_TRIALS)
    assert importances(SPEC, known[1:]) == ()
    unscored = replace(known[0], score=None, status=TrialStatus.FAILED)
    assert importances(SPEC, [unscored, *known[1:]]) == ()


def test_the_scales_are_the_spaces() -> None:
    assert on_log_scale(SPEC) == {"lr"}
