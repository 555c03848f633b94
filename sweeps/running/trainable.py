"""The Ray Trainable around ``antsbees.training``: one worker, warm from trial to trial."""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray import tune
from ray.tune import PlacementGroupFactory

from antsbees.config import Precision, TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.errors import DivergedError
from antsbees.frozen.holding import Holder
from antsbees.storage import cache_folder
from results.schema import Objective
from sweeps.paths import state_file
from sweeps.running.health import DIVERGED
from sweeps.running.messages import Epoch, Facts, Proposal, Report
from sweeps.running.shipping import Shipment, images_here
from sweeps.running.visible import hide_gpus

if TYPE_CHECKING:
    from antsbees.bench import Bench
    from antsbees.evaluation import Evaluation
    from antsbees.machine.memory import PeakMemory
    from antsbees.training import EpochMetrics, Training
    from antsbees.unfinished import Unfinished

BENCHES_BYTES = 256 * 2**20  # of backbones: three small ones, or one or two large ones
KEPT_EVERY_S = 60.0  # of a trial: what runs for less begins again after an interruption
STEP_S = 1.0  # epochs shorter than this are reported together


@dataclass(frozen=True)
class Job:
    """What every worker of a sweep is given once.

    Args:
        tasks: One for each backbone.
        rungs: Epochs at which the scheduler wants to see a trial.
        cache_folder: Absolute; ``None`` keeps nothing between trials.
        driver_node: Ray's name of the node whose images ``dataset`` was read from.
        shipment: Those images, for nodes that lack them; ``None`` where there is one node.
        unfinished: Absolute; the folder for the states of long trials; ``None`` keeps none.
        kept_every_s: Of a trial, after which its state is kept.
    """

    tasks: tuple[TaskConfig, ...]
    dataset: Dataset
    objective: Objective
    rungs: frozenset[int]
    precision: Precision
    inference_precision: Precision
    fast_layers: bool
    cache_folder: Path | None
    cache_max_bytes: int
    driver_node: str
    shipment: Shipment | None = None
    unfinished: Path | None = None
    kept_every_s: float = KEPT_EVERY_S


class FineTuning(tune.Trainable):
    """Trains one configuration after another in one process; Ray's ``config`` is a ``Proposal``."""

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> PlacementGroupFactory:
        """Ask for what the trial's lane, chosen by the searcher, asks for, on its machine."""
        if config["node_id"] is None:
            return PlacementGroupFactory([config["resources"]])
        selector = {"ray.io/node-id": config["node_id"]}
        return PlacementGroupFactory([config["resources"]], bundle_label_selector=[selector])

    def setup(self, config: dict[str, Any], job: Job | None = None) -> None:
        """Keep the job, and begin the first trial."""
        if job is None:
            raise TypeError("a FineTuning worker needs a job")
        self._bench: Bench | None = None
        self._benches: Holder[Bench] = Holder(BENCHES_BYTES, lambda bench: bench.num_bytes)
        self._job = job
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same, warm process."""
        self.config = new_config
        self._training: Training | None = None
        self._unfinished: Unfinished | None = None
        self._restored = 0
        self._evaluation: Evaluation | None = None
        self._memory: PeakMemory | None = None
        self._started_at_s = time.time()
        return True

    def step(self) -> dict[str, Any]:
        """Run epochs up to the next rung, or for a second.

        A failure is a result, not an exception: it becomes the trial's row, and the worker lives.
        The epochs before it are kept.
        """
        epochs: list[EpochMetrics] = []
        try:
            self._advance(epochs)
        except DivergedError as error:
            report = self._report(epochs, DIVERGED, str(error))
        except Exception as error:
            logging.getLogger(__name__).exception("a trial failed")
            report = self._report(epochs, type(error).__name__, str(error) or repr(error))
        else:
            report = self._report(epochs)
        return report.to_plain()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save nothing: a trial that was interrupted is another one to Ray; see ``Unfinished``."""

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Load nothing; see ``save_checkpoint``."""

    def _advance(self, epochs: list[EpochMetrics]) -> None:
        training, began = self._training, time.perf_counter()
        if training is None:
            training = self._training = self._begin()
            if self._unfinished is not None and self._unfinished.go_on(training):
                epochs += training.curve
                self._restored = training.epoch
                self._evaluation = training.evaluation
                return
        while True:
            metrics = training.run_epoch()
            epochs.append(metrics)
            self._evaluation = training.evaluation  # a diverged epoch's is not kept
            over = training.epoch == training.config.epochs
            if self._unfinished is not None and not over:
                self._unfinished.completed(training)
            if over or training.epoch in self._job.rungs or time.perf_counter() - began > STEP_S:
                return

    def _begin(self) -> Training:
        from antsbees.machine.devices import divide_memory

        proposal = Proposal.from_plain(self.config)
        task = task_of_trial(self._job, proposal.trial)
        if self._bench is None:
            self._job = settled(self._job)
        bench = self._benches.find(task.backbone)
        self._bench = bench or bench_of(self._job, task, proposal.device, proposal.threads)
        self._benches.keep(task.backbone, self._bench)
        divide_memory(self._bench.execution, proposal.resources.get("GPU", 1.0))
        self._memory = _peak_memory(proposal.device)
        self._unfinished = unfinished(self._job, proposal.number)
        return self._bench.training(proposal.trial)

    def _report(
        self, epochs: list[EpochMetrics], kind: str | None = None, message: str | None = None
    ) -> Report:
        reached = tuple(Epoch(**asdict(metrics)) for metrics in epochs)
        training = self._training
        over = training is not None and training.epoch == training.config.epochs
        return Report(
            done=over or kind is not None,
            epoch=reached[-1].epoch if reached else 0,
            score=getattr(reached[-1], str(self._job.objective)) if reached else None,
            epochs=reached,
            facts=self._facts(),
            probabilities=self._evaluation.probabilities.tolist()
            if reached and self._evaluation
            else None,
            restored=self._restored,
            error_kind=kind,
            error_message=message,
        )

    def _facts(self) -> Facts:
        computed: dict[str, Any] = {}
        if self._bench is not None:
            fast_layers = self._bench.backbone.fast_layers
            computed = {**self._bench.facts, "fast_layers": fast_layers}
            computed["library_versions"] = _versions()
        return Facts(
            started_at_s=self._started_at_s,
            node=socket.gethostname(),
            worker_pid=os.getpid(),
            peak_memory_bytes=None if self._memory is None else self._memory.num_bytes,
            micro_batch=None if self._training is None else self._training.micro_batch,
            **computed,
        )


def settled(job: Job) -> Job:
    """Return a job as this node can do it: with images that are here, and the node's own cache.

    Raises:
        ImagesDifferError: There are no images here, and they did not travel.
    """
    if ray.get_runtime_context().get_node_id() == job.driver_node:
        return job
    folder = None if job.cache_folder is None else cache_folder()
    dataset = images_here(job.dataset, job.shipment, folder, ray.get)
    return replace(job, dataset=dataset, cache_folder=folder)


def unfinished(job: Job, number: int) -> Unfinished | None:
    """Return where a trial's state is kept: in the sweep's folder, if this machine reaches it."""
    if job.unfinished is None or not os.path.isdir(job.unfinished.parent):
        return None
    from antsbees.unfinished import Unfinished

    return Unfinished(state_file(job.unfinished, number), job.kept_every_s)


def task_of_trial(job: Job, trial: TrialConfig) -> TaskConfig:
    """Return the task of the trial's backbone."""
    return next(task for task in job.tasks if trial.backbone in (None, task.backbone))


def bench_of(job: Job, task: TaskConfig, device: str, threads: int) -> Bench:
    """Set a worker's bench up."""
    hide_gpus(device)
    from antsbees.bench import Bench
    from antsbees.machine.devices import Execution

    execution = Execution(device, threads, job.precision, job.inference_precision, job.fast_layers)
    return Bench.sharing(job.dataset, task, execution, job.cache_folder, job.cache_max_bytes)


def _peak_memory(device: str) -> PeakMemory:
    """Count a trial's memory from now on, on the device it computes on."""
    from antsbees.machine.devices import Execution
    from antsbees.machine.memory import PeakMemory

    return PeakMemory(Execution(device))


def _versions() -> str:
    from antsbees.machine.versions import library_versions

    return library_versions("ray", "optuna")
