"""Published technologies, as code; `python -m weakreset.parameter_file.presets` writes the bundled files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from weakreset.parameter_file.schema import ParameterFile

__all__ = ["majumdar2021"]

_CITATION = (
    "A. Majumdar et al., Model of the Weak Reset Process in HfOx Resistive Memory for Deep Learning Frameworks, "
    "IEEE Transactions on Electron Devices, 2021; arXiv 2107.06064"
)


def majumdar2021() -> ParameterFile:
    """The HfOx devices of Majumdar et al. 2021; numbers as in the authors' public code."""
    parameters: dict[str, Any] = {
        "r0_ohm": _law("norm", {"mean": 6988.0, "sd": 381.7}, (6252.0, 7897.0), "ohm"),
        "m1": _law(
            "expon", {"loc": 3.7415768289771944e-05, "scale": 6.564678011593196e-04}, (3.74e-5, 0.0076), "1/pulse"
        ),
        "t_star": _law("lognorm", {"s": 0.8033817700570505, "scale": 542.5385224079308}, (41.0, 2000.0), "pulse"),
        "c1": _law("norm", {"mean": 0.005293141020227579, "sd": 0.05320804175540371}, (-0.15, 0.15), "1"),
        "m2": _law("expon", {"loc": 0.0, "scale": 2.8890516951651312e-05}, (0.0, 1.3e-4), "1/pulse"),
    }
    # 0.5 u1 u2 u3 of uniform u: -ln of each u is exponential, so their sum is Gamma(3, 1)
    amplitude = {"family": "unit_gamma", "params": {"shape": 3.0, "scale": 1.0, "upper": 0.5}, "truncation": (0.0, 0.5)}
    return ParameterFile.model_validate(
        {
            "schema": "weakreset-parameters",
            "name": "majumdar2021",
            "model": "two-slope",
            "parameters": parameters,
            "noise": {
                # 0.025 times uniform noise, whose standard deviation is 1 / sqrt 12
                "pink": {"enabled": True, "alpha": 2.5e-2 / 12**0.5, "exponent": 1.0},
                "rtn": {"enabled": True, "p_up": 0.0008, "p_down": 0.002, "amplitude": amplitude},
                "read": {"enabled": False, "sd": 0.0},
            },
            "provenance": {
                "software": "weakreset", "software_version": "0.1.0", "citation": _CITATION, "notes": list(_NOTES),
            },
        }
    )


_NOTES = (
    "alpha: the published code multiplies 2.5e-2 with uniform [0, 1) noise; on the unit-variance noise used here "
    "that is 2.5e-2 / sqrt(12). The mean of the uniform noise, which shifted every ln R by +0.054, is left out.",
    "RTN amplitude: the published code draws U(0, 0.5) once per device and then the product of two further uniforms "
    "at every update, so a state has no level. Here each device holds one constant amplitude with the law of that "
    "product of three uniforms, 0.5 exp(-Gamma(3, 1)): the same mean, and a real two-level signal.",
    "Parameters are independent in the paper; correlations of real devices are not known.",
)


def _law(family: str, params: dict[str, float], truncation: tuple[float, float], unit: str) -> dict[str, Any]:
    return {"family": family, "params": params, "truncation": truncation, "unit": unit}


def write_bundled() -> Path:
    """Write fitted_params/majumdar2021.json and fitted_params/schema.json of this checkout; the folder of both."""
    from weakreset.parameter_file.load_save import json_schema
    from weakreset.resources import bundled, write_atomically

    folder = bundled("fitted_params")
    majumdar2021().save(folder / "majumdar2021.json")
    write_atomically(folder / "schema.json", json_schema())
    return folder


if __name__ == "__main__":
    write_bundled()
