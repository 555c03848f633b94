"""What a sweep makes of lanes and workers that fail, on a Ray whose GPU is only declared."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from antsbees.config import TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.data.folder import read_folder
from results.leaderboard import Leaderboard
from results.schema import TrialRecord, TrialStatus
from sweeps.errors import RunError
from sweeps.paths import RunPaths
from sweeps.running.driver import run_sweep
from sweeps.running.lanes import Lane
from sweeps.spec.models import SweepSpec
from tests.whole.tiny_sweep import Witness, tiny_spec

ENDED = (TrialStatus.COMPLETE, TrialStatus.STOPPED)


@pytest.fixture(scope="module", autouse=True)
def _one_ray() -> Iterator[None]:
    """One Ray for all tests of this module, with a GPU that is only declared."""
    ray.init("local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def one_cpu_slot(spec: SweepSpec) -> SweepSpec:
    lanes = {"gpu": {"slots": 0}, "cpu": {"slots": 1}}
    return spec.model_copy(update={"lanes": type(spec.lanes).model_validate(lanes)})


def test_with_default_lanes_and_a_gpu_that_does_not_work_all_trials_end_on_the_cpu(
    tiny_dataset: Dataset, paths: RunPaths
) -> None:
    witness = Witness()
    outcome = run_sweep(tiny_spec(trials=8), tiny_dataset, paths, witness)
    assert [r.trial_number for r in outcome.records] == list(range(8))
    assert {r.status for r in outcome.records} <= set(ENDED)
    assert {r.lane for r in outcome.records} == {"cpu"}
    (sentence,) = witness.notes
    assert sentence.startswith("the gpu lane was closed, since its trials keep failing")
    assert sentence.endswith("they go to the cpu lane")
    assert [lane.kind for lane in witness.lanes] == ["gpu", "cpu"]


class Killer(Witness):
    """Kills the worker of the first trial that reports or ends, up to a number of times."""

    def __init__(self, times: int, when: str) -> None:
        super().__init__()
        self.times, self.when = times, when
        self.pids: list[int] = []

    def kill(self, pid: int) -> None:
        if self.times:
            self.times -= 1
            self.pids.append(pid)
            os.kill(pid, signal.SIGKILL)

    def trial_started(self, number: int, config: TrialConfig, lane: Lane) -> None:
        super().trial_started(number, config, lane)
        if self.when == "placed" and self.finished:
            self.kill(self.finished[-1].worker_pid or 0)

    def trial_finished(self, record: TrialRecord) -> None:
        super().trial_finished(record)
        if self.when == "idle":
            self.kill(record.worker_pid or 0)


def test_an_idle_worker_that_died_does_not_fail_the_next_trial(
    tiny_dataset: Dataset, paths: RunPaths
) -> None:
    killer = Killer(times=1, when="idle")
    outcome = run_sweep(one_cpu_slot(tiny_spec(trials=3)), tiny_dataset, paths, killer)
    assert len(killer.pids) == 1
    assert [r.trial_number for r in outcome.records] == [0, 1, 2]
    assert {r.status for r in outcome.records} <= set(ENDED)
    assert len({r.worker_pid for r in outcome.records}) == 2


def test_images_that_are_gone_end_the_sweep_after_a_few_trials_with_one_sentence(
    tiny_folder: Path, tmp_path: Path, paths: RunPaths
) -> None:
    folder = tmp_path / "images"
    shutil.copytree(tiny_folder, folder)
    dataset = read_folder(folder)
    shutil.rmtree(folder)
    witness = Witness()
    changed = Dataset(**vars(dataset) | {"fingerprint": "0" * 64})
    with pytest.raises(RunError) as caught:
        run_sweep(one_cpu_slot(tiny_spec(trials=30)), changed, paths, witness)
    told = str(caught.value)
    assert told.startswith("the sweep ended, since no trial can be run")
    assert told.endswith("(0 trials are in the leaderboard; run the same command again to go on)")
    assert len(witness.started) <= 4
    assert "tiny" not in Leaderboard(paths.leaderboard).sweeps()
