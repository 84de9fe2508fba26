"""A fit as JSON and back, bit for bit: nothing that can run, only the kinds of objects that a fit is made of."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from weakreset.errors import FitError
from weakreset.fitting.likelihood_draws import LikelihoodDraws
from weakreset.fitting.result import DeviceFit, Estimate, FitStatus, ResidualCheck
from weakreset.fitting.rtn_fit import RtnFit
from weakreset.fitting.whitening import Averaged, NoiseProfile
from weakreset.model import SHAPES, DriftShape

__all__ = ["digest_of", "fit_of", "text_of"]

_KINDS = {
    kind.__name__: kind
    for kind in (Averaged, DeviceFit, Estimate, LikelihoodDraws, NoiseProfile, ResidualCheck, RtnFit)
}
_NUMBERS = ("<f8", "<f4", "<i8", "<i4", "|b1")


def text_of(fit: DeviceFit) -> str:
    """One line of JSON; of a fit without its lmfit result, which is a world of its own."""
    return json.dumps(_packed(fit))


def digest_of(thing: Any) -> str:
    """SHA-256 of anything that is made of dataclasses, arrays, numbers and words: equal in every process."""
    return hashlib.sha256(json.dumps(_packed(thing)).encode()).hexdigest()


def fit_of(text: str) -> DeviceFit:
    """The fit that `text_of` wrote.

    Raises
    ------
    FitError
        For anything else.
    """
    try:
        found = _unpacked(json.loads(text))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise FitError(f"not a stored fit ({type(error).__name__}: {error})") from None
    if not isinstance(found, DeviceFit):
        raise FitError("not a stored fit")
    return found


def _packed(value: Any) -> Any:
    if value is None or (isinstance(value, bool | str | int | float) and not isinstance(value, Enum)):
        return value
    if isinstance(value, FitStatus):
        return {"status": value.value}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, DriftShape):
        return {"shape": value.name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        plain = np.ascontiguousarray(value)
        data = base64.b64encode(plain.tobytes()).decode()
        return {"array": plain.dtype.str, "size": list(plain.shape), "data": data}
    if is_dataclass(value):
        return {"is": type(value).__name__, **{f.name: _packed(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, Mapping):
        return {"map": [[_packed(key), _packed(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_packed(item) for item in value]}
    if isinstance(value, list):
        return [_packed(item) for item in value]
    raise TypeError(f"a fit holds no {type(value).__name__}")


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "is" in value:
        return _KINDS[value["is"]](**{key: _unpacked(item) for key, item in value.items() if key != "is"})
    if "array" in value:
        if value["array"] not in _NUMBERS:
            raise ValueError(f"an array of {value['array']!r}")
        data = base64.b64decode(value["data"], validate=True)
        return np.frombuffer(data, dtype=value["array"]).reshape(value["size"]).copy()
    if "map" in value:
        return {_unpacked(key): _unpacked(item) for key, item in value["map"]}
    if "tuple" in value:
        return tuple(_unpacked(item) for item in value["tuple"])
    if "status" in value:
        return FitStatus(value["status"])
    if "shape" in value:
        return SHAPES[value["shape"]]
    return bytes.fromhex(value["bytes"])
