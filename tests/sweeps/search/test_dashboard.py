"""Optuna's dashboard opens the study of a sweep as it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from sweeps.search.study import SearchStudy
from tests.sweeps.sweep_fakes import WIDE_SPACE, make_spec, row


class Silent(WSGIRequestHandler):
    """Handles requests without a word."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The dashboard of a study of three trials, as ``optuna-dashboard study.journal`` serves it."""
    dashboard = pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is missing")
    study = SearchStudy.open(make_spec(WIDE_SPACE), tmp_path / "study.journal")
    for score in (0.8, 0.9, 0.85):
        asked = study.next()
        assert asked is not None
        study.report(asked.number, 1, score)
        study.tell(row(asked.number, score))
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "study.journal")))
    with make_server("127.0.0.1", 0, dashboard.wsgi(storage), handler_class=Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_dashboard_shows_every_trial_with_its_score_and_epochs(address: str) -> None:
    with urlopen(f"{address}/api/studies", timeout=20) as answer:
        (summary,) = json.load(answer)["study_summaries"]
    assert summary["study_name"] == "test"
    with urlopen(f"{address}/api/studies/{summary['study_id']}", timeout=20) as answer:
        told = json.load(answer)
    trials = told["trials"]
    assert [trial["values"] for trial in trials] == [[0.8], [0.9], [0.85]]
    assert {trial["state"] for trial in trials} == {"Complete"}
    assert [len(trial["intermediate_values"]) for trial in trials] == [1, 1, 1]
