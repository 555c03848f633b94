"""What first tries promise: each is tried once, whenever it came into the spec."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from results.schema import PROBE
from sweeps import configs
from sweeps.search.space import SearchSpace
from sweeps.search.study import SearchStudy
from sweeps.spec.first import PORTFOLIO
from sweeps.spec.models import SweepSpec
from sweeps.spec.reading import read_spec
from tests.sweeps.search_bench import next_of
from tests.sweeps.sweep_fakes import make_spec, row

A, B = {"name": "a", "lr": 0.1}, {"name": "b", "lr": 0.2}


def spec_with(*first: Any) -> SweepSpec:
    return make_spec(search={"sampler": "random", "first": list(first)})


def labels(study: SearchStudy, count: int) -> list[str | None]:
    found = []
    for _ in range(count):
        asked = next_of(study)
        study.tell(row(asked.number))
        found.append(asked.first)
    return found


def test_the_sampler_of_the_default_learns_from_the_whole_portfolio() -> None:
    """A first try with a value outside of the space is not shown to it."""
    spec = read_spec(Path(configs.__file__).parent / "default.yaml")
    space = SearchSpace.of(spec)
    outside = [set(space.divide(first)[1]) & set(space.searched()) for first in spec.firsts]
    of_portfolio = [
        o for o, first in zip(outside, spec.firsts, strict=True) if first.name == PORTFOLIO
    ]
    assert len(of_portfolio) >= 6
    assert of_portfolio == [set()] * len(of_portfolio)
    assert all(o for o, first in zip(outside, spec.firsts, strict=True) if first.name == PROBE)


def test_first_tries_of_a_study_whose_process_was_killed_before_they_were_in(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "study.journal"
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from sweeps.search.study import SearchSpace, SearchStudy;"
        "from sweeps.spec.models import SweepSpec;"
        "real = SearchSpace.divide; calls = [];\n"
        "def divide(*given):\n"
        "    calls.append(given)\n"
        "    if len(calls) == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(*given)\n"
        "SearchSpace.divide = divide\n"
        "spec = SweepSpec.model_validate_json(sys.argv[2])\n"
        "SearchStudy.open(spec, Path(sys.argv[1]))"
    )
    spec = spec_with(A, B)
    killed = subprocess.run([sys.executable, "-c", code, journal, spec.model_dump_json()])
    assert killed.returncode == -signal.SIGKILL
    assert os.path.getsize(journal) > 0
    assert labels(SearchStudy.open(spec, journal), 3) == ["a", "b", None]


def test_a_first_try_that_the_spec_gains_is_tried_before_the_search_goes_on(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "study.journal"
    assert labels(SearchStudy.open(spec_with(A), journal), 2) == ["a", None]
    assert labels(SearchStudy.open(spec_with(B, A), journal), 2) == ["b", None]
    assert labels(SearchStudy.open(spec_with(B, A, A), journal), 2) == ["a", None]


def test_a_first_try_of_another_name_is_the_same(tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    assert labels(SearchStudy.open(spec_with(A), journal), 1) == ["a"]
    assert labels(SearchStudy.open(spec_with(A | {"name": "z"}), journal), 1) == [None]


def test_a_first_try_that_the_spec_lost_is_not_begun(tmp_path: Path) -> None:
    journal = tmp_path / "study.journal"
    assert labels(SearchStudy.open(spec_with(A, B), journal), 1) == ["a"]
    study = SearchStudy.open(spec_with(), journal)
    assert study.num_proposed == 1
    assert labels(study, 1) == [None]
    assert labels(SearchStudy.open(spec_with(B), journal), 2) == ["b", None]
