"""What is switched off, or changed, in each run of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from weakreset.parameter_file import ParameterFile, scale_spread

__all__ = ["ALL_ON", "Condition", "all_conditions", "nominal_conditions", "spread_condition"]

ALL_ON = "all on"


@dataclass(frozen=True)
class Condition:
    """One way to train.

    Attributes
    ----------
    name : str
    without : tuple of str
        Imperfections switched off (pink, rtn); D2D is changed by `spread`.
    spread : mapping of str to float
        Factors of the D2D spread by parameter; 1 where not named.
    ideal : bool
        Latent weights instead of devices.
    nominal : str, optional
        "median" or "mean" in place of the study's.
    """

    name: str
    without: tuple[str, ...] = ()
    spread: Mapping[str, float] = field(default_factory=dict)
    ideal: bool = False
    nominal: str | None = None

    def parameters(self, params: ParameterFile, nominal: str) -> ParameterFile:
        """The parameter file of this condition."""
        return scale_spread(params, self.spread, self.nominal or nominal) if self.spread else params


def all_conditions(params: ParameterFile) -> tuple[Condition, ...]:
    """The conditions of a study: all on; each imperfection off, and alone; D2D scaled, and of one parameter alone."""
    names = (*params.parameters, "rtn_amplitude")
    none = dict.fromkeys(names, 0.0)
    alone = [*(name for name in params.parameters if name != "r0_ohm"), "r0_ohm"]
    return (
        Condition("ideal", ideal=True),
        Condition(ALL_ON),
        Condition("without d2d", spread=none),
        Condition("without pink", without=("pink",)),
        Condition("without rtn", without=("rtn",)),
        Condition("only d2d", without=("pink", "rtn")),
        Condition("only pink", without=("rtn",), spread=none),
        Condition("only rtn", without=("pink",), spread=none),
        Condition("d2d x 0.5", spread=dict.fromkeys(names, 0.5)),
        Condition("d2d x 2", spread=dict.fromkeys(names, 2.0)),
        *(Condition(f"d2d of {name} alone", spread=none | {name: 1.0}) for name in alone),
    )


def nominal_conditions(params: ParameterFile) -> tuple[Condition, ...]:
    """Without D2D at the median and at the mean of the laws; not part of a study unless asked for."""
    none = dict.fromkeys((*params.parameters, "rtn_amplitude"), 0.0)
    return tuple(Condition(f"without d2d ({what} device)", spread=none, nominal=what) for what in ("median", "mean"))


def spread_condition(params: ParameterFile, name: str, factor: float) -> Condition:
    """All on, the spread of one parameter ("all": of every one) multiplied."""
    if factor == 1.0:
        return Condition(ALL_ON)
    names = (*params.parameters, "rtn_amplitude") if name == "all" else (name,)
    return Condition(f"spread of {name} x {factor:g}", spread=dict.fromkeys(names, factor))
