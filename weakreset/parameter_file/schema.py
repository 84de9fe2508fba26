"""Schema of the parameter file: what the exporter writes and the PyTorch layer reads."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from weakreset.model import SHAPES, DeviceNoise, TruncatedLaw

__all__ = [
    "SCHEMA_NAME",
    "SCHEMA_VERSION",
    "Correlation",
    "Defects",
    "Noise",
    "ParameterFile",
    "ParameterLaw",
    "Provenance",
]

SCHEMA_NAME = "weakreset-parameters"
SCHEMA_VERSION = "1.0.0"

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class _Strict(BaseModel):
    """Unknown keys refused, NaN and infinity refused, numbers are numbers and not strings."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True, frozen=True)


class _LawBase(_Strict):
    """A truncated law: `params` of the untruncated family and the interval it is cut to."""

    truncation: tuple[float | None, float | None] = Field(
        default=(None, None), strict=False, description="[lower, upper]; null where there is no limit"
    )

    def law(self) -> TruncatedLaw:
        """The numpy law this entry describes."""
        lower, upper = self.truncation
        return TruncatedLaw(
            self.family,  # type: ignore[attr-defined]
            self.params.model_dump(),  # type: ignore[attr-defined]
            -math.inf if lower is None else lower,
            math.inf if upper is None else upper,
        )

    @model_validator(mode="after")
    def _law_exists(self) -> _LawBase:
        self.law()  # raises ValueError, which pydantic reports with the place
        return self


class NormParams(_Strict):
    mean: float
    sd: float = Field(gt=0)


class ExponParams(_Strict):
    loc: float
    scale: float = Field(gt=0)


class LognormParams(_Strict):
    s: float = Field(gt=0, description="standard deviation of the natural log")
    scale: float = Field(gt=0, description="median of the untruncated law")


class ShapeScaleParams(_Strict):
    shape: float = Field(gt=0)
    scale: float = Field(gt=0)


class UniformParams(_Strict):
    low: float
    high: float


class UnitGammaParams(_Strict):
    shape: float = Field(gt=0)
    scale: float = Field(gt=0)
    upper: float = Field(gt=0, description="the largest possible value: upper * exp(-Gamma(shape, scale))")


class ConstantParams(_Strict):
    value: float


class NormLaw(_LawBase):
    family: Literal["norm"]
    params: NormParams


class ExponLaw(_LawBase):
    family: Literal["expon"]
    params: ExponParams


class LognormLaw(_LawBase):
    family: Literal["lognorm"]
    params: LognormParams


class GammaLaw(_LawBase):
    family: Literal["gamma"]
    params: ShapeScaleParams


class WeibullLaw(_LawBase):
    family: Literal["weibull"]
    params: ShapeScaleParams


class UniformLaw(_LawBase):
    family: Literal["uniform"]
    params: UniformParams


class UnitGammaLaw(_LawBase):
    family: Literal["unit_gamma"]
    params: UnitGammaParams


class ConstantLaw(_LawBase):
    family: Literal["constant"]
    params: ConstantParams


class FamilyChoice(_Strict):
    """One family that was tried: its AIC (lower is better) and Akaike weight."""

    family: str
    aic: float
    weight: Probability


class _Evidence(_Strict):
    """What a fitted law rests on; absent in published presets."""

    unit: str = Field(description="unit of the parameter, e.g. ohm, 1/pulse, pulse, 1")
    stderr: dict[str, float] | None = Field(default=None, description="standard error of each of params")
    n_devices: int | None = Field(default=None, ge=0, description="devices that were fitted")
    n_informative: int | None = Field(default=None, ge=0, description="devices whose own estimate informed the law")
    n_censored: int | None = Field(default=None, ge=0, description="devices known only to lie beyond the trace")
    candidates: list[FamilyChoice] | None = Field(default=None, description="families compared, best first")
    note: str | None = None


class NormParameter(_Evidence, NormLaw):
    pass


class ExponParameter(_Evidence, ExponLaw):
    pass


class LognormParameter(_Evidence, LognormLaw):
    pass


class GammaParameter(_Evidence, GammaLaw):
    pass


class WeibullParameter(_Evidence, WeibullLaw):
    pass


class UniformParameter(_Evidence, UniformLaw):
    pass


class UnitGammaParameter(_Evidence, UnitGammaLaw):
    pass


class ConstantParameter(_Evidence, ConstantLaw):
    pass


AnyLaw = Annotated[
    NormLaw | ExponLaw | LognormLaw | GammaLaw | WeibullLaw | UniformLaw | UnitGammaLaw | ConstantLaw,
    Field(discriminator="family"),
]
ParameterLaw = Annotated[
    NormParameter
    | ExponParameter
    | LognormParameter
    | GammaParameter
    | WeibullParameter
    | UniformParameter
    | UnitGammaParameter
    | ConstantParameter,
    Field(discriminator="family"),
]


class Correlation(_Strict):
    """Gaussian copula between parameters; absent means independent."""

    names: list[str]
    copula: Literal["gaussian"] = "gaussian"
    matrix: list[list[float]] = Field(description="correlation of the normal scores, rows and columns as names")

    @model_validator(mode="after")
    def _is_a_correlation_matrix(self) -> Correlation:
        n = len(self.names)
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

        smallest = float(np.linalg.eigvalsh(np.asarray(self.matrix)).min()) if n else 1.0
        if smallest <= 0:
            raise ValueError(f"matrix is not positive definite (smallest eigenvalue {smallest:.3g})")
        return self


class PinkNoise(_Strict):
    """1/f^exponent noise per pulse; `alpha` multiplies unit-variance driving noise."""

    enabled: bool = True
    alpha: float = Field(ge=0)
    exponent: float = Field(default=1.0, ge=0.0, lt=2.0)
    alpha_stderr: float | None = Field(default=None, ge=0)
    exponent_stderr: float | None = Field(default=None, ge=0)
    n_devices: int | None = Field(default=None, ge=0)
    note: str | None = None


class TelegraphNoise(_Strict):
    """Two-state random telegraph noise; each device holds one amplitude drawn from `amplitude`."""

    enabled: bool = True
    p_up: Probability = Field(description="low to high, per pulse")
    p_down: Probability = Field(description="high to low, per pulse")
    amplitude: AnyLaw | None = Field(description="step in ln R; null when telegraph noise was not seen")
    fraction_of_devices: Probability = Field(default=1.0, description="share of devices that have RTN at all")
    n_devices: int | None = Field(default=None, ge=0)
    n_informative: int | None = Field(default=None, ge=0)
    note: str | None = None

    @model_validator(mode="after")
    def _enabled_needs_an_amplitude(self) -> TelegraphNoise:
        if self.enabled and self.amplitude is None:
            raise ValueError("enabled RTN needs an amplitude law")
        return self


class ReadNoise(_Strict):
    """White noise added by each read, in ln R."""

    enabled: bool = False
    sd: float = Field(default=0.0, ge=0)


class Noise(_Strict):
    pink: PinkNoise
    rtn: TelegraphNoise
    read: ReadNoise = ReadNoise()


class DefectKind(_Strict):
    kind: str
    fraction: Probability


class Defects(_Strict):
    """Devices that do not work at all, as a share of those measured."""

    fraction: Probability = 0.0
    kinds: list[DefectKind] = []


class InputFile(_Strict):
    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ExcludedDevice(_Strict):
    device: str
    reason: str
    n_readings: int | None = Field(default=None, ge=0)


class Provenance(_Strict):
    """Where the numbers come from."""

    software: str = "weakreset"
    software_version: str
    created: str | None = Field(default=None, description="ISO 8601 date and time, UTC")
    command: str | None = None
    simulated: bool = Field(default=False, description="true when the traces were simulated, not measured")
    inputs: list[InputFile] = []
    exclusions: list[ExcludedDevice] = []
    citation: str | None = None
    notes: list[str] = []


class ParameterFile(_Strict):
    """A fitted or published device technology, complete enough to simulate it."""

    schema_: Literal["weakreset-parameters"] = Field(default="weakreset-parameters", alias="schema")
    schema_version: str = Field(default=SCHEMA_VERSION, pattern=r"^\d+\.\d+\.\d+$")
    name: str = Field(min_length=1)
    model: str = Field(default="two-slope", description="drift shape of ln(R/R0) against pulses")
    parameters: dict[str, ParameterLaw]
    correlation: Correlation | None = None
    noise: Noise
    defects: Defects = Defects()
    provenance: Provenance
    validation: dict[str, Any] | None = Field(default=None, description="verdict and figures of `weakreset validate`")

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, strict=True, frozen=True, populate_by_name=True,
        title="weakreset parameter file",
    )

    @model_validator(mode="after")
    def _complete(self) -> ParameterFile:
        problems = []
        if self.model not in SHAPES:
            problems.append(f"model {self.model!r} is unknown; known: {', '.join(SHAPES)}")
        else:
            wanted = ("r0_ohm", *SHAPES[self.model].parameters)
            missing = [name for name in wanted if name not in self.parameters]
            extra = [name for name in self.parameters if name not in wanted]
            if missing:
                problems.append(f"parameters: missing {', '.join(missing)}")
            if extra:
                known = f"the {self.model} model has {', '.join(wanted)}"
                problems.append(f"parameters: unknown {', '.join(extra)} ({known})")
        if self.correlation is not None:
            strangers = [name for name in self.correlation.names if name not in self.parameters]
            if strangers:
                problems.append(f"correlation: no such parameter: {', '.join(strangers)}")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def save(self, path: Any) -> None:
        """Write the file atomically; see `weakreset.parameter_file.save_parameters`."""
        from weakreset.parameter_file.load_save import save_parameters

        save_parameters(self, path)

    def device_noise(self, without: tuple[str, ...] = ()) -> DeviceNoise:
        """Noise of the device model, with the parts named in `without` (pink, rtn) switched off."""
        pink, rtn, read = self.noise.pink, self.noise.rtn, self.noise.read
        pink_on = pink.enabled and "pink" not in without
        rtn_on = rtn.enabled and "rtn" not in without
        return DeviceNoise(
            alpha=pink.alpha if pink_on else 0.0,
            exponent=pink.exponent,
            p_up=rtn.p_up if rtn_on else 0.0,
            p_down=rtn.p_down if rtn_on else 0.0,
            read_sd=read.sd if read.enabled else 0.0,
        )


