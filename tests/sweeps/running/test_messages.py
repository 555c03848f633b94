"""What crosses Ray arrives as it was sent, and every field of it is put to use."""

from __future__ import annotations

import ast
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from ray.tune.utils.util import flatten_dict

from antsbees.config import TrialConfig
from antsbees.training import EpochMetrics
from results.schema import COLUMNS
from sweeps.running.messages import Epoch, Facts, Proposal, Report
from tests.sweeps.sweep_fakes import epoch

RUNNING = Path(__file__).parents[3] / "sweeps" / "running"
PROPOSAL = Proposal(
    number=7, trial=TrialConfig(frozen_stages=9, lr=0.02), is_first=True, lane="gpu",
    device="cuda", threads=2, resources={"CPU": 2, "GPU": 0.5}, slots=3,
)  # fmt: skip
FACTS = Facts(started_at_s=1.5, node="here", worker_pid=42, peak_memory_bytes=10)
REPORTS = {
    "epochs": Report(
        done=False, epoch=2, score=0.9, epochs=(Epoch(**epoch(1)), Epoch(**epoch(2))),
        facts=FACTS, probabilities=[[0.25, 0.75]],
    ),
    "a failure": Report(
        done=True, epoch=0, score=None, epochs=(), facts=FACTS,
        error_kind="diverged", error_message="no longer finite",
    ),
}  # fmt: skip


def test_a_proposal_arrives_as_it_was_sent() -> None:
    plain = json.loads(json.dumps(PROPOSAL.to_plain()))
    assert Proposal.from_plain(plain | {"what ray adds": 1}) == PROPOSAL


@pytest.mark.parametrize("what", REPORTS)
def test_a_report_arrives_as_it_was_sent(what: str) -> None:
    """Ray flattens what is nested in dictionaries, and adds values of its own."""
    plain = flatten_dict(json.loads(json.dumps(REPORTS[what].to_plain())) | {"time_total_s": 1})
    assert Report.from_plain(plain) == REPORTS[what]


def test_a_score_that_is_not_there_is_no_key_for_ray() -> None:
    assert "score" not in REPORTS["a failure"].to_plain()


def test_an_epoch_is_what_training_says_of_one() -> None:
    assert [f.name for f in fields(Epoch)] == [f.name for f in fields(EpochMetrics)]


def test_every_fact_has_a_column() -> None:
    facts = {f.name for f in fields(Facts)} - {"started_at_s"}  # the column is a time
    assert facts <= set(COLUMNS)


def attributes_read() -> set[str]:
    """Every attribute or key that the modules beside the messages read."""
    found: set[str] = set()
    modules = [path for path in RUNNING.glob("*.py") if path.name != "messages.py"]
    assert len(modules) > 10
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                found.add(node.attr)
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                found.add(str(node.slice.value))
    return found


@pytest.mark.parametrize("message", [Proposal, Report])
def test_every_field_is_consumed(message: Any) -> None:
    read_by_ray = {"done", "epoch", "score"}  # its controller, its schedulers
    names = {f.name for f in fields(message)}
    assert len(names) >= 8
    assert names - attributes_read() - read_by_ray - {"lane"} == set()
