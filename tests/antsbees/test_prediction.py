"""A saved model answers for every file, or says why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from antsbees.checkpoints import (
    ModelDescription,
    SavedModel,
    load_model,
    save_ensemble,
    save_model,
)
from antsbees.config import Precision, Schedule, TrialConfig
from antsbees.errors import DataError, ModelError
from antsbees.machine.devices import Execution
from antsbees.prediction import Prediction, image_files, predict
from antsbees.training import Training
from tests.antsbees.laboratory import Laboratory, judged

CONFIG = TrialConfig(7, lr=0.01, batch_size=8, epochs=1, schedule=Schedule())


def trained(lab: Laboratory, folder: Path) -> tuple[Training, SavedModel]:
    """Train an epoch, save, and read back."""
    training = lab.training(CONFIG)
    training.run_epoch()
    description = ModelDescription(
        lab.task, CONFIG, ("ants", "bees"), "tiny", "f", str(lab.execution.inference_precision)
    )
    save_model(folder, training.network(), description, "")
    return training, load_model(folder)


@pytest.fixture(scope="module")
def model(lite0_lab: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> SavedModel:
    return trained(lite0_lab, tmp_path_factory.mktemp("trained") / "model")[1]


@pytest.mark.parametrize(("precision", "tolerance"), [(Precision.FP32, 1e-5), ("bf16", 0.05)])
def test_predictions_are_those_of_the_evaluation(
    lite0_lab: Laboratory, tmp_path: Path, precision: Precision, tolerance: float
) -> None:
    lab = replace(lite0_lab, execution=Execution(inference_precision=Precision(precision)))
    training, model = trained(lab, tmp_path / "model")
    answers = list(predict(model, lab.dataset.val.paths))
    assert len(answers) == 16
    found = [[answer.probabilities[name] for name in ("ants", "bees")] for answer in answers]
    np.testing.assert_allclose(found, judged(training).probabilities, atol=tolerance)
    assert [answer.path for answer in answers] == list(lab.dataset.val.paths)


def test_the_label_is_the_likeliest_class(model: SavedModel, lite0_lab: Laboratory) -> None:
    seen = 0
    for answer in predict(model, lite0_lab.dataset.train.paths):
        assert answer.label == max(answer.probabilities, key=answer.probabilities.__getitem__)
        assert next(iter(answer.probabilities)) == answer.label
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-6)
        assert answer.error is None
        seen += 1
    assert seen == 24


def test_a_file_that_cannot_be_read_gets_its_reason_and_the_others_an_answer(
    model: SavedModel, lite0_lab: Laboratory, tmp_path: Path
) -> None:
    good = lite0_lab.dataset.val.paths[0]
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "cut.jpg").write_bytes(good.read_bytes()[:700])
    bad = [tmp_path / name for name in ("text.jpg", "cut.jpg", "missing.jpg")]
    answers = list(predict(model, [bad[0], good, bad[1], bad[2], good]))
    assert [answer.error for answer in answers[0::3]] == ["cannot identify image file"] * 1 + [
        "no such file"
    ]
    assert "truncated" in str(answers[2].error)
    assert [answer.label is None for answer in answers] == [True, False, True, True, False]
    assert answers[1] == answers[4]
    assert answers[0] == Prediction(bad[0], {}, "cannot identify image file")


def test_a_reason_does_not_repeat_the_path(model: SavedModel, tmp_path: Path) -> None:
    path = tmp_path / "it's.jpg"
    path.write_text("no image")
    assert [answer.error for answer in predict(model, [path])] == ["cannot identify image file"]


def test_predicting_is_lazy(model: SavedModel, lite0_lab: Laboratory) -> None:
    """The first answer comes before the second file is asked for."""
    asked: list[Path] = []

    def paths() -> Iterator[Path]:
        for path in lite0_lab.dataset.val.paths:
            asked.append(path)
            yield path

    next(predict(model, paths()))
    assert len(asked) == 1


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    def make(*names: str) -> Path:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return make


def test_folders_give_the_images_below_them_and_files_themselves(
    make: Callable[..., Path],
) -> None:
    root = make("b/2.JPG", "b/1.png", "b/deep/3.webp", "b/notes.txt", "a/x.gif", "c.txt")
    found = image_files([root / "c.txt", root / "b", root / "absent.jpg"])
    expected = ["c.txt", "b/1.png", "b/2.JPG", "b/deep/3.webp", "absent.jpg"]
    assert found == [root / name for name in expected]


def test_a_folder_that_is_named_like_an_image_is_no_image(make: Callable[..., Path]) -> None:
    root = make("set/album.jpg/1.jpg")
    assert image_files([root / "set"]) == [root / "set/album.jpg/1.jpg"]


def test_hidden_files_are_no_images(make: Callable[..., Path]) -> None:
    """Such as those macOS leaves beside every file on foreign disks."""
    root = make("set/1.jpg", "set/._1.jpg")
    assert image_files([root / "set"]) == [root / "set/1.jpg"]


def test_a_folder_without_images_is_refused(make: Callable[..., Path]) -> None:
    root = make("set/notes.txt")
    with pytest.raises(DataError) as refused:
        image_files([root / "set"])
    assert str(refused.value) == f"there are no images in the folder {root / 'set'}"


def test_nothing_is_refused() -> None:
    with pytest.raises(DataError, match=r"^no images were given: name files or folders$"):
        image_files([])


def test_an_ensemble_answers_with_the_mean_of_its_members(
    lite0_lab: Laboratory, tmp_path: Path
) -> None:
    """Frozen stages that members share are run once for an image."""
    members, alone = [], []
    for number, k in enumerate([7, 9]):
        training = lite0_lab.training(replace(CONFIG, frozen_stages=k))
        training.run_epoch()
        description = ModelDescription(
            lite0_lab.task, training.config, ("ants", "bees"), "tiny", "f", "fp32",
            provenance={"weights_hash": lite0_lab.backbone.weights_hash},
        )  # fmt: skip
        members.append((training.network(), description))
        save_model(tmp_path / str(number), training.network(), description, "")
        alone.append(load_model(tmp_path / str(number)))
    save_ensemble(tmp_path / "both", members, {"loss": 0.5}, {"sweep": "s"}, "# Both\n")
    both = load_model(tmp_path / "both")
    assert (both.description.metrics, both.description.provenance) == (
        {"loss": 0.5},
        {"sweep": "s"},
    )
    assert both.members[0].backbone is both.members[1].backbone
    runs: list[int] = []
    both.members[0].network[0].register_forward_hook(lambda *_: runs.append(1))
    paths = lite0_lab.dataset.val.paths[:4]
    for together, first, second in zip(
        predict(both, paths), predict(alone[0], paths), predict(alone[1], paths), strict=True
    ):
        for name, probability in together.probabilities.items():
            mean = (first.probabilities[name] + second.probabilities[name]) / 2
            assert probability == pytest.approx(mean, abs=1e-5)
    assert len(runs) == len(paths)
    with pytest.raises(ModelError, match="an ensemble of 2 has no single network"):
        _ = both.network
    (tmp_path / "both" / "member-2" / "model.json").write_text("{}")
    with pytest.raises(ModelError, match="its format is None, not 1"):
        load_model(tmp_path / "both")
