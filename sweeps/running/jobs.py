"""What every worker of a sweep is given once, made from its spec."""

from __future__ import annotations

import ray

from antsbees.data.datasets import Dataset
from antsbees.storage import cache_folder
from sweeps.running.shipping import Shipment, ship
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
        shipment=_shipment(spec, dataset),
    )


_shipped: dict[tuple[str, str, int], Shipment] = {}
"""What was sent already, by Ray's name of this node, which is new with each Ray."""


def _shipment(spec: SweepSpec, dataset: Dataset) -> Shipment | None:
    """Send the images, once, where there is or may be a machine to send them to."""
    if spec.address is None and len(ray.nodes()) < 2:
        return None
    max_bytes = int(spec.travel_gb * 2**30)
    key = ray.get_runtime_context().get_node_id(), dataset.fingerprint, max_bytes
    if key not in _shipped:
        _shipped.clear()
        _shipped[key] = ship(dataset, max_bytes, ray.put)
    return _shipped[key]
