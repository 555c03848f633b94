"""Who takes part in finals, who has answered, who leads."""

from __future__ import annotations

from results.finals import FoldRecord
from sweeps.finals.standing import standing


def fold(trial: int, repeat: int, number: int, loss: float, images: int = 2) -> FoldRecord:
    return FoldRecord(
        sweep="ants", trial_number=trial, repeat=repeat, fold=number, num_folds=2, score=0.5,
        accuracy=1 / images, loss=loss, seconds=1.0, images=list(range(images)),
        labels=[0] * images, probabilities=[[0.5, 0.5]] * images,
    )  # fmt: skip


def test_before_anybody_answered_nobody_leads() -> None:
    found = standing([1, 2], 0, 5, [])
    assert (found.answered, found.leader) == (0, None)
    assert found.sentence == "repeat 1 of at most 5: 0 of 2 finalists have answered"


def test_the_least_log_loss_leads_and_accuracy_is_over_images() -> None:
    rows = [
        fold(1, 0, 0, 0.4),
        fold(1, 0, 1, 0.2, images=8),
        fold(2, 0, 0, 0.9),
        fold(2, 0, 1, 0.1),
    ]
    found = standing([1, 2, 3], 0, 5, rows)
    assert found.sentence == (
        "repeat 1 of at most 5: 2 of 3 finalists have answered; trial 1 leads: 20.0%, "
        "log-loss 0.3000"
    )


def test_who_lacks_a_fold_has_not_answered_and_does_not_lead() -> None:
    rows = [fold(1, 0, 1, 0.1), fold(2, 0, 0, 0.9), fold(2, 0, 1, 0.1)]
    found = standing([1, 2, 3], 0, 5, rows)
    assert (found.answered, found.leader) == (1, 2)


def test_a_single_good_repeat_does_not_lead_those_with_two() -> None:
    rows = [fold(n, r, f, 0.5) for n in (1, 2) for r in (0, 1) for f in (0, 1)]
    rows += [fold(3, 0, f, 0.1) for f in (0, 1)]
    found = standing([1, 2, 3], 1, 5, rows)
    assert (found.repeat, found.answered, found.leader) == (2, 2, 1)
