"""The search follows the probes, also of an earlier start, and says with what it goes on."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from sweeps.running.probing import Probing
from tests.sweeps.search_bench import Bench, finish, opened
from tests.sweeps.sweep_fakes import CPU, DATASET, make_spec, row

BACKBONES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
PROBED = BACKBONES[::-1]  # the most promising first
SPEC = make_spec(
    {"lr": {"log_uniform": [0.001, 0.1]}},
    backbone={"choice": list(BACKBONES)},
    search={"trials": 40, "sampler": "random", "first": ["tutorial", "probe"]},
)
ANSWERS = {"efficientnet_lite0": 0.7, "efficientnet_lite1": 0.8, "efficientnet_lite2": 0.9}
"""What each probe gives the right class of the one validation image."""


def run_probes(bench: Bench, backbones: tuple[str, ...] = PROBED) -> None:
    """Run the tutorial's configuration, then the probes."""
    for trial_id, backbone in zip("tabc", (BACKBONES[0], *backbones), strict=False):
        proposal = bench.searcher.suggest(trial_id)
        assert proposal["trial"]["backbone"] == backbone
        right = ANSWERS[backbone]
        epochs = proposal["trial"]["epochs"]
        bench.run(trial_id, *[right] * epochs, probabilities=[[right, 1 - right]])


def searched(bench: Bench) -> set[str]:
    """Return the backbones of the next trials."""
    proposals = []
    for number in range(20):
        proposals.append(bench.searcher.suggest(f"s{number}"))
        bench.run(f"s{number}", 0.5, probabilities=[[0.5, 0.5]])
    return {proposal["trial"]["backbone"] for proposal in proposals}


def noted(bench: Bench) -> list[str]:
    return [told[1] for told in bench.notes.taken if told[0] == "noted"]


def test_what_is_searched_has_the_backbones_whose_probe_is_good(tmp_path: Path) -> None:
    bench = Bench(opened(tmp_path, SPEC), SPEC, lanes=(CPU,))
    run_probes(bench)
    assert searched(bench) == {"efficientnet_lite2"}
    assert noted(bench) == [
        "Log-loss of the probes: efficientnet_lite2 0.100, efficientnet_lite1 0.200, "
        "efficientnet_lite0 0.300; the search goes on with efficientnet_lite2"
    ]


def test_a_backbone_that_beats_every_probe_otherwise_is_searched_too(tmp_path: Path) -> None:
    """The portfolio's deep tries are on the cheapest, whatever its probe is like."""
    spec = make_spec(
        {"lr": {"log_uniform": [0.001, 0.1]}, "frozen_stages": {"choice": ["all", 5]}},
        backbone={"choice": list(BACKBONES)},
        search={"trials": 40, "sampler": "random", "first": ["tutorial", "probe", "portfolio"]},
    )
    bench = Bench(opened(tmp_path, spec), spec, lanes=(CPU,))
    run_probes(bench)
    head, deep = bench.searcher.suggest("head"), bench.searcher.suggest("deep")
    assert head["trial"]["backbone"] == "efficientnet_lite2"
    bench.run("head", *[0.95] * 3, probabilities=[[0.95, 0.05]])
    assert len(noted(bench)) == 1
    assert (deep["trial"]["backbone"], deep["trial"]["frozen_stages"]) == ("efficientnet_lite0", 5)
    bench.run("deep", *[0.95] * 3, probabilities=[[0.95, 0.05]])
    assert noted(bench)[1:] == [
        f"Trial {deep['number']} is better than every probe: the search goes on with "
        "efficientnet_lite0 too"
    ]
    assert searched(bench) == {"efficientnet_lite0", "efficientnet_lite2"}


def test_one_that_joined_before_the_last_probe_is_named_with_the_others(tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"search": SPEC.search.model_copy(update={"first": ()})})
    study, notes = opened(tmp_path, spec), list[str]()
    bench = Bench(study, spec, lanes=(CPU,))
    probing = Probing(study, DATASET.val.labels, spec.backbones, notes.append)
    trial = replace(row(9, 0.9), backbone="efficientnet_lite0", val_loss=0.05)
    probes = [
        replace(
            row(n, 0.9), first="probe", backbone=name, val_loss=-math.log(right),
            probabilities=[[right, 1 - right]],
        )
        for n, (name, right) in enumerate(ANSWERS.items())
    ]  # fmt: skip
    for record in (*probes[:2], trial, probes[2], replace(trial, trial_number=10, val_loss=0.09)):
        probing.hear(record)
    (told,) = notes
    assert told.endswith("goes on with efficientnet_lite2 and efficientnet_lite0")
    assert searched(bench) == {"efficientnet_lite0", "efficientnet_lite2"}


def test_while_a_probe_is_missing_the_others_are_searched(tmp_path: Path) -> None:
    bench = Bench(opened(tmp_path, SPEC), SPEC, lanes=(replace(CPU, slots=9),))
    run_probes(bench, PROBED[:2])
    assert bench.searcher.suggest("late")["trial"]["backbone"] == "efficientnet_lite0"
    assert searched(bench) == {"efficientnet_lite2"}
    assert not noted(bench)


def test_a_search_taken_up_again_remembers_its_probes(tmp_path: Path) -> None:
    before = Bench(opened(tmp_path, SPEC), SPEC, lanes=(CPU,))
    run_probes(before)
    after = Bench(opened(tmp_path, SPEC), SPEC, lanes=(CPU,), known=before.rows)
    assert searched(after) == {"efficientnet_lite2"}


def test_a_grid_is_not_narrowed_nor_said_to_be(tmp_path: Path) -> None:
    search = {"trials": 40, "sampler": "grid", "first": ["tutorial", "probe"]}
    space = {"lr": {"choice": [0.01, 0.1]}, "frozen_stages": "all"}
    spec = make_spec(space, backbone={"choice": list(BACKBONES)}, search=search)
    bench = Bench(opened(tmp_path, spec), spec, lanes=(CPU,))
    run_probes(bench)
    assert {proposal["trial"]["backbone"] for proposal in finish(bench)} == {*BACKBONES}
    assert not noted(bench)


def test_one_backbone_is_not_spoken_of(tmp_path: Path) -> None:
    spec = make_spec(search={"trials": 5, "first": ["probe"]})
    notes: list[str] = []
    study = opened(tmp_path, spec)
    probing = Probing(study, DATASET.val.labels, spec.backbones, notes.append)
    bench = Bench(study, spec, lanes=(CPU,))
    bench.searcher.suggest("a")
    probing.hear(bench.run("a", 0.9, probabilities=[[0.9, 0.1]]))
    assert not notes
