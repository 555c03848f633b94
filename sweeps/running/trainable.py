"""The Ray Trainable around ``antsbees.training``: one worker, warm from trial to trial."""

from __future__ import annotations

import logging
import os
import resource
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune
from ray.tune import PlacementGroupFactory

from antsbees.config import Precision, TaskConfig, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.errors import DivergedError
from results.schema import Objective

if TYPE_CHECKING:
    from antsbees.bench import Bench
    from antsbees.training import Training

STEP_S = 1.0  # epochs shorter than this are reported together
FAILED_ERROR = "error"
DIVERGED = "diverged"


@dataclass(frozen=True)
class Job:
    """What every worker of a sweep is given once.

    Args:
        rungs: Epochs at which the scheduler wants to see a trial.
        cache_folder: Absolute; ``None`` keeps nothing between trials.
    """

    task: TaskConfig
    dataset: Dataset
    objective: Objective
    rungs: frozenset[int]
    precision: Precision
    inference_precision: Precision
    cache_folder: Path | None
    cache_max_bytes: int


class FineTuning(tune.Trainable):
    """Trains one configuration after another in one process.

    Ray's ``config`` holds ``trial`` (a ``TrialConfig`` as plain values), ``device``, ``threads``
    and ``resources``.
    """

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> PlacementGroupFactory:
        """Ask for what the trial's lane, chosen by the searcher, asks for."""
        return PlacementGroupFactory([config["resources"]])

    def setup(self, config: dict[str, Any], job: Job | None = None) -> None:
        """Keep the job, and begin the first trial."""
        if job is None:
            raise TypeError("a FineTuning worker needs a job")
        self._bench: Bench | None = None
        self._job = job
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in the same, warm process."""
        self.config = new_config
        self._training: Training | None = None
        self._started_at = time.time()
        return True

    def step(self) -> dict[str, Any]:
        """Run epochs up to the next rung, or for a second.

        A failure is a result, not an exception: it becomes the trial's row, and the worker lives.
        """
        try:
            return self._advance()
        except DivergedError as error:
            return self._failure(DIVERGED, str(error))
        except Exception as error:
            logging.getLogger(__name__).exception("a trial failed")
            return self._failure(type(error).__name__, str(error) or repr(error))

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save nothing: a trial that was interrupted begins again, and comes out the same."""

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Load nothing; see ``save_checkpoint``."""

    def _advance(self) -> dict[str, Any]:
        training = self._training = self._training or self._begin()
        epochs: list[dict[str, Any]] = []
        began = time.perf_counter()
        while True:
            epochs.append(asdict(training.run_epoch()))
            over = training.epoch == training.config.epochs
            if over or training.epoch in self._job.rungs or time.perf_counter() - began > STEP_S:
                break
        evaluation = training.evaluation
        return self._facts() | {
            "done": over,
            "epoch": training.epoch,
            "score": epochs[-1][self._job.objective],
            "epochs": epochs,
            "probabilities": None if evaluation is None else evaluation.probabilities.tolist(),
        }

    def _begin(self) -> Training:
        config = TrialConfig.from_dict(self.config["trial"])
        if self._bench is None:
            self._bench = _bench(self._job, self.config["device"], self.config["threads"])
        return self._bench.training(config)

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "started_at_s": self._started_at,
            "node": socket.gethostname(),
            "worker_pid": os.getpid(),
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
        if self._bench is None:
            return facts
        return facts | self._bench.facts | {"library_versions": _versions()}

    def _failure(self, kind: str, message: str) -> dict[str, Any]:
        return self._facts() | {"done": True, "error_kind": kind, "error_message": message}


def _bench(job: Job, device: str, threads: int) -> Bench:
    """Set a worker's bench up."""
    from antsbees.bench import Bench
    from antsbees.machine.devices import Execution

    execution = Execution(device, threads, job.precision, job.inference_precision)
    return Bench.sharing(job.dataset, job.task, execution, job.cache_folder, job.cache_max_bytes)


def _versions() -> str:
    from antsbees.machine.versions import library_versions

    return library_versions("ray", "optuna")
