"""What every worker of a sweep is given once, made from its spec."""

from __future__ import annotations

import ray

from antsbees.data.datasets import Dataset
from antsbees.storage import cache_folder
from sweeps.running.stopping import rungs
from sweeps.running.trainable import Job
from sweeps.spec.models import SweepSpec


def job_of(spec: SweepSpec, dataset: Dataset) -> Job:
    """Return the job of a sweep; Ray is connected."""
    return Job(
        tasks=tuple(spec.task_of(backbone) for backbone in spec.backbones),
        dataset=dataset,
        objective=spec.objective,
        rungs=rungs(spec),
        precision=spec.precision,
        inference_precision=spec.inference_precision,
        fast_layers=spec.fast_layers,
        cache_folder=cache_folder(),
        cache_max_bytes=int(spec.cache.max_gb * 1024**3),
        driver_node=ray.get_runtime_context().get_node_id(),
    )
