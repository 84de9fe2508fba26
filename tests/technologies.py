"""Parameter files with other drifts than the published one, made up."""

from __future__ import annotations

from weakreset.model import SHAPES
from weakreset.parameter_file import ParameterFile, load_parameters

__all__ = ["DRIFTS", "technology"]

DRIFTS = {
    "two-slope": {},
    "single-slope": {},
    "power-law": {"a": (0.01, 0.004), "b": (0.5, 0.1)},
    "saturating-exponential": {"rise": (0.4, 0.05), "tau": (400.0, 60.0)},
    "smooth-knee": {"width": (0.4, 0.05)},
    "three-slope": {"ratio": (2.8, 0.2), "share": (0.35, 0.05)},
}


def technology(shape: str) -> ParameterFile:
    """The published technology with another drift, made up."""
    raw = load_parameters("majumdar2021").model_dump(by_alias=True, exclude_none=True)
    own = {
        name: {
            "unit": SHAPES[shape].units[name], "family": "norm", "params": {"mean": mean, "sd": sd},
            "truncation": (1e-3, None),
        }
        for name, (mean, sd) in DRIFTS[shape].items()
    }
    raw["parameters"] = {name: (raw["parameters"] | own)[name] for name in ("r0_ohm", *SHAPES[shape].parameters)}
    return ParameterFile.model_validate(raw | {"name": shape, "model": shape})
