"""What the frozen stages put out for images and views: computed once, then read by every trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from types import MappingProxyType

import torch
from filelock import Timeout
from torch import Tensor

from antsbees.config import Precision, TaskConfig
from antsbees.data import images
from antsbees.data.datasets import Dataset
from antsbees.errors import DataError
from antsbees.frozen.cache import TensorCache
from antsbees.frozen.holding import Holder
from antsbees.layers import LAYERS_VERSION
from antsbees.machine.devices import Execution, arithmetic, numerics
from antsbees.networks.backbones import Backbone, normalise
from antsbees.storage import report_unusable

CHUNK = 16  # images in a forward pass of the frozen part; always the same, so that bits are too
HELD_ON_HOST_BYTES = 64 * 2**20  # of files a process keeps mapped; mapping one again is cheap
GPU_FRACTION = 0.2  # of a GPU's free memory for activations at hand, of each worker that shares it

TRAIN, VAL = "train", "val"
TRAIN_CENTRED = "train-centred"
SOURCES: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        TRAIN: (TRAIN, True),
        VAL: (VAL, False),
        TRAIN_CENTRED: (TRAIN, False),
    }
)
"""Of which split the images are, and whether they are seen in training views or in the one view
that validation sees. With the last, every image can be judged, and folds over all are exact."""

Allocate = Callable[[Sequence[int], torch.dtype], Tensor]
"""Returns a tensor of a shape and a type to write results into."""


class Activations:
    """Outputs of the first k stages for a split; k = 0 is the pixels themselves.

    The result never depends on what is cached: at each stage boundary it has the cache's dtype, and
    images go through in chunks of one size in the order of the dataset.

    Args:
        cache: Where results are kept for other processes; ``None`` computes them every time.
        held: What this process has at hand; several backbones may share it. By default its own.
    """

    def __init__(
        self,
        dataset: Dataset,
        backbone: Backbone,
        task: TaskConfig,
        execution: Execution,
        cache: TensorCache | None = None,
        held: Holder[Tensor] | None = None,
    ) -> None:
        self.dataset = dataset
        self._backbone = backbone
        self._task = task
        self._execution = execution
        self._cache = cache
        self._held = tensors_at_hand(execution) if held is None else held
        self._just_computed: dict[str, Tensor] = {}  # by prepare, for the next get
        self._prefix = (
            f"{dataset.fingerprint[:16]}-s{task.image_size}-d{task.data_seed}-{_pixel_versions()}",
            f"{backbone.weights_hash[:16]}-{numerics(execution)}-{_layers(backbone)}-c{CHUNK}",
        )

    @property
    def features_key(self) -> str:
        """What names, in the cache, all that is computed from what stages put out."""
        return "/".join(self._prefix)

    def train(self, k: int, view: int) -> Tensor:
        """Return the training split's activations at k for a view, see ``get``."""
        return self.get(TRAIN, k, view)

    def val(self, k: int) -> Tensor:
        """Return the validation split's activations at k; it has one view."""
        return self.get(VAL, k, 0)

    def pooled(self, k: int, view: int) -> Tensor:
        """Return activations at k of all images as they are learnt from: train's, then val's.

        Validation images have a single view, also where they are learnt from.
        """
        return self._joined((TRAIN, k, view), (VAL, k, 0))

    def pooled_val(self, k: int) -> Tensor:
        """Return activations at k of all images in the view that validation sees."""
        return self._joined((TRAIN_CENTRED, k, 0), (VAL, k, 0))

    def get(self, split: str, k: int, view: int) -> Tensor:
        """Return activations in the order of the split.

        Args:
            split: ``train`` or ``val``, or another of ``SOURCES``.

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
        self._just_computed.clear()
        if self._cache is not None:
            for split, view in wanted:
                key = self._key(split, k, view)
                if not self._cache.has(key):
                    found = self._get(split, k, view, wait=False)
                    if found is not None:
                        self._just_computed[key] = found

    def _joined(self, first: tuple[str, int, int], second: tuple[str, int, int]) -> Tensor:
        parts = [self.get(*first), self.get(*second)]
        if len({part.device for part in parts}) > 1:  # one does not fit on the GPU
            parts = [part.cpu() for part in parts]
        return torch.cat(parts)

    def _get(self, split: str, k: int, view: int, wait: bool) -> Tensor | None:
        key = self._key(split, k, view)
        if key in self._just_computed:
            return self._just_computed.pop(key)
        if (held := self._held.find(key)) is not None:
            return held
        found = self._load_or_compute(split, k, view, wait)
        if found is None:
            return None
        if self._held.has_room_for(found):
            self._held.make_room(found.nbytes)
            found = found.to(self._execution.device)
        if self._cache is not None or k == 0:
            self._held.keep(key, found)
        return found

    def _key(self, split: str, k: int, view: int) -> str:
        pixels, stages = self._prefix
        name = f"{split}-v{view}-k{k}"
        return f"{pixels}/pixels/{name}" if k == 0 else f"{pixels}/{stages}/{name}"

    def _load_or_compute(self, split: str, k: int, view: int, wait: bool = True) -> Tensor | None:
        """Return activations; ``None`` if another process computes them and we do not wait."""
        if self._cache is None:
            return self._compute(split, k, view, _in_memory)
        key = self._key(split, k, view)
        if (ready := self._cache.load(key)) is not None:
            return ready
        try:
            with self._cache.computing(key, wait):
                ready = self._cache.load(key)
                if ready is not None:
                    return ready
                return self._compute_and_store(self._cache, key, split, k, view)
        except Timeout:
            return None

    def _compute_and_store(
        self, cache: TensorCache, key: str, split: str, k: int, view: int
    ) -> Tensor:
        """Compute activations straight into their file, and map it for reading."""
        files = ExitStack()

        def in_file(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
            if math.prod(shape) * dtype.itemsize > cache.max_bytes:
                return _in_memory(shape, dtype)
            try:
                return files.enter_context(cache.filling(key, shape, dtype))
            except OSError as error:
                report_unusable(cache.folder, error)
                return _in_memory(shape, dtype)

        computed: Tensor | None = None
        try:
            with files:
                computed = self._compute(split, k, view, in_file)
        except OSError as error:
            if computed is None:
                raise
            report_unusable(cache.folder, error)
            return computed
        stored = cache.load(key)
        return computed if stored is None else stored

    def _compute(self, split: str, k: int, view: int, allocate: Allocate) -> Tensor:
        if k == 0:
            return self._pixels(split, view, allocate)
        start, source = self._deepest_shallower(split, k, view)
        stages = self._backbone.stages[start:k]
        device, precision = self._execution.device, self._execution.inference_precision
        dtype = torch.bfloat16 if precision is Precision.BF16 else torch.float32
        for stage in stages:
            stage.to(device)
        num_images, whole = len(source), torch.empty(0)
        with torch.no_grad(), arithmetic(device, precision):
            for first in range(0, num_images, CHUNK):
                x = to_network(source[first : first + CHUNK].to(device), self._backbone)
                for stage in stages:
                    x = stage(x).to(dtype)
                part = x.permute(0, 2, 3, 1) if x.dim() == 4 else x
                if first == 0:
                    whole = allocate((num_images, *part.shape[1:]), dtype)
                whole[first : first + CHUNK] = part
        return whole

    def _deepest_shallower(self, split: str, k: int, view: int) -> tuple[int, Tensor]:
        for shallower in range(k - 1, 0, -1):
            key = self._key(split, shallower, view)
            if (held := self._held.find(key)) is not None:
                return shallower, held
            if self._cache is not None and (found := self._cache.load(key)) is not None:
                return shallower, found
        return 0, self.get(split, 0, view)

    def _pixels(self, split: str, view: int, allocate: Allocate) -> Tensor:
        of_split, is_augmented = SOURCES[split]
        size, paths = self._task.image_size, self.dataset.split(of_split).paths
        whole = allocate((len(paths), size, size, 3), torch.uint8)
        seen = whole.numpy()
        for index, path in enumerate(paths):
            try:
                image = images.decode(path)
            except OSError as error:
                raise DataError(
                    f"{path}: {error}; it could be read when the sweep began"
                ) from error
            if is_augmented:
                seen[index] = images.training_view(
                    image, size, seed=self._task.data_seed, index=index, view=view
                )
            else:
                seen[index] = images.validation_view(image, size)
        return whole


def _pixel_versions() -> str:
    """Name what pixels depend on, beside the image files and how they are to be seen."""
    return f"views{images.VIEWS_VERSION}-pillow{version('pillow')}"


def _in_memory(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    return torch.empty(*shape, dtype=dtype)


def tensors_at_hand(execution: Execution) -> Holder[Tensor]:
    """Return an empty holder for the activations that a process keeps at hand on its device."""
    if not execution.on_gpu:
        return Holder(HELD_ON_HOST_BYTES)
    return Holder(int(execution.where.free_bytes() * GPU_FRACTION))


def to_network(batch: Tensor, backbone: Backbone) -> Tensor:
    """Turn rows of ``Activations.get`` into the input of the next stage.

    Returns:
        ``(N, C, H, W)``, channels last in memory, or ``(N, width)``; pixels normalised to float32.
    """
    if batch.dtype == torch.uint8:
        return normalise(batch, backbone.architecture)
    return batch.permute(0, 3, 1, 2) if batch.dim() == 4 else batch


def _layers(backbone: Backbone) -> str:
    """Name the layers that the last bits come from: ours of a version, or torch's."""
    return f"layers{LAYERS_VERSION}" if backbone.fast_layers else "layers-torch"
