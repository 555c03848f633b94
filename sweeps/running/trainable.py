"""The Ray Trainable around ``antsbees.training``: one worker, warm from trial to trial."""

from __future__ import annotations

import logging
import os
import resource
import socket
import sys
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
            self._bench = Bench(self._job, self.config["device"], self.config["threads"])
        return self._bench.training(config)

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "started_at_s": self._started_at,
            "node": socket.gethostname(),
            "worker_pid": os.getpid(),
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
        return facts | (self._bench.facts if self._bench else {})

    def _failure(self, kind: str, message: str) -> dict[str, Any]:
        return self._facts() | {"done": True, "error_kind": kind, "error_message": message}


class Bench:
    """What a worker keeps between trials: the backbone, the activations at hand, the precision."""

    def __init__(self, job: Job, device: str, threads: int) -> None:
        from antsbees.machine.devices import Execution, configure
        from antsbees.networks.backbones import load_backbone

        self._job = job
        self._execution = Execution(device, threads, job.precision, job.inference_precision)
        configure(self._execution)
        self._backbone = load_backbone(job.task.backbone, job.task.weights, job.task.data_seed)
        self._activations: dict[Any, Any] = {}
        self.facts: dict[str, Any] = {
            "weights_hash": self._backbone.weights_hash,
            "library_versions": library_versions(),
        }

    def training(self, config: TrialConfig) -> Training:
        """Return a fresh training of a configuration, on what is already warm."""
        from antsbees.frozen.activations import Activations
        from antsbees.frozen.cache import TensorCache
        from antsbees.machine.allocator import release_freed_memory
        from antsbees.machine.precision import resolve
        from antsbees.training import Training

        job = self._job
        folder = job.cache_folder
        remembered = folder / "precision" if folder else None
        run = resolve(
            self._execution, self._backbone, config.frozen_stages, job.task.image_size, remembered
        )
        release_freed_memory()
        key = run.inference_precision
        if key not in self._activations:
            cache = None
            if folder is not None and job.cache_max_bytes > 0:
                cache = TensorCache(folder / "activations", job.cache_max_bytes)
            self._activations[key] = Activations(job.dataset, self._backbone, job.task, run, cache)
        self.facts |= {
            "precision": str(run.precision),
            "inference_precision": str(run.inference_precision),
        }
        return Training(config, job.task, self._backbone, self._activations[key], run)


def library_versions() -> str:
    """Name the versions of Python and of the libraries that numbers depend on."""
    from importlib.metadata import version

    names = ("torch", "torchvision", "timm", "ray", "optuna", "numpy", "pillow")
    python = ".".join(map(str, sys.version_info[:3]))
    return ", ".join([f"python {python}", *(f"{name} {version(name)}" for name in names)])
