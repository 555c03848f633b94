"""What ``antsbees retrain`` says before it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweeps import ensembling
from sweeps.cli.retrain import _retrain_ensemble
from sweeps.origin import Origin
from sweeps.retraining import Asked
from sweeps.views import retrained
from sweeps.views.console import PlainConsole
from tests.sweeps.sweep_fakes import DATASET, row


@pytest.mark.parametrize(("members", "told"), [(1, "1 trial"), (2, "2 trials")])
def test_the_members_of_an_ensemble_are_counted(
    members: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is trained here."""
    trained: list[Any] = []
    monkeypatch.setattr(ensembling, "retrain_ensemble", lambda *given: trained.append(given))
    monkeypatch.setattr(retrained, "told_of_ensemble", lambda *_: [])
    asked = [Asked(row(n), Origin(DATASET, 0), 1, True) for n in range(members)]
    ensemble: Any = None
    _retrain_ensemble(asked, ensemble, None, tmp_path, PlainConsole())
    said = capsys.readouterr().out
    assert said.startswith(f"Training {told} of sweep test again, dataset photos\n")
    assert len(trained) == 1
