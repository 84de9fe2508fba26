"""Likelihoods of more devices than memory holds, in an unnamed file that goes with the process."""

from __future__ import annotations

import struct
import tempfile
import weakref
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.errors import FitError
from weakreset.fitting.likelihood_draws import LikelihoodDraws

__all__ = ["DrawsFile"]

_NUMBERS = struct.Struct("<4d")  # log_z, last, log_volume, tilt


class DrawsFile:
    """Likelihoods by number, in the order they were added; the file lies where temporary files go (`TMPDIR`).

    Raises
    ------
    FitError
        There is no room.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - gone with this object
        weakref.finalize(self, self._file.close)
        self._starts, self._form_of = array("q", [0]), array("i")
        self._forms, self._known = list[Any](), dict[Any, int]()

    def __len__(self) -> int:
        return len(self._form_of)

    def __contains__(self, number: int) -> bool:
        return 0 <= number < len(self)

    def append(self, draws: LikelihoodDraws) -> int:
        """Keep it; its number."""
        arrays = [draws.inside, *([] if draws.beyond is None else [draws.beyond])]
        form = (draws.shape, draws.names, tuple((values.dtype.str, values.shape) for values in arrays))
        if form not in self._known:
            self._known[form] = len(self._forms)
            self._forms.append(form)
        numbers = _NUMBERS.pack(draws.log_z, draws.last, draws.log_volume, draws.tilt)
        record = numbers + b"".join(np.ascontiguousarray(values).tobytes() for values in arrays)
        self._at(self._starts[-1])
        try:
            self._file.write(record)
        except OSError as error:
            raise self._full(error) from None
        self._starts.append(self._starts[-1] + len(record))
        self._form_of.append(self._known[form])
        return len(self) - 1

    def __getitem__(self, number: int) -> LikelihoodDraws:
        begin, end = self._starts[number], self._starts[number + 1]
        self._at(begin)
        record = self._file.read(end - begin)
        shape, names, arrays = self._forms[self._form_of[number]]
        log_z, last, log_volume, tilt = _NUMBERS.unpack_from(record)
        at, values = _NUMBERS.size, list[NDArray[Any]]()
        for kind, size in arrays:
            values.append(np.frombuffer(record, kind, int(np.prod(size)), at).reshape(size))
            at += values[-1].nbytes
        inside, beyond = values[0], values[1] if len(values) > 1 else None
        return LikelihoodDraws(shape, names, inside, log_z, beyond, last, log_volume, tilt)

    def _at(self, place: int) -> None:
        try:
            self._file.seek(place)  # which writes what was held back
        except OSError as error:
            raise self._full(error) from None

    def _full(self, error: OSError) -> FitError:
        return FitError(
            f"likelihoods of {len(self)} devices in {tempfile.gettempdir()}: {error.strerror}. Name a place with more "
            "room (TMPDIR=...), 3 kB a device, or leave out --full-likelihood (every_likelihood)"
        )
