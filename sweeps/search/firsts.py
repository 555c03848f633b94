"""First tries: what the spec wants tried before the search, and what of it the study has."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict, deque

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from sweeps.search.space import FIRST, GIVEN, SearchSpace
from sweeps.spec.models import SweepSpec

WRITTEN = "written"  # a trial's attribute: the first try as the spec has it, without its name


def keep_in_step(
    study: optuna.Study, storage: BaseStorage, spec: SweepSpec, space: SearchSpace
) -> None:
    """Make the study have each first try of the spec once: enqueue what it lacks, drop the rest.

    What a new study needs is what one needs whose process was killed before it had them all, or
    whose spec has changed since. What was begun stays; it is a trial like any other.
    """
    known: dict[str, deque[FrozenTrial]] = defaultdict(deque)
    for trial in study.get_trials(deepcopy=False):
        if WRITTEN in trial.user_attrs and not is_dropped(trial):
            known[trial.user_attrs[WRITTEN]].append(trial)
    for number, first in enumerate(spec.firsts, start=1):
        plain = first.model_dump(mode="json", exclude_none=True, exclude={"name"})
        written = json.dumps(plain, sort_keys=True)
        if known[written]:
            known[written].popleft()
            continue
        params, given = space.divide(first)
        label = first.name or f"first {number}"
        study.enqueue_trial(params, user_attrs={GIVEN: given, FIRST: label, WRITTEN: written})
    study_id = storage.get_study_id_from_name(study.study_name)
    for trial in itertools.chain.from_iterable(known.values()):
        if trial.state is TrialState.WAITING:
            trial_id = storage.get_trial_id_from_study_id_trial_number(study_id, trial.number)
            storage.set_trial_state_values(trial_id, TrialState.FAIL)


def is_dropped(trial: FrozenTrial) -> bool:
    """Tell whether a first try left the spec before it had begun."""
    return trial.state is TrialState.FAIL and trial.datetime_start is None
