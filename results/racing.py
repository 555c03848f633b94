"""Whether a finalist that is behind on the folds so far can be given up.

Source: Nadeau and Bengio (2003), https://doi.org/10.1023/A:1024068626366, for the standard error of
results on folds that share images.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

_T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
)  # fmt: skip
"""Student's quantile for 1 to 24 degrees of freedom."""
_Z_975 = 1.96


def corrected_standard_error(values: Sequence[float], test_to_train: float) -> float:
    """Return the standard error of a mean over folds, corrected for what they share.

    Args:
        values: One for each fold of each repeat.
        test_to_train: Images a fold is tested on, for each it is trained on; 1 / (k - 1) for k.

    Raises:
        ValueError: There are fewer than two values, or the ratio is not positive.
    """
    if len(values) < 2:
        raise ValueError(f"a standard error needs at least 2 values, got {len(values)}")
    if not test_to_train > 0:
        raise ValueError(f"test_to_train must be above 0, got {test_to_train}")
    return math.sqrt((1 / len(values) + test_to_train) * statistics.variance(values))


def is_behind(
    losses: Sequence[float], leader_losses: Sequence[float], test_to_train: float
) -> bool:
    """Tell whether losses on the same folds are above the leader's by more than chance.

    Raises:
        ValueError: The folds are not the same, or as ``corrected_standard_error``.
    """
    if len(losses) != len(leader_losses):
        raise ValueError(
            f"both must have the same folds, got {len(losses)} and {len(leader_losses)}"
        )
    behind = [loss - leads for loss, leads in zip(losses, leader_losses, strict=True)]
    error = corrected_standard_error(behind, test_to_train)
    degrees = len(behind) - 1
    quantile = _T_975[degrees - 1] if degrees <= len(_T_975) else _Z_975
    return statistics.fmean(behind) > quantile * error
