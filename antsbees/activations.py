"""What the frozen stages put out for a split and view: computed once, then read by every trial."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from filelock import Timeout
from torch import Tensor

from antsbees import images
from antsbees.backbones import Backbone, normalise
from antsbees.cache import TensorCache
from antsbees.config import Precision, TaskConfig
from antsbees.datasets import Dataset
from antsbees.devices import Execution, arithmetic, numerics
from antsbees.errors import DataError

logger = logging.getLogger(__name__)

CHUNK = 32  # images in a forward pass of the frozen part; always the same, so that bits are too
HELD_ON_HOST = 16  # tensors a process keeps mapped; the pages belong to the kernel's file cache
GPU_FRACTION = 0.5  # of a GPU's free memory that may be taken by one more tensor


class Activations:
    """Whole-split outputs of the first k stages; k = 0 is the pixels themselves.

    The result never depends on what is cached: at each stage boundary it has the cache's dtype, and
    images go through in chunks of one size in the order of the dataset.

    Args:
        cache: Where results are kept for other processes; ``None`` computes them every time.
    """

    def __init__(
        self,
        dataset: Dataset,
        backbone: Backbone,
        task: TaskConfig,
        execution: Execution,
        cache: TensorCache | None = None,
    ) -> None:
        self.dataset = dataset
        self._backbone = backbone
        self._task = task
        self._execution = execution
        self._cache = cache
        self._held: OrderedDict[str, Tensor] = OrderedDict()
        self._prefix = (
            f"{dataset.fingerprint[:16]}-s{task.image_size}-d{task.data_seed}",
            f"{backbone.weights_hash[:16]}-{numerics(execution)}",
        )

    def train(self, k: int, view: int) -> Tensor:
        """Return the training split's activations at k for a view, see ``get``."""
        return self.get("train", k, view)

    def val(self, k: int) -> Tensor:
        """Return the validation split's activations at k; it has one view."""
        return self.get("val", k, 0)

    def get(self, split: str, k: int, view: int) -> Tensor:
        """Return activations in the order of the split.

        Returns:
            k = 0: ``(N, S, S, 3) uint8``; k = all: ``(N, width)``; else ``(N, H, W, C)``, in the
            inference precision. On a GPU that has room for it, on the GPU.
        """
        found = self._get(split, k, view, wait=True)
        if found is None:
            raise RuntimeError(f"waited for {self._key(split, k, view)}, and got nothing")
        return found

    def prepare(self, k: int, wanted: Sequence[tuple[str, int]]) -> None:
        """Compute those of the wanted splits and views that no other process is computing.

        Workers that start together so share the work, instead of waiting for the same tensor.
        """
        if self._cache is not None:
            for split, view in wanted:
                self._get(split, k, view, wait=False)

    def _get(self, split: str, k: int, view: int, wait: bool) -> Tensor | None:
        key = self._key(split, k, view)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        found = self._load_or_compute(split, k, view, wait)
        if found is None:
            return None
        tensor = self._on_device(found)
        if self._cache is not None or k == 0:
            self._held[key] = tensor
            if len(self._held) > HELD_ON_HOST and not self._execution.on_gpu:
                self._held.popitem(last=False)
        return tensor

    def _key(self, split: str, k: int, view: int) -> str:
        pixels, stages = self._prefix
        name = f"{split}-v{view}-k{k}"
        return f"{pixels}/pixels/{name}" if k == 0 else f"{pixels}/{stages}/{name}"

    def _load_or_compute(self, split: str, k: int, view: int, wait: bool = True) -> Tensor | None:
        """Return activations; ``None`` if another process computes them and we do not wait."""
        if self._cache is None:
            return self._compute(split, k, view)
        key = self._key(split, k, view)
        if (ready := self._cache.load(key)) is not None:
            return ready
        try:
            with self._cache.lock(key).acquire(blocking=wait):
                ready = self._cache.load(key)
                if ready is not None:
                    return ready
                return self._compute_and_store(key, split, k, view)
        except Timeout:
            return None

    def _compute_and_store(self, key: str, split: str, k: int, view: int) -> Tensor:
        computed = self._compute(split, k, view)
        if self._cache is None:
            return computed
        try:
            self._cache.store(key, computed)
        except OSError as error:
            logger.warning("activations are not cached: %s", error)
            return computed
        stored = self._cache.load(key)
        return computed if stored is None else stored

    def _compute(self, split: str, k: int, view: int) -> Tensor:
        if k == 0:
            return self._pixels(split, view)
        start, source = self._deepest_shallower(split, k, view)
        stages = self._backbone.stages[start:k]
        device, precision = self._execution.device, self._execution.inference_precision
        dtype = torch.bfloat16 if precision is Precision.BF16 else torch.float32
        parts = []
        for stage in stages:
            stage.to(device)
        with torch.no_grad(), arithmetic(device, precision):
            for chunk in source.split(CHUNK):
                x = to_network(chunk.to(device), self._backbone)
                for stage in stages:
                    x = stage(x).to(dtype)
                parts.append((x.permute(0, 2, 3, 1) if x.dim() == 4 else x).cpu())
        return torch.cat(parts)

    def _deepest_shallower(self, split: str, k: int, view: int) -> tuple[int, Tensor]:
        for shallower in range(k - 1, 0, -1):
            key = self._key(split, shallower, view)
            if key in self._held:
                return shallower, self._held[key]
            if self._cache is not None and (found := self._cache.load(key)) is not None:
                return shallower, found
        return 0, self.get(split, 0, view)

    def _pixels(self, split: str, view: int) -> Tensor:
        size, paths = self._task.image_size, self.dataset.split(split).paths
        seen = np.empty((len(paths), size, size, 3), np.uint8)
        for index, path in enumerate(paths):
            try:
                image = images.decode(path)
            except OSError as error:
                raise DataError(
                    f"{path}: {error}; it could be read when the sweep began"
                ) from error
            if split == "val":
                seen[index] = images.validation_view(image, size)
            else:
                seed = self._task.data_seed
                seen[index] = images.training_view(image, size, seed=seed, index=index, view=view)
        return torch.from_numpy(seen)

    def _on_device(self, tensor: Tensor) -> Tensor:
        """Move a tensor to the GPU if there is room for it; never run on a real GPU."""
        if not self._execution.on_gpu:
            return tensor
        free, _ = torch.cuda.mem_get_info(torch.device(self._execution.device))
        if tensor.nbytes < free * GPU_FRACTION:
            return tensor.to(self._execution.device)
        return tensor.pin_memory()


def to_network(batch: Tensor, backbone: Backbone) -> Tensor:
    """Turn rows of ``Activations.get`` into the input of the next stage.

    Returns:
        ``(N, C, H, W)``, channels last in memory, or ``(N, width)``; pixels normalised to float32.
    """
    if batch.dtype == torch.uint8:
        return normalise(batch, backbone.architecture)
    return batch.permute(0, 3, 1, 2) if batch.dim() == 4 else batch
