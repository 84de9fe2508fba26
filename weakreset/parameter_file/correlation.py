"""Schema of the correlation between the parameters of a device, and of the tests behind it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from weakreset.parameter_file.law_schema import Interval, Probability, Strict

__all__ = ["Correlation", "CorrelationTest"]


class CorrelationTest(Strict):
    """Estimated correlation of a pair and the test of its independence; the matrix holds 0 unless rejected."""

    names: list[str] = Field(min_length=2, max_length=2)
    correlation: float = Field(ge=-1.0, le=1.0)
    stderr: float = Field(ge=0)
    interval: Interval
    p_value: Probability
    adjusted_p_value: Probability
    rejected: bool


class Correlation(Strict):
    """Gaussian copula between parameters; absent means independent."""

    names: list[str]
    copula: Literal["gaussian"] = "gaussian"
    matrix: list[list[float]] = Field(description="correlation of the normal scores, rows and columns as names")
    tests: list[CorrelationTest] | None = Field(default=None, description="every pair that was tested")

    @model_validator(mode="after")
    def _is_a_correlation_matrix(self) -> Correlation:
        n = len(self.names)
        if len(set(self.names)) < n:
            raise ValueError(f"names must differ, got {self.names}")
        if len(self.matrix) != n or any(len(row) != n for row in self.matrix):
            raise ValueError(f"matrix must be {n} x {n}, one row and column for each of {self.names}")
        for i in range(n):
            if self.matrix[i][i] != 1.0:
                raise ValueError(f"diagonal must be 1, got {self.matrix[i][i]} for {self.names[i]}")
            for j in range(i):
                if abs(self.matrix[i][j] - self.matrix[j][i]) > 1e-12 or not abs(self.matrix[i][j]) < 1.0:
                    raise ValueError(
                        f"{self.names[i]}-{self.names[j]}: {self.matrix[i][j]} and {self.matrix[j][i]} "
                        "must be equal and between -1 and 1"
                    )
        import numpy as np

        # pairs may each be possible and all together not; `draw` takes its Cholesky root
        smallest = float(np.linalg.eigvalsh(np.asarray(self.matrix)).min()) if n else 1.0
        if smallest <= 0:
            raise ValueError(f"matrix is not positive definite (smallest eigenvalue {smallest:.3g})")
        return self
