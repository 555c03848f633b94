"""The private parts of Ray that are used, each in one function; a test says that they exist."""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from ray._private.state import state
from ray.experimental import internal_kv

logger = logging.getLogger(__name__)

_BEGUN = b"antsbees-begun"


def draining_nodes() -> Collection[str]:
    """Return Ray's names of the nodes that are about to be taken away.

    A Ray that does not tell has such a node fail like any other.
    """
    try:
        return frozenset(state.get_draining_nodes())
    except AttributeError:
        return frozenset()


def name_folder(trial: Any) -> None:
    """Name the folder of a trial that may end before it was begun.

    Ray names it with the first worker, and asks every trial for it at the end; it raises where
    there is none.
    """
    with suppress(AttributeError):
        trial.init_local_path()


def waits_for_room(tune_controller: Any, trial: Any) -> bool:
    """Tell whether a trial's worker has not been given its resources yet."""
    controller = tune_controller._tune_controller
    try:
        actor = controller._trial_to_actor.get(trial)
        return actor is not None and not controller._actor_manager.is_actor_started(actor)
    except AttributeError:
        return False


def forget_scores(asha: Any, trial_id: str) -> None:
    """Take what a trial scored out of the rungs of Ray's ASHA; in a Ray without them it counts."""
    with suppress(AttributeError):
        for bracket in asha._brackets:
            for _, scores in bracket._rungs:
                scores.pop(trial_id, None)


def keep_one_worker_more(tune_controller: Any, request: Any) -> None:
    """Let Ray's controller keep one worker more for a resource request.

    A Ray without the number only loses the warmth.
    """
    try:
        tune_controller._tune_controller._actor_cache.increase_max(request)
    except AttributeError:
        logger.warning("this Ray does not let workers be kept; they may be started again")


def keep_no_workers(tune_controller: Any, request: Any, kept: int) -> None:
    """Let Ray's controller keep those workers no longer, as many as were asked to be kept."""
    with suppress(AttributeError):
        tune_controller._tune_controller._actor_cache.decrease_max(request, by=kept)


def tell_begun(key: str) -> None:
    """Leave word with the head of Ray that a task has begun; to be called in its worker."""
    with suppress(AttributeError):
        internal_kv._internal_kv_put(key, b"1", namespace=_BEGUN)


def has_begun(key: str) -> bool:
    """Tell whether a task has left word that it has begun.

    Where a Ray keeps no such words, every task counts as begun.
    """
    try:
        return bool(internal_kv._internal_kv_exists(key, namespace=_BEGUN))
    except AttributeError:
        return True


def allow_pending(tune_controller: Any, num_trials: int) -> None:
    """Let so many trials of Ray's controller wait for their workers at once.

    The controller reads ``TUNE_MAX_PENDING_TRIALS_PG`` once, when it is made
    (https://github.com/ray-project/ray/issues/43451), and slots may become more.
    """
    try:
        tune_controller._tune_controller.update_max_pending_trials(num_trials)
    except AttributeError:
        logger.warning("this Ray does not let more trials wait than at its start")
