"""What was answered for each image: confusions, disagreements, images hardly anyone gets right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.evidence import Floats, Integers
from results.finals import OutOfFold
from results.ranking import wilson_interval
from results.report.gathered import Images, class_names
from results.schema import TrialRecord

NEARLY_ALL = 0.9
"""The share of the finalists from which an image that they miss is suspected of its label."""
MOST_CLASSES = 30
"""Beyond so many classes a matrix of confusions cannot be read."""
_NUM_BINS = 10


@dataclass(frozen=True)
class Answered:
    """What one trial answered for images.

    Args:
        source: How it was had, in words.
        places: The images' places in the list of all.
        probabilities: ``(images, classes)``.
        labels: ``(images,)``.
    """

    trial_number: int
    source: str
    places: Sequence[int]
    probabilities: Floats
    labels: Integers

    @property
    def predicted(self) -> Integers:
        """The class with the highest probability, ``(images,)``."""
        found: Integers = self.probabilities.argmax(axis=1)
        return found


@dataclass(frozen=True)
class Cell:
    """How many images of a class were taken for one of a class."""

    truth: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Disagreement:
    """An image that two configurations give different classes."""

    place: int
    name: str
    split: str
    truth: str
    winner: str
    winner_probability: float
    other: str
    other_probability: float


@dataclass(frozen=True)
class Suspect:
    """An image that nearly all finalists miss.

    Args:
        missed: The share of the finalists that miss it.
        answer: What most of them take it for.
    """

    place: int
    name: str
    split: str
    truth: str
    answer: str
    missed: float
    probability: float


@dataclass(frozen=True)
class Copy:
    """An image to validate on that is nearly the same as one to learn from."""

    train_place: int
    train_name: str
    val_place: int
    val_name: str


@dataclass(frozen=True)
class Bin:
    """Images whose answers were about as confident, and how often those were right."""

    confidence: float
    accuracy: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """How far confidence can be believed.

    Args:
        error: The expected calibration error: the mean distance of confidence and accuracy.
    """

    trial_number: int
    source: str
    error: float
    bins: tuple[Bin, ...]


def answered_by(
    trial: TrialRecord, answers: OutOfFold | None, images: Images | None
) -> Answered | None:
    """Return a trial's answers: out of fold, else for the validation images; ``None`` if neither.

    Leaderboards hold no labels: without finals, the images must be at hand.
    """
    number = trial.trial_number
    if answers is not None and number in answers.trial_numbers:
        given = answers.probabilities[answers.trial_numbers.index(number)]
        source = f"out of fold, {len(answers.labels)} images"
        return Answered(number, source, range(len(given)), given, answers.labels)
    if images is None or not trial.probabilities:
        return None
    places = range(images.num_train, len(images.names))
    if len(places) != len(trial.probabilities):
        return None
    given = np.array(trial.probabilities, np.float64)
    labels = np.array([images.labels[place] for place in places], np.int64)
    return Answered(number, f"{len(places)} validation images", places, given, labels)


def classes(answered: Answered, images: Images | None) -> tuple[str, ...]:
    """Return the names of the classes."""
    return tuple(class_names(images, answered.probabilities.shape[1]))


def confusion(answered: Answered, images: Images | None) -> tuple[Cell, ...]:
    """Count what images of each class were taken for, row by row.

    Of very many classes, only what happened: a million cells of nothing help nobody.
    """
    count = answered.probabilities.shape[1]
    names = class_names(images, count)
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (answered.labels, answered.predicted), 1)
    sums = np.maximum(table.sum(axis=1), 1)
    return tuple(
        Cell(names[i], names[j], int(table[i, j]), float(table[i, j] / sums[i]))
        for i in range(count)
        for j in range(count)
        if count <= MOST_CLASSES or table[i, j]
    )


def disagreements(
    winner: Answered, other: Answered, images: Images | None
) -> tuple[Disagreement, ...]:
    """Return the images that two take for different classes, the most confident ones first."""
    if list(winner.places) != list(other.places):
        return ()
    names = class_names(images, winner.probabilities.shape[1])
    found = []
    for row in np.flatnonzero(winner.predicted != other.predicted).tolist():
        place, mine, theirs = winner.places[row], winner.predicted[row], other.predicted[row]
        found.append(
            Disagreement(
                place, *_name_and_split(images, place), names[winner.labels[row]],
                names[mine], float(winner.probabilities[row, mine]),
                names[theirs], float(other.probabilities[row, theirs]),
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda d: -d.winner_probability - d.other_probability))


def suspects(answers: OutOfFold, images: Images | None) -> tuple[Suspect, ...]:
    """Return the images that nearly all finalists miss, the most certain misses first."""
    names = class_names(images, answers.probabilities.shape[2])
    predicted = answers.probabilities.argmax(axis=2)
    missed = (predicted != answers.labels).mean(axis=0)
    found = []
    for place in np.flatnonzero(missed >= NEARLY_ALL):
        wrong = predicted[:, place][predicted[:, place] != answers.labels[place]]
        answer = int(np.bincount(wrong).argmax())
        mean = float(answers.probabilities[:, place, answer].mean())
        found.append(
            Suspect(
                int(place), *_name_and_split(images, int(place)),
                names[answers.labels[place]], names[answer], float(missed[place]), mean,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda s: (-s.missed, -s.probability)))


def _name_and_split(images: Images | None, place: int) -> tuple[str, str]:
    if images is None:
        return f"image {place}", ""
    return images.names[place], images.split(place)


def copies(images: Images) -> tuple[Copy, ...]:
    """Return the pairs of near-duplicates of which one is to learn from and one to validate on."""
    if images.groups is None:
        return ()
    learnt: dict[int, int] = {}
    for place, group in enumerate(images.groups[: images.num_train]):
        learnt.setdefault(group, place)
    return tuple(
        Copy(learnt[group], images.names[learnt[group]], place, images.names[place])
        for place, group in enumerate(images.groups)
        if place >= images.num_train and group in learnt
    )


def calibration(answered: Answered) -> Calibration:
    """Hold confidence against accuracy, in ten bins of equal width.

    Source: Guo et al. (2017), https://arxiv.org/abs/1706.04599.
    """
    confidence = answered.probabilities.max(axis=1)
    right = answered.predicted == answered.labels
    places = np.minimum((confidence * _NUM_BINS).astype(int), _NUM_BINS - 1)
    bins = []
    for place in np.unique(places):
        members = places == place
        count, accuracy = int(members.sum()), float(right[members].mean())
        interval = wilson_interval(accuracy, count)
        mean = float(confidence[members].mean())
        bins.append(Bin(mean, accuracy, interval.low, interval.high, count))
    error = sum(b.count * abs(b.confidence - b.accuracy) for b in bins) / len(confidence)
    return Calibration(answered.trial_number, answered.source, error, tuple(bins))
