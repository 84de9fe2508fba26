"""Schema of the laws in a parameter file, and of the evidence behind a fitted one."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from weakreset.model import TruncatedLaw

__all__ = [
    "AnyLaw",
    "CycleSpread",
    "FamilyChoice",
    "GoodnessOfFitEntry",
    "Interval",
    "ParameterLaw",
    "Probability",
    "Strict",
]

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Interval = Annotated[list[float], Field(min_length=2, max_length=2)]


class Strict(BaseModel):
    """Unknown keys refused, NaN and infinity refused, numbers are numbers and not strings."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True, frozen=True)


class LawBase(Strict):
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
    def _law_exists(self) -> LawBase:
        self.law()  # raises ValueError, which pydantic reports with the place
        return self


class NormParams(Strict):
    mean: float
    sd: float = Field(gt=0)


class ExponParams(Strict):
    loc: float
    scale: float = Field(gt=0)


class LognormParams(Strict):
    s: float = Field(gt=0, description="standard deviation of the natural log")
    scale: float = Field(gt=0, description="median of the untruncated law")


class ShapeScaleParams(Strict):
    shape: float = Field(gt=0)
    scale: float = Field(gt=0)


class UniformParams(Strict):
    low: float
    high: float


class UnitGammaParams(Strict):
    shape: float = Field(gt=0)
    scale: float = Field(gt=0)
    upper: float = Field(gt=0, description="the largest possible value: upper * exp(-Gamma(shape, scale))")


class ConstantParams(Strict):
    value: float


class NormLaw(LawBase):
    family: Literal["norm"]
    params: NormParams


class ExponLaw(LawBase):
    family: Literal["expon"]
    params: ExponParams


class LognormLaw(LawBase):
    family: Literal["lognorm"]
    params: LognormParams


class GammaLaw(LawBase):
    family: Literal["gamma"]
    params: ShapeScaleParams


class WeibullLaw(LawBase):
    family: Literal["weibull"]
    params: ShapeScaleParams


class UniformLaw(LawBase):
    family: Literal["uniform"]
    params: UniformParams


class UnitGammaLaw(LawBase):
    family: Literal["unit_gamma"]
    params: UnitGammaParams


class ConstantLaw(LawBase):
    family: Literal["constant"]
    params: ConstantParams


class FamilyChoice(Strict):
    """One family that was tried: its AIC (lower is better) and Akaike weight."""

    family: str
    aic: float
    weight: Probability


class GoodnessOfFitEntry(Strict):
    """Distance of the devices from the law, and the share of replicas that lie at least as far away."""

    statistic: str
    value: float
    p_value: Probability
    replicates: int = Field(ge=1)
    method: str | None = None


class CycleSpread(Strict):
    """How far a number changes from cycle to cycle of one device, about the device's own."""

    sd: float = Field(ge=0, description="standard deviation in the scale given")
    scale: Literal["ln", "linear"] = Field(description="of the logarithm, or of the number itself")
    stderr: float | None = Field(default=None, ge=0)
    n_devices: int | None = Field(default=None, ge=0)
    n_cycles: int | None = Field(default=None, ge=0, description="cycles of all devices")


class Evidence(Strict):
    """What a fitted law rests on; absent in published presets."""

    unit: str = Field(description="unit of the parameter, e.g. ohm, 1/pulse, pulse, 1")
    stderr: dict[str, float] | None = Field(default=None, description="standard error of each of params")
    n_devices: int | None = Field(default=None, ge=0, description="devices that were fitted")
    n_informative: int | None = Field(default=None, ge=0, description="devices whose own estimate informed the law")
    n_censored: int | None = Field(default=None, ge=0, description="devices known only to lie beyond the trace")
    candidates: list[FamilyChoice] | None = Field(default=None, description="families compared, best first")
    note: str | None = None
    interval: dict[str, Interval] | None = Field(default=None, description="95 % bootstrap interval of each of params")
    goodness_of_fit: list[GoodnessOfFitEntry] | None = Field(default=None, description="tests of the law's form")


class NormParameter(Evidence, NormLaw):
    pass


class ExponParameter(Evidence, ExponLaw):
    pass


class LognormParameter(Evidence, LognormLaw):
    pass


class GammaParameter(Evidence, GammaLaw):
    pass


class WeibullParameter(Evidence, WeibullLaw):
    pass


class UniformParameter(Evidence, UniformLaw):
    pass


class UnitGammaParameter(Evidence, UnitGammaLaw):
    pass


class ConstantParameter(Evidence, ConstantLaw):
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
