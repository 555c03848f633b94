"""What one trial does: data, backbones, training, prediction. Knows no Ray, no Optuna.

The names below are all it takes to train one configuration and to use a saved model; they are
looked up when they are asked for (https://peps.python.org/pep-0562/), since torch takes seconds to
import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antsbees.bench import Bench
    from antsbees.checkpoints import load_model
    from antsbees.config import Schedule, TaskConfig, TrialConfig
    from antsbees.data.sources import open_dataset
    from antsbees.prediction import predict

__version__ = "0.1.0"
__all__ = [
    "Bench",
    "Schedule",
    "TaskConfig",
    "TrialConfig",
    "load_model",
    "open_dataset",
    "predict",
]

_HOMES = {
    "Bench": "antsbees.bench",
    "Schedule": "antsbees.config",
    "TaskConfig": "antsbees.config",
    "TrialConfig": "antsbees.config",
    "load_model": "antsbees.checkpoints",
    "open_dataset": "antsbees.data.sources",
    "predict": "antsbees.prediction",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'antsbees' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
