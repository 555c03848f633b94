"""Multinomial logistic regression with L2, fitted to convergence; many problems on the same rows.

Rows are few and features many, so that everything happens in the coordinates of the rows' own
span: a rotation, which changes neither logits nor the L2 norm of the weights.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

logger = logging.getLogger(__name__)

MAX_ITERATIONS = 1000
TYPICAL_CURVATURE = 0.02  # of the loss in a logit, at the solution; it only steers the search
TOLERANCE = 1e-5  # of the gradient: log-losses are right to nine digits
NEGLIGIBLE = 1e-12  # of the largest eigenvalue: directions in which the rows do not differ


@dataclass(frozen=True)
class Span:
    """Standardised rows in coordinates of their own.

    Args:
        coordinates: ``(N, R) float64``.
        basis: ``(D, R) float64`` with orthonormal columns: standardised rows are
            ``coordinates @ basis.T``.
        mean: ``(D,) float64`` of each feature.
        std: ``(D,) float64`` of each feature, 1 where it is constant.
    """

    coordinates: Tensor
    basis: Tensor
    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Span:
        """Standardise rows, and find the coordinates of their span.

        Args:
            features: ``(N, D)``.
        """
        rows = features.double()
        mean, std = rows.mean(dim=0), rows.std(dim=0, correction=0)
        std = torch.where(std > 0, std, 1.0)
        rows = (rows - mean) / std
        if rows.shape[0] > rows.shape[1]:
            basis = torch.linalg.eigh(rows.T @ rows).eigenvectors
            return cls(rows @ basis, basis, mean, std)
        values, vectors = torch.linalg.eigh(rows @ rows.T)
        kept = values > NEGLIGIBLE * values[-1]
        lengths = values[kept].sqrt()
        return cls(vectors[:, kept] * lengths, rows.T @ (vectors[:, kept] / lengths), mean, std)

    def project(self, features: Tensor) -> Tensor:
        """Return the coordinates of other rows; what lies outside of the span meets no weight."""
        return ((features.double() - self.mean) / self.std) @ self.basis


@dataclass(frozen=True)
class Problems:
    """P regressions on the same rows, which differ in the rows that count.

    Args:
        coordinates: ``(N, R) float64``.
        labels: ``(N,) int64``.
        shares: ``(N, P) float64``, of each row in a problem's mean loss; columns sum to 1.
    """

    coordinates: Tensor
    labels: Tensor
    num_classes: int
    shares: Tensor

    def fit(
        self, strength: float, start: Tensor | None = None, tolerance: float = TOLERANCE
    ) -> Tensor:
        """Minimise each problem's mean cross-entropy + strength / 2 x |weights|^2.

        The variables are scaled such that the loss curves about equally in all of them (D. Böhning,
        https://doi.org/10.1007/BF00048682), which leaves L-BFGS a few dozen steps.

        Args:
            start: What an earlier call returned.
            tolerance: Of the largest component of the gradient in scaled variables.

        Returns:
            ``(P, R + 1, num_classes) float64``: weights, and the intercepts in the last row.
        """
        num_rows, rank = self.coordinates.shape
        curvature = TYPICAL_CURVATURE * self.coordinates.square().sum(dim=0) / num_rows + strength
        scale = torch.cat([curvature.rsqrt(), torch.ones(1)])[:, None].double()
        rows = torch.cat([self.coordinates, torch.ones(num_rows, 1)], dim=1) * scale.T
        columns = (self.shares.shape[1], self.num_classes)
        variables = torch.zeros(rank + 1, columns[0] * columns[1], dtype=torch.float64)
        if start is not None:
            variables = start.movedim(0, 1).flatten(1) / scale
        shares = self.shares[:, :, None]
        is_label = F.one_hot(self.labels, self.num_classes).double()[:, None]
        penalty = strength * scale.square()
        penalty[-1] = 0.0

        def loss() -> Tensor:
            logits = (rows @ variables).unflatten(1, columns)
            log_p = logits.log_softmax(dim=2)
            residual = ((log_p.exp() - is_label) * shares).flatten(1)
            variables.grad = rows.T @ residual + penalty * variables
            cross_entropy = -(log_p * is_label * shares).sum()
            total: Tensor = cross_entropy + (penalty * variables.square()).sum() / 2
            return total

        loss()
        search = torch.optim.LBFGS(
            [variables],
            max_iter=MAX_ITERATIONS,
            max_eval=2 * MAX_ITERATIONS,
            tolerance_grad=tolerance,
            tolerance_change=1e-14,
            history_size=20,
            line_search_fn="strong_wolfe",
        )
        search.step(loss)
        if variables.grad is not None and variables.grad.abs().max() > 10 * tolerance:
            logger.warning("a logistic regression did not converge in %d steps", MAX_ITERATIONS)
        solution: Tensor = (variables * scale).unflatten(1, columns)
        return solution.movedim(1, 0)

    def logits(self, solution: Tensor, coordinates: Tensor) -> Tensor:
        """Return each problem's logits ``(P, M, num_classes)`` for M rows."""
        return coordinates @ solution[:, :-1] + solution[:, -1:]
