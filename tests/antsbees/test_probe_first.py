"""The probe as a trial: its head answers as the probe itself does."""

from __future__ import annotations

import torch

from antsbees.config import TrialConfig
from antsbees.frozen.probe import fit_probe
from sweeps.spec.first import PROBE_FIRST
from tests.antsbees.laboratory import Laboratory


def test_the_first_try_called_probe_is_the_probe(lite0_lab: Laboratory) -> None:
    lab, k = lite0_lab, lite0_lab.task.num_stages
    plain = PROBE_FIRST.given() | {"frozen_stages": k}
    training = lab.bench().training(TrialConfig.from_dict(plain))
    training.run_epoch()
    source, labels = lab.activations(), torch.tensor(lab.dataset.train.labels)
    seen = source.get("train-centred", k, 0).float()
    probe = fit_probe(seen, labels, 2)
    assert training.evaluation is not None
    answered = torch.from_numpy(training.evaluation.probabilities).float()
    torch.testing.assert_close(answered, probe.probabilities(source.val(k)), atol=1e-4, rtol=0)
    assert answered.std() > 0.05
