"""What if: the same technology with less, or more, difference between its devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weakreset.errors import ParameterFileError
from weakreset.parameter_file.schema import ParameterFile

__all__ = ["scale_spread"]


def scale_spread(params: ParameterFile, scale: Mapping[str, float] | float, nominal: str = "median") -> ParameterFile:
    """The file with the spread of its parameters multiplied.

    Parameters
    ----------
    params : ParameterFile
    scale : mapping of str to float, or float
        Factors on the normal scores by parameter name (`rtn_amplitude` too), or one for all. 0: every device is the
        nominal one. The same seed draws the same ranks, so chips with and without a change can be compared in pairs.
    nominal : str
        "median" or "mean" of the truncated law: the device at the centre.

    Raises
    ------
    ParameterFileError
        For a name or factor that makes no sense, or a file whose spread is empirical.
    """
    factors = dict(scale) if isinstance(scale, Mapping) else dict.fromkeys(params.spread_names, float(scale))
    # said in a block of its own, not by other numbers in the laws: any family can be scaled, and it can be undone
    raw: dict[str, Any] = params.model_dump(by_alias=True) | {"d2d": {"nominal": nominal, "scale": factors}}
    try:
        return ParameterFile.model_validate(raw)
    except ValueError as error:
        raise ParameterFileError(f"spread of {params.name} cannot be scaled by {factors}: {error}") from None
