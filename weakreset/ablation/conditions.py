"""What is switched off, or changed, in each run of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from weakreset.parameter_file import Imperfection, ParameterFile, imperfections, scale_spread

__all__ = ["ALL_OFF", "ALL_ON", "WITHOUT", "Condition", "all_conditions", "nominal_conditions", "spread_condition"]

ALL_ON, ALL_OFF, WITHOUT = "all on", "all off", "without "


@dataclass(frozen=True)
class Condition:
    """One way to train.

    Attributes
    ----------
    name : str
    without : tuple of str
        Kinds of noise switched off; D2D is changed by `spread`.
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
    """The conditions of a study: all on, all off; each imperfection off, and alone; D2D scaled, and of one parameter.

    Kinds of noise that the file has off are left out, unless every file has them and "all" names them. What "all"
    does not name (read noise) can be switched off too; with one imperfection alone it stays as the file has it.
    """
    names = params.spread_names
    # D2D off is a spread of zero, not `without`: the same random numbers, and the nominal device can be the mean
    none = dict.fromkeys(names, 0.0)
    alone = [*(name for name in params.parameters if name != "r0_ohm"), "r0_ohm"]
    rows = _imperfections_of(params)
    joint = [row for row in rows if row.in_all]
    return (
        Condition("ideal", ideal=True),
        Condition(ALL_ON),
        *(_with_off(f"{WITHOUT}{row.name}", [row], none) for row in rows),
        *(_with_off(f"only {row.name}", [other for other in joint if other is not row], none) for row in joint),
        _with_off(ALL_OFF, joint, none),
        Condition("d2d x 0.5", spread=dict.fromkeys(names, 0.5)),
        Condition("d2d x 2", spread=dict.fromkeys(names, 2.0)),
        *(Condition(f"d2d of {name} alone", spread=none | {name: 1.0}) for name in alone),
    )


def _imperfections_of(params: ParameterFile) -> list[Imperfection]:
    """Those that devices of this file can have."""
    on = {kind.name: kind for kind, block in params.noise.blocks() if block.enabled}
    usual = {kind.name for kind, _ in params.noise.blocks() if kind.in_every_file and kind.in_all}
    usual -= {kind.instead_of for kind in on.values()}
    rows = imperfections().values()
    return [row for row in rows if row.noise is None or row.name in usual | on.keys()]


def _with_off(name: str, off: list[Imperfection], none: Mapping[str, float]) -> Condition:
    noises = tuple(row.name for row in off if row.noise is not None)
    return Condition(name, without=noises, spread=none if len(noises) < len(off) else {})


def nominal_conditions(params: ParameterFile) -> tuple[Condition, ...]:
    """Without D2D at the median and at the mean of the laws; not part of a study unless asked for."""
    none = dict.fromkeys(params.spread_names, 0.0)
    return tuple(Condition(f"without d2d ({what} device)", spread=none, nominal=what) for what in ("median", "mean"))


def spread_condition(params: ParameterFile, name: str, factor: float) -> Condition:
    """All on, the spread of one parameter ("all": of every one) multiplied."""
    if factor == 1.0:
        return Condition(ALL_ON)
    names = params.spread_names if name == "all" else (name,)
    return Condition(f"spread of {name} x {factor:g}", spread=dict.fromkeys(names, factor))
