"""Training a row again gives its numbers, keeps what worked, and says what differs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from antsbees.bench import Bench
from antsbees.checkpoints import load_model
from antsbees.config import Schedule, TrialConfig
from antsbees.data.datasets import Dataset
from antsbees.errors import DivergedError, UserError
from antsbees.hyperparameters import HYPERPARAMETERS, BatchNorm
from antsbees.networks.families import FAMILIES
from antsbees.training import EpochMetrics
from results.schema import TrialRecord, TrialStatus
from results.winner import Score
from sweeps.ensembling import retrain_ensemble
from sweeps.origin import Origin
from sweeps.retraining import Asked, Retrained, retrain
from sweeps.rows import Ended, record_of
from sweeps.spec.models import SweepSpec
from sweeps.views.retrained import told
from tests.sweeps.sweep_fakes import make_spec

HEAD = TrialConfig(
    9, lr=0.02, batch_size=8, schedule=Schedule(), epochs=2, backbone="efficientnet_lite0"
)
ON_THE_EDGE = 7.94e37
"""A learning rate at which logits of an epoch of one batch overflow under some seeds only."""


_trained: dict[str, tuple[list[Any], Any]] = {}
"""Curves and facts of configurations, which several tests train again."""


@dataclass(frozen=True)
class Room:
    """A sweep on tiny images, and the folder of a model."""

    spec: SweepSpec
    dataset: Dataset
    folder: Path
    max_bytes: int = 10**9

    def row(self, config: TrialConfig = HEAD, **changes: Any) -> TrialRecord:
        """Train a configuration as a worker does, and return its row."""
        name = repr((self.spec.task, config))
        if name not in _trained:
            bench = Bench(self.dataset, self.spec.task)
            training = bench.training(config)
            curve = [asdict(training.run_epoch()) for _ in range(config.epochs)]
            _trained[name] = curve, bench.facts
        curve, facts = _trained[name]
        return self.row_of(config, curve, facts, **changes)

    def row_of(
        self, config: TrialConfig, curve: list[Any], facts: Any, **changes: Any
    ) -> TrialRecord:
        trial = Ended(
            number=3, config=config, status=TrialStatus.COMPLETE, lane="cpu", device="cpu",
            threads=1, proposed_at_s=0.0, finished_at_s=9.0, curve=curve, facts=facts,
        )  # fmt: skip
        return replace(record_of(trial, self.spec, self.dataset), **changes)

    def retrain(
        self, row: TrialRecord, seeds: int = 1, on_all: bool = False
    ) -> tuple[Retrained, list[str]]:
        asked = Asked(row, Origin(self.dataset, self.max_bytes), seeds, on_all)
        result = retrain(asked, self.folder, lambda seed, metrics: None)
        return result, list(told(result, row))


@pytest.fixture
def room(tiny_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("ANTSBEES_CACHE", str(tmp_path / "cache"))
    return Room(make_spec(image_size=32, views=2), tiny_dataset, tmp_path / "model")


def test_a_row_is_reproduced_to_the_bit(room: Room) -> None:
    row = room.row()
    result, lines = room.retrain(row)
    assert result.reproduced is True
    assert lines == [
        f"Reproduced exactly: validation accuracy {row.val_accuracy:.4f}, loss "
        f"{row.val_loss:.6f}, the same numbers as in the leaderboard.",
        f"Model: {room.folder}",
    ]
    described = load_model(room.folder).description
    assert (described.config, described.task) == (HEAD, room.spec.task)
    assert described.metrics["val_accuracy"] == row.val_accuracy
    assert described.provenance["weights_hash"] == row.weights_hash


def test_a_stopped_row_is_compared_where_it_was_stopped(room: Room) -> None:
    training = Bench(room.dataset, room.spec.task).training(HEAD)
    row = room.row_of(HEAD, [asdict(training.run_epoch())], {})
    reported: list[tuple[int, EpochMetrics]] = []
    asked = Asked(row, Origin(room.dataset, 0))
    result = retrain(asked, room.folder, lambda *told: reported.append(told))
    assert result.reproduced is True
    assert [(seed, metrics.epoch) for seed, metrics in reported] == [(0, 1), (0, 2)]


def test_other_numbers_are_told_with_what_is_known_to_differ(room: Room) -> None:
    row = replace(room.row(), val_loss=0.5)
    opening = (
        f"Not the same numbers as in the leaderboard, accuracy {row.val_accuracy:.4f}, "
        "loss 0.500000"
    )
    lines = room.retrain(row)[1]
    assert lines[0] == f"{opening}: this machine does not compute as that of the trial did."
    old = replace(row, library_versions="python 3.1, torch 1.0, ray 9")
    python = ".".join(map(str, sys.version_info[:3]))
    assert room.retrain(old)[1][0] == (
        f"{opening}: python was 3.1 and is {python} here, torch was 1.0 and is "
        f"{torch.__version__.split('+')[0]} here."
    )


def write_weights(file: Path, seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = FAMILIES["efficientnet_lite"].build("efficientnet_lite0")
    torch.save(network.state_dict(), file)


def test_another_weights_file_is_named_and_the_machine_is_not_blamed(
    room: Room, tmp_path: Path
) -> None:
    file = tmp_path / "weights.pth"
    write_weights(file, seed=1)
    room = replace(room, spec=make_spec(image_size=32, views=2, weights=str(file)))
    row = room.row()
    assert room.retrain(row)[0].reproduced is True
    write_weights(file, seed=2)
    result, lines = room.retrain(row)
    assert result.other_weights
    assert lines[0] == (
        f"The weights in {file} are not those of the trial: their hash differs from the row's, so "
        "other numbers than in the leaderboard are to be expected."
    )
    assert "machine" not in " ".join(lines)


def test_weights_named_by_a_relative_path_are_found_from_any_folder(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    write_weights(tmp_path / "weights.pth", seed=1)
    monkeypatch.chdir(tmp_path)
    room = replace(room, spec=make_spec(image_size=32, views=2, weights="weights.pth"))
    row = room.row()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert room.retrain(row)[0].reproduced is True


def test_models_of_seeds_that_worked_outlive_one_that_diverges(room: Room) -> None:
    config = replace(HEAD, lr=ON_THE_EDGE, batch_size=100, epochs=1, seed=2)
    row = room.row(config)
    result, lines = room.retrain(row, seeds=4)
    assert (set(result.last_epochs), set(result.diverged)) == ({2, 5}, {3, 4})
    assert lines[1].startswith("Seed 3 gave no model: the loss is no longer finite in epoch 1")
    assert lines[3].startswith("Over 2 seeds: ")
    described = load_model(room.folder).description
    assert (described.config, described.metrics["diverged_seeds"]) == (config, [3, 4])
    assert set(described.metrics["val_accuracy_by_seed"]) == {"2", "5"}


def test_the_model_is_that_of_the_first_seed_that_worked(room: Room) -> None:
    worked = room.row(replace(HEAD, lr=ON_THE_EDGE, batch_size=100, epochs=1, seed=2))
    row = replace(worked, seed=0)
    result, lines = room.retrain(row, seeds=3)
    assert (set(result.last_epochs), set(result.diverged)) == ({2}, {0, 1})
    assert result.reproduced is None
    assert [line[:19] for line in lines[:2]] == ["Seed 0 gave no mode", "Seed 1 gave no mode"]
    assert load_model(room.folder).description.config.seed == 2
    with pytest.raises(DivergedError):
        room.retrain(row, seeds=2)


def test_what_worked_is_saved_before_the_next_seed_begins(room: Room) -> None:
    def report(seed: int, metrics: EpochMetrics) -> None:
        if seed == 1:
            raise KeyboardInterrupt

    asked = Asked(room.row(), Origin(room.dataset, 0), num_seeds=2)
    with pytest.raises(KeyboardInterrupt):
        retrain(asked, room.folder, report)
    assert load_model(room.folder).description.config == HEAD


@pytest.mark.parametrize("max_bytes", [0, 100_000])
def test_the_sweeps_cap_on_the_cache_is_kept(room: Room, max_bytes: int) -> None:
    room = replace(room, max_bytes=max_bytes)
    assert room.retrain(room.row())[0].reproduced is True
    files = list((room.folder.parent / "cache").rglob("*.tensor"))
    assert sum(file.stat().st_size for file in files) <= max_bytes
    assert bool(files) == bool(max_bytes)


def test_a_model_of_all_images_claims_no_score(room: Room) -> None:
    row = room.row()
    result, lines = room.retrain(row, on_all=True)
    assert lines == [
        "Learnt from all 40 images, the validation images too, so this model has no score: the "
        f"row's, accuracy {row.val_accuracy:.4f}, is that of a model that learnt from train alone.",
        f"Model: {room.folder}",
    ]
    assert (result.reproduced, result.accuracies) == (None, {})
    assert "val_accuracy" not in load_model(room.folder).description.metrics
    card = (room.folder / "README.md").read_text()
    assert "It learnt from all 40 images, the validation images too, so it has no score." in card


SCORE = Score(0.96, 0.94, 0.98, 0.1, 40, is_corrected=True)
TOLD = (
    "out of fold, on 40 images, accuracy 96.0% (95 %: 94.0% to 98.0%) and log-loss 0.1000, "
    "corrected for the choice."
)


def test_a_model_of_all_images_has_the_score_of_its_folds(room: Room) -> None:
    asked = Asked(room.row(), Origin(room.dataset, 0), on_all=True, score=SCORE)
    result = retrain(asked, room.folder, lambda seed, metrics: None)
    assert next(told(result, asked.record)).endswith(TOLD)
    expected = load_model(room.folder).description.metrics["expected"]
    assert Score(**expected) == SCORE
    assert TOLD in (room.folder / "README.md").read_text()


DEEP = replace(HEAD, frozen_stages=8, batchnorm=BatchNorm.FROZEN, lr=0.001)


def test_a_deep_model_of_all_images_is_the_mean_of_three_trainings(room: Room) -> None:
    """Its row is reproduced as it is."""
    row = room.row(DEEP)
    result, lines = room.retrain(row, on_all=True)
    assert (result.soup_size, load_model(room.folder).description.config.soup_size) == (3, 3)
    assert lines[1] == (
        "It is the mean of 3 trainings, which is surer than one, and as fast to use."
    )
    card = (room.folder / "README.md").read_text()
    assert "To be surer, it is the mean of 3 trainings.\n" in card
    asked = Asked(row, Origin(room.dataset, 0), on_all=True, score=SCORE)
    scored = retrain(asked, room.folder, lambda seed, metrics: None)
    assert list(told(scored, row))[1].endswith("as fast to use; the score is that of one.")
    assert "To be surer, it is the mean of 3 trainings, and the score is that of one." in (
        (room.folder / "README.md").read_text()
    )
    asked = replace(asked, score=replace(SCORE, soup_size=3))  # folds judged it as it is kept
    judged = retrain(asked, room.folder, lambda seed, metrics: None)
    assert list(told(judged, row))[1].endswith("as fast to use.")
    assert "of one" not in (room.folder / "README.md").read_text()
    result, _ = room.retrain(row)
    assert (result.reproduced, result.soup_size) == (True, 1)


def test_a_mean_that_has_fallen_apart_is_told(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least accuracy of a member that a mean must have is more than there can be."""
    monkeypatch.setattr("antsbees.training.FALLEN_APART", -2.0)
    row = room.row(DEEP)
    result, lines = room.retrain(row, on_all=True)
    said = "The mean of its 3 trainings had fallen apart: the first answers alone."
    assert (result.soup_size, lines[1]) == (1, said)
    assert said in (room.folder / "README.md").read_text()


@pytest.mark.parametrize(
    "config", [HEAD, replace(DEEP, batchnorm=BatchNorm.TRAIN), replace(DEEP, soup_size=4)]
)
def test_other_models_of_all_images_are_trained_as_their_row_says(
    room: Room, config: TrialConfig
) -> None:
    result, lines = room.retrain(room.row(config), on_all=True)
    assert result.soup_size == config.soup_size
    assert not any("the mean of" in line for line in lines)


def test_an_ensemble_is_one_model_of_its_members(room: Room) -> None:
    rows = [room.row(), room.row(replace(HEAD, lr=0.2, epochs=1), trial_number=4)]
    origin, heard = Origin(room.dataset, 0), []
    members = [Asked(row, origin, on_all=True) for row in rows]
    retrain_ensemble(members, SCORE, room.folder, lambda trial, _: heard.append(trial))
    assert heard == [3, 3, 4]
    model = load_model(room.folder)
    assert [member.description.config.lr for member in model.members] == [0.02, 0.2]
    assert model.description.provenance["trial_numbers"] == [3, 4]
    card = (room.folder / "README.md").read_text()
    assert TOLD in card
    assert "| 4 | efficientnet_lite0 | 9 | 1 |" in card


def test_a_row_from_another_device_cannot_be_compared(room: Room) -> None:
    result, lines = room.retrain(room.row(device="cuda:0"))
    assert result.reproduced is None
    assert lines[0] == "Not comparable bit by bit: the trial ran on cuda:0."


def test_a_row_that_cannot_be_trained_again_says_why(room: Room) -> None:
    with pytest.raises(Exception, match=r"its row has no image_size$") as refused:
        room.retrain(room.row(image_size=None))
    assert type(refused.value).__name__ == "UsageError"
    with pytest.raises(UserError, match="weights"):
        room.retrain(room.row(weights="/nowhere/weights.pth"))


def test_the_card_names_every_setting_and_the_spread(room: Room) -> None:
    room.retrain(room.row(), seeds=2)
    card = (room.folder / "README.md").read_text()
    settings = HEAD.to_dict()
    given = [h.name for h in HYPERPARAMETERS.values() if h.belongs(settings)]
    assert len(given) >= 14
    assert all(f"| {name} | {settings[name]} |" in card for name in given)
    assert " Over 2 seeds: mean " in card
    assert card.startswith("# ants or bees\n")


@pytest.mark.whole  # another process
def test_retraining_knows_no_ray() -> None:
    code = "import sweeps.retraining, sys; print({'ray', 'optuna'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
