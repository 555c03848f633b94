"""Four ways to an answer, each judged on images that it has not seen: what a study compares."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from antsbees.bench import Bench
from antsbees.checkpoints import load_model
from antsbees.config import TaskConfig, TrialConfig
from antsbees.data.folder import read_folder
from antsbees.data.folds import folds
from antsbees.hyperparameters import HeadStart
from antsbees.machine.devices import Execution
from antsbees.prediction import image_files, predict
from antsbees.training import Training
from benchmarks.compare.processes import run_python
from benchmarks.studies.out_of_fold import out_of_fold
from results.correction import Corrected
from results.evidence import Evidence
from results.schema import Objective, TrialRecord
from results.winner import FinalWinner
from sweeps.cli.options import named_winner, rows_of
from sweeps.naming import chosen_row
from sweeps.paths import RunPaths

BACKBONES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
TUNED = Path(__file__).parents[1] / "compare" / "tuned_ray_tune.py"


@dataclass(frozen=True)
class Task:
    """One division of a set.

    Args:
        folder: With ``train/<class>/`` and ``val/<class>/``.
        unseen: With ``<class>/``.
        minutes: That a search may take.
        scratch: Where logs, caches and runs go.
    """

    set: str
    seed: int
    folder: Path
    unseen: Path
    minutes: float
    scratch: Path


@dataclass(frozen=True)
class Answer:
    """What one of the ways came to.

    Args:
        told: The accuracy it claims for images that nobody has seen; ``None`` where it claims none.
        low: Lower end of the 95 % interval of that.
        high: Upper end.
        losses: Log-loss of every unseen image, in the order of their paths.
        hits: Whether each was right.
        seconds: Wall time until it was there.
        found_s: When the trial that was chosen had ended, from the start of the first trial.
        progress: The best validation accuracy so far, and how many seconds it took to get there,
            from the start of the first trial.
    """

    way: str
    set: str
    seed: int
    losses: list[float]
    hits: list[float]
    seconds: float
    told: float | None = None
    low: float | None = None
    high: float | None = None
    chosen: str = ""
    found_s: float | None = None
    progress: list[tuple[float, float]] | None = None

    @property
    def accuracy(self) -> float:
        """On the unseen images."""
        return float(np.mean(self.hits))

    @property
    def loss(self) -> float:
        """Log-loss on the unseen images."""
        return float(np.mean(self.losses))

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self)


def ours(task: Task, ensemble: int = 4) -> list[Answer]:
    """Run the default sweep and retrain its winner; the ensemble where one is asked for."""
    runs, name = task.scratch / "runs", "answer"
    spec = task.scratch / "answer.yaml"
    shipped = (Path(__file__).parents[2] / "sweeps/configs/default.yaml").read_text()
    spec.write_text(shipped.replace("minutes: 3 ", f"minutes: {0.75 * task.minutes} "))
    cache = {"ANTSBEES_CACHE": str(task.scratch / "cache")}
    shared = ["--runs", str(runs)]
    told = ["sweep", str(spec), "--data", str(task.folder), "--name", name, *shared]
    timed = run_python(["-m", "sweeps.cli", *told], task.scratch / "ours.txt", cache)
    paths = RunPaths(runs)
    rows = rows_of(paths, name)
    winner = named_winner(paths, rows, max(ensemble, 1))
    row = chosen_row(rows, None, winner)
    again = ["retrain", "--sweep", name, "--on", "all", *shared]
    answers = []
    for way, more in (("ours", []), ("ours, ensemble", ["--ensemble", str(ensemble)])):
        if more and not ensemble:
            continue
        model = ["--name", way.replace(", ", "-"), *more]
        run_python(["-m", "sweeps.cli", *again, *model], task.scratch / "retrain.txt", cache)
        evidence = _asked(task, paths.model(model[1]))
        corrected = _claimed(winner, bool(more))
        answers.append(
            Answer(
                way=way,
                set=task.set,
                seed=task.seed,
                losses=evidence.losses[0].tolist(),
                hits=evidence.hits[0].tolist(),
                seconds=timed.seconds,
                told=corrected.corrected if corrected else None,
                low=corrected.low if corrected else None,
                high=corrected.high if corrected else None,
                chosen=f"{row.backbone} k={row.frozen_stages} {row.first or ''}".strip(),
                found_s=None if more else _ended_s(row, rows),
                progress=None if more else _progress(rows),
            )
        )
    return answers


def _claimed(winner: FinalWinner | None, together: bool) -> Corrected | None:
    """Return what a sweep claims of its winner, or of the ensemble; ``None`` without finals."""
    if winner is None:
        return None
    if together:
        return winner.ensemble.accuracy if winner.ensemble else None
    return winner.accuracy


def _ended_s(row: TrialRecord, rows: Sequence[TrialRecord]) -> float | None:
    """Return how long the first trial had been under way when one ended."""
    started = [other.started_at for other in rows if other.started_at]
    if row.finished_at is None or not started:
        return None
    return (row.finished_at - min(started)).total_seconds()


def _progress(rows: Sequence[TrialRecord]) -> list[tuple[float, float]]:
    """Return when the best validation accuracy rose, in seconds, and to what."""
    ended = [(_ended_s(row, rows), row.val_accuracy) for row in rows]
    rises: list[tuple[float, float]] = []
    for seconds, accuracy in sorted((s, a) for s, a in ended if s is not None and a is not None):
        if not rises or accuracy > rises[-1][1]:
            rises.append((seconds, accuracy))
    return rises


def tuned(task: Task) -> list[Answer]:
    """Run the tuned Ray Tune script for as long."""
    out = task.scratch / "tuned.json"
    given = {"--data": task.folder, "--out": out, "--minutes": task.minutes}
    given |= {"--unseen": task.unseen, "--storage": task.scratch / "ray", "--seed": task.seed}
    arguments = [str(part) for pair in given.items() for part in pair]
    timed = run_python([str(TUNED), *arguments], task.scratch / "tuned.txt")
    outcome = json.loads(out.read_text())
    best = outcome["best"]
    evidence = Evidence.of(
        np.minimum([outcome["unseen"]["probabilities"]], 1), np.array(outcome["unseen"]["labels"])
    )
    config = best["config"]
    told = best["curve"][-1]["val_accuracy"]
    chosen = f"{config['backbone']} k={config['frozen_stages']}"
    return [_answer("tuned Ray Tune", task, evidence, timed.seconds, told, chosen)]


def tutorial(task: Task) -> list[Answer]:
    """Train the configuration of PyTorch's tutorial on the training images."""
    start = time.perf_counter()
    bench = _bench(task, BACKBONES[0])
    training = bench.training(TrialConfig(frozen_stages=bench.task.num_stages))
    for _ in range(training.config.epochs):
        found = training.run_epoch()
    evidence = _answers_of(task, training, bench)
    seconds = time.perf_counter() - start
    return [_answer("tutorial's", task, evidence, seconds, found.val_accuracy, BACKBONES[0])]


def probe(task: Task) -> list[Answer]:
    """Fit the probe of every network; that with the best out-of-fold log-loss answers."""
    start = time.perf_counter()
    best: tuple[float, float, Bench] | None = None
    for backbone in BACKBONES:
        bench = _bench(task, backbone)
        features, pooled = bench.pooled_features().float(), bench.dataset.pooled
        (division,) = folds(pooled.labels, num_folds=5, repeats=1, seed=0)
        places = [fold.tolist() for fold in division]
        labels = torch.tensor(pooled.labels)
        classes = len(bench.dataset.classes)
        said = out_of_fold(features[None], features, labels, places, classes)
        evidence = Evidence.of(np.minimum(said.numpy()[None], 1), labels.numpy())
        loss = float(evidence.means(Objective.VAL_LOSS)[0])
        if best is None or loss < best[0]:
            best = (loss, float(evidence.means(Objective.VAL_ACCURACY)[0]), bench)
    assert best is not None
    _, told, bench = best
    timid = TrialConfig(
        bench.task.num_stages, lr=1e-9, momentum=0.0, epochs=1, head_start=HeadStart.PROBE
    )
    training = bench.training(timid, ("train", "val"))
    training.run_epoch()
    evidence = _answers_of(task, training, bench)
    seconds = time.perf_counter() - start
    return [_answer("probe", task, evidence, seconds, told, bench.task.backbone)]


def _bench(task: Task, backbone: str) -> Bench:
    folder = task.scratch / "cache-of-rivals"
    threads = torch.get_num_threads()
    execution = Execution(threads=threads)
    return Bench.sharing(read_folder(task.folder), TaskConfig(backbone), execution, folder, 10**10)


def _answers_of(task: Task, training: Training, bench: Bench) -> Evidence:
    """Ask a network that is in memory."""
    from antsbees.data import images
    from antsbees.networks.backbones import normalise

    network, size = training.network(), bench.task.image_size
    files, labels = _unseen(task, bench.dataset.classes)
    said = []
    for path in files:
        pixels = images.validation_view(images.decode(path), size)
        batch = torch.from_numpy(pixels.copy()).unsqueeze(0)
        with torch.no_grad():
            logits = network(normalise(batch, bench.backbone.architecture))
        said.append(logits.softmax(dim=1)[0].tolist())
    return Evidence.of(np.minimum([said], 1), labels)


def _asked(task: Task, folder: Path) -> Evidence:
    """Ask a saved model."""
    model = load_model(folder)
    classes = model.description.classes
    files, labels = _unseen(task, classes)
    said = [[p.probabilities[name] for name in classes] for p in predict(model, files)]
    return Evidence.of(np.minimum([said], 1), labels)


def _unseen(task: Task, classes: Sequence[str]) -> tuple[list[Path], np.ndarray[Any, Any]]:
    files = image_files([task.unseen])
    return files, np.array([classes.index(path.parent.name) for path in files])


def _answer(
    way: str, task: Task, evidence: Evidence, seconds: float, told: float, chosen: str
) -> Answer:
    losses, hits = evidence.losses[0].tolist(), evidence.hits[0].tolist()
    return Answer(way, task.set, task.seed, losses, hits, seconds, told, chosen=chosen)
