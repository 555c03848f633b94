"""What a sweep makes of machines that go: a real Ray of several nodes on this one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
import ray
from ray.cluster_utils import Cluster

from antsbees.config import TrialConfig
from antsbees.data.datasets import Dataset
from results.schema import TrialRecord, TrialStatus
from sweeps.errors import RunError
from sweeps.paths import RunPaths
from sweeps.running.driver import run_sweep
from sweeps.running.lanes import Lane
from sweeps.spec.models import SweepSpec
from tests.whole.tiny_sweep import Witness, tiny_spec

ENDED = (TrialStatus.COMPLETE, TrialStatus.STOPPED)


@contextmanager
def cluster_of_two(head_cpus: int) -> Iterator[tuple[Cluster, object]]:
    """A head, and a node with the only GPU, which is declared."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": head_cpus, "include_dashboard": False}
    )
    node = cluster.add_node(num_cpus=1, num_gpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        yield cluster, node
    finally:
        ray.shutdown()
        cluster.shutdown()


def with_a_gpu_lane_on_the_cpu(spec: SweepSpec, **search: object) -> SweepSpec:
    gpu = spec.lanes.gpu.model_copy(update={"device": "cpu"})
    lanes = spec.lanes.model_copy(update={"gpu": gpu})
    return spec.model_copy(update={"lanes": lanes, "search": spec.search.model_copy(update=search)})


class Remover(Witness):
    """Removes a node once a trial has reported from the GPU lane."""

    def __init__(self, cluster: Cluster, node: object) -> None:
        super().__init__()
        self.cluster, self.node = cluster, node
        self.removed = False
        self.in_gpu_lane: set[int] = set()

    def trial_started(self, number: int, config: TrialConfig, lane: Lane) -> None:
        super().trial_started(number, config, lane)
        if lane.kind == "gpu":
            self.in_gpu_lane.add(number)

    def trial_reported(self, number: int, epoch: int, score: float) -> None:
        super().trial_reported(number, epoch, score)
        if number in self.in_gpu_lane and not self.removed:
            self.removed = True
            self.cluster.remove_node(self.node, allow_graceful=False)


class Newcomers(Remover):
    """Notes when the first trial was placed on a machine that had not been there at the start."""

    def __init__(self, cluster: Cluster, node: object) -> None:
        super().__init__(cluster, node)
        self.at_first = {each.node_id for each in cluster.list_all_nodes()}
        self.joined = threading.Event()
        self.joined_s = 0.0
        self.began_s: float | None = None

    def trial_started(self, number: int, config: TrialConfig, lane: Lane) -> None:
        super().trial_started(number, config, lane)
        if self.began_s is None and lane.node is not None and lane.node.id not in self.at_first:
            self.began_s = time.monotonic()

    def trial_finished(self, record: TrialRecord) -> None:
        """Hold a fast sweep up until the other machine is there."""
        super().trial_finished(record)
        if len(self.finished) == 15:
            self.joined.wait(60)

    def join_another(self) -> None:
        """Wait for the machine with the GPU to be gone, and bring one without."""
        until_s = time.monotonic() + 60
        while not self.removed and time.monotonic() < until_s:
            time.sleep(0.05)
        self.cluster.add_node(num_cpus=1)
        self.joined_s = time.monotonic()
        self.joined.set()


def test_machines_come_and_go_and_the_sweep_ends_with_all_its_trials(
    tiny_dataset: Dataset, paths: RunPaths
) -> None:
    with cluster_of_two(head_cpus=1) as (cluster, node), ThreadPoolExecutor() as threads:
        newcomers = Newcomers(cluster, node)
        spec = with_a_gpu_lane_on_the_cpu(tiny_spec(trials=30))
        sweep = threads.submit(run_sweep, spec, tiny_dataset, paths, newcomers)
        newcomers.join_another()
        outcome = sweep.result()
    assert [lane.kind for lane in newcomers.lanes] == ["gpu", "cpu"]
    assert newcomers.began_s is not None
    assert newcomers.began_s - newcomers.joined_s < 10
    assert [r.trial_number for r in outcome.records] == list(range(30))
    assert {r.status for r in outcome.records} <= set(ENDED)
    assert outcome.records[-1].lane == "cpu"


def test_a_sweep_ends_with_a_sentence_when_no_machine_is_left_for_it(
    tiny_dataset: Dataset,
    paths: RunPaths,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sweeps.running.opening.NO_MACHINE_S", 4.0)
    with cluster_of_two(head_cpus=0) as (cluster, node):
        remover = Remover(cluster, node)
        spec = with_a_gpu_lane_on_the_cpu(tiny_spec(trials=100), minutes=10.0)
        began_s = time.monotonic()
        capfd.readouterr()
        with pytest.raises(RunError, match="no machine is left that could run a trial"):
            run_sweep(spec, tiny_dataset, paths, remover)
        assert tuple(capfd.readouterr()) == ("", "")  # Ray's words go to the log
    assert remover.removed
    assert time.monotonic() - began_s < 120


def test_a_node_with_other_images_runs_no_trial_and_is_named(
    tiny_dataset: Dataset, paths: RunPaths
) -> None:
    """The GPU's node is another one than the driver's; its images are not those of the sweep."""
    witness = Witness()
    with cluster_of_two(head_cpus=1):
        spec = with_a_gpu_lane_on_the_cpu(tiny_spec(trials=6, travel_gb=0))
        changed = replace(tiny_dataset, fingerprint="1" * 64)
        outcome = run_sweep(spec, changed, paths, witness)
    assert [r.trial_number for r in outcome.records] == list(range(6))
    assert {(r.lane, r.status in ENDED) for r in outcome.records} == {("cpu", True)}
    (sentence,) = witness.notes
    assert "gets no more trials, since its trials keep failing" in sentence
    assert "ImagesDifferError: this node has other images than the driver" in sentence
