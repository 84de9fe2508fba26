"""Numbers with units and laws in words, as people write them in a table: "7 kohm", "norm(mean=7kohm, sd=5e2)"."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from weakreset.errors import UsageError
from weakreset.model import FAMILIES

__all__ = ["IN_UNITS", "law_from", "number_in"]

_OHM = {"ohm": 1.0, "Ω": 1.0, "kohm": 1e3, "kΩ": 1e3, "Mohm": 1e6, "MΩ": 1e6, "Gohm": 1e9, "GΩ": 1e9, "mohm": 1e-3}
# a change of R by 1 % is 0.01 in ln R but for its square; a decade is ln 10
_LN_R = {"1": 1.0, "lnR": 1.0, "%": 0.01, "dec": math.log(10.0), "decade": math.log(10.0), "decades": math.log(10.0)}
_PULSE = {"pulse": 1.0, "pulses": 1.0}
_A_PULSE = {
    f"{unit}{per}": factor for unit, factor in (*_LN_R.items(), ("", 1.0)) for per in ("/pulse", "apulse", "perpulse")
}
_UNITS = {"ohm": _OHM, "1": _LN_R, "ln R": _LN_R, "pulse": _PULSE, "1/pulse": _A_PULSE}
_NUMBER = re.compile(r"([-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+−]?\d+)?)\s*(.*)", re.DOTALL)

IN_UNITS = {
    "norm": ("mean", "sd"), "expon": ("loc", "scale"), "lognorm": ("scale",), "gamma": ("scale",),
    "weibull": ("scale",), "uniform": ("low", "high"), "unit_gamma": ("upper",), "constant": ("value",),
}
"""Numbers of each family that have the unit of the parameter; the others are pure numbers."""
_LONG_NAMES = {
    "normal": "norm", "gaussian": "norm", "gauss": "norm", "exponential": "expon", "exp": "expon",
    "lognormal": "lognorm", "fixed": "constant",
}


def number_in(text: Any, unit: str, where: str) -> float:
    """A number in `unit`, from a number or from "7 kohm".

    Raises
    ------
    UsageError
        No finite number, or another kind of unit.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        value, said = float(text), ""
    else:
        found = _NUMBER.fullmatch(str(text).strip())
        if found is None:
            raise UsageError(f"{where}: {text!r} is no number (in {unit})")
        value, said = float(found[1].replace("−", "-")), re.sub(r"\s+", "", found[2])
    known = _UNITS.get(unit, {unit: 1.0})
    if said and said not in known:
        near = difflib.get_close_matches(said, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"{where}: unit {said!r} cannot be turned into {unit}; {hint}known: {', '.join(known)}")
    if not math.isfinite(value):
        raise UsageError(f"{where}: {text!r} is not finite")
    return value * known.get(said, 1.0)


def law_from(value: Any, unit: str, where: str) -> dict[str, Any]:
    """A law as a parameter file holds it: family, params, truncation.

    Parameters
    ----------
    value : number, str or mapping
        A number ("550 pulses": all devices alike), "7 ± 0.4 kohm" or "7 kohm ± 6 %" (a normal law),
        "lognorm(s=0.8, scale=500) in [41, 2000]", or the numbers of a family by name, with `family` and `truncation`
        ([lower, upper]) among them. Families may also be given by what papers print: norm by median and sd; lognorm by
        median and sigma_ln, or by mean and sd; expon by mean.
    unit : str
        Of the parameter: what the numbers are turned into.
    where : str
        For messages.
    """
    if isinstance(value, Mapping):
        given = dict(value)
        family = given.pop("family", None) or _family_of(given, where)
        return _law(str(family), given, given.pop("truncation", None), unit, where)
    text = str(value).strip()
    found = re.fullmatch(r"(\w+)\s*\(([^()]*)\)(?:\s+in\s+\[([^\[\],]*),([^\[\],]*)\])?", text)
    if found:
        pairs = [part.partition("=") for part in found[2].split(",") if part.strip()]
        given = {name.strip(): number.strip() for name, _, number in pairs}
        if len(given) < len(pairs):
            raise UsageError(f"{where}={text}: a number of the law is given twice")
        ends = None if found[3] is None else [end.strip() or None for end in found.groups()[2:]]
        return _law(found[1], given, ends, unit, where)
    if "±" in text or "+-" in text:
        middle, _, rest = text.replace("+-", "±").partition("±")
        first, second = (_NUMBER.fullmatch(part.strip()) for part in (middle, rest))
        if first and second and not first[2]:
            middle = f"{first[1]} {second[2]}"  # "7.0 ± 0.4 kohm": the unit is of both
        return _law("norm", {"mean": middle, "sd": rest}, None, unit, where)
    if re.match(r"\w+\s*\(", text):
        raise UsageError(
            f"{where}={text}: write a law as family(number=..., ...) in [lower, upper]; families: {', '.join(FAMILIES)}"
        )
    return _law("constant", {"value": value}, None, unit, where)


def _family_of(given: Mapping[str, Any], where: str) -> str:
    """The family that has numbers of these names, where only one has."""
    names = set(given) - {"truncation"}
    fits = [name for name, family in FAMILIES.items() if set(family.param_names) == names]
    if names == {"mean", "sd"}:
        return "norm"
    if names == {"median", "sigma_ln"}:
        return "lognorm"
    if len(fits) != 1:
        raise UsageError(f"{where}: which law has the numbers {', '.join(sorted(names)) or '(none)'}? Give its family: "
                         f"{', '.join(FAMILIES)}")
    return fits[0]


def _law(family: str, given: dict[str, Any], ends: Any, unit: str, where: str) -> dict[str, Any]:
    name = _LONG_NAMES.get(family.lower(), family)
    if name not in FAMILIES:
        near = difflib.get_close_matches(name, [*FAMILIES, *_LONG_NAMES], n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"{where}: no family {family!r}; {hint}there are {', '.join(FAMILIES)}")
    given = {key: item for key, item in given.items() if key != "truncation"}
    given = _from_moments(name, given, unit, where)
    wanted = FAMILIES[name].param_names
    if set(given) != set(wanted):
        raise UsageError(f"{where}: {name} needs {', '.join(wanted)}, got {', '.join(given) or 'nothing'}")
    params = {
        key: number_in(given[key], unit if key in IN_UNITS[name] else "pure", f"{where}.{key}")
        for key in wanted if not (key == "sd" and _is_share(given[key], unit))
    }
    if name == "norm" and "sd" not in params:
        params["sd"] = number_in(given["sd"], "1", f"{where}.sd") * abs(params["mean"])
    if ends is not None and not (isinstance(ends, (list, tuple)) and len(ends) == 2):
        raise UsageError(f"{where}: truncation is [lower, upper], got {json.dumps(ends, default=str)}")
    limits = [None if end in (None, "null", "") else number_in(end, unit, f"{where}.truncation") for end in ends or ()]
    return {"family": name, "params": params} | ({"truncation": limits} if limits else {})


def _is_share(text: Any, unit: str) -> bool:
    """Whether "8 %" can only be a share of the mean: it can where it is no unit of the parameter, as it is of ln R."""
    return isinstance(text, str) and text.strip().endswith("%") and "%" not in _UNITS.get(unit, {})


def _from_moments(family: str, given: dict[str, Any], unit: str, where: str) -> dict[str, Any]:
    """The numbers of the family from those that papers print."""
    names = set(given)
    if family == "lognorm" and names == {"median", "sigma_ln"}:
        return {"scale": given["median"], "s": given["sigma_ln"]}
    if family == "lognorm" and names == {"mean", "sd"}:
        mean, sd = (number_in(given[key], unit, f"{where}.{key}") for key in ("mean", "sd"))
        if not (mean > 0 and sd > 0):
            raise UsageError(f"{where}: mean and sd of a lognormal law are above zero, got {mean:g} and {sd:g}")
        # lognormal: mean = scale exp(s^2 / 2), (sd / mean)^2 = exp(s^2) - 1
        s = math.sqrt(math.log1p((sd / mean) ** 2))
        return {"s": s, "scale": mean * math.exp(-0.5 * s * s)}
    if family == "norm" and names == {"median", "sd"}:
        return {"mean": given["median"], "sd": given["sd"]}
    if family == "expon" and names in ({"mean"}, {"scale"}):
        # an exponential law from zero on: its mean is its scale
        return {"loc": 0.0, "scale": given.get("mean", given.get("scale"))}
    return given
