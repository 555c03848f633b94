"""The private parts of Ray that are used exist in this Ray."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray import _raylet
from ray._private.state import GlobalState
from ray.air.execution._internal import RayActorManager
from ray.experimental import internal_kv
from ray.train._internal.storage import StorageContext
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.utils.object_cache import _ObjectCache

from sweeps.running import private


def test_ray_tells_of_draining_nodes() -> None:
    assert callable(GlobalState.get_draining_nodes)


def test_the_cap_on_pending_trials_and_the_number_of_workers_kept_can_be_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(os.environ, "TUNE_MAX_PENDING_TRIALS_PG", raising=False)
    controller: Any = TuneController.__new__(TuneController)
    controller._actor_cache = cache = _ObjectCache(may_keep_one=True)
    wrapped = SimpleNamespace(_tune_controller=controller)
    private.allow_pending(wrapped, 7)
    assert controller._max_pending_trials == 7
    private.keep_one_worker_more(wrapped, "request")
    assert cache.total_max_objects == 1
    private.keep_no_workers(wrapped, "request", 1)
    assert cache.total_max_objects == 0


def test_ray_tells_whether_a_worker_has_its_resources() -> None:
    manager: Any = RayActorManager.__new__(RayActorManager)
    manager._live_actors_to_ray_actors_resources, manager._failed_actor_ids = {}, set()
    controller = SimpleNamespace(_trial_to_actor={"trial": "actor"}, _actor_manager=manager)
    wrapped = SimpleNamespace(_tune_controller=controller)
    assert private.waits_for_room(wrapped, "trial")
    assert not private.waits_for_room(wrapped, "another")
    manager._live_actors_to_ray_actors_resources["actor"] = None
    manager._failed_actor_ids = {"actor"}


def test_a_trial_that_never_began_has_a_folder_when_ray_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ray.train._internal.storage._get_ray_train_session_dir", lambda: str(tmp_path)
    )
    storage = StorageContext(storage_path=str(tmp_path), experiment_dir_name="tune")
    trial = Trial("never begun", stub=True, storage=storage)
    with pytest.raises(RuntimeError, match="without setting `trial_dir_name`"):
        _ = trial.storage.trial_fs_path
    private.name_folder(trial)
    assert trial.storage.trial_fs_path.startswith(str(tmp_path / "tune"))


class FakeHead:
    """What the head of Ray is asked to keep."""

    def __init__(self) -> None:
        self.kept: set[tuple[bytes, bytes]] = set()

    def internal_kv_put(self, key: bytes, value: bytes, overwrite: bool, namespace: bytes) -> int:
        self.kept.add((key, namespace))
        return 1

    def internal_kv_exists(self, key: bytes, namespace: bytes) -> bool:
        return (key, namespace) in self.kept


def test_a_task_leaves_word_that_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(internal_kv, "global_gcs_client", FakeHead())
    assert not private.has_begun("a")
    private.tell_begun("a")
    assert (private.has_begun("a"), private.has_begun("b")) == (True, False)
    client = vars(_raylet)["InnerGcsClient"]  # no type is known of it
    assert callable(client.internal_kv_put)
    assert callable(client.internal_kv_exists)


def test_a_ray_without_them_is_done_without() -> None:
    private.tell_begun("a")  # nothing is connected
    assert private.has_begun("a")
    private.allow_pending(SimpleNamespace(), 7)
    private.keep_one_worker_more(SimpleNamespace(), "request")
