"""lmfit.Parameters that make their interpreter, and their correlated uncertainties, when somebody asks for them.

Each `lmfit.Parameters` builds an interpreter with some five hundred symbols, and every fit makes two of them: that took
half the time of a fit and most of its memory. Fits without expressions never use it. The `uvars` of a result took
another tenth, and few users look at them. Import this module where lmfit is needed: it imports lmfit.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import lmfit

__all__ = ["LeanParameters"]


class _LateInterpreter:
    """Stands in for asteval's interpreter: remembers values, and becomes the real one at the first other use."""

    def __init__(self) -> None:
        self.symtable: Any = {}
        self._real: Any = None

    def user_defined_symbols(self) -> Collection[str]:
        return () if self._real is None else self._real.user_defined_symbols()

    @property
    def error(self) -> Sequence[Any]:
        return () if self._real is None else self._real.error

    @error.setter
    def error(self, errors: Sequence[Any]) -> None:  # lmfit empties it before it evaluates an expression
        self._interpreter().error = errors

    @property
    def is_real(self) -> bool:
        return self._real is not None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # probes of copy and the like
            raise AttributeError(name)
        return getattr(self._interpreter(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._interpreter()(*args, **kwargs)

    def _interpreter(self) -> Any:
        if self._real is None:
            self._real = lmfit.Parameters()._asteval
            self._real.symtable.update(self.symtable)
            self.symtable = self._real.symtable
        return self._real


class _LateUncertainties(Mapping[str, Any]):
    """`uvars` of a result whose parameters all vary: numbers of the package uncertainties, made when looked at."""

    def __init__(self, values: Mapping[str, float], covar: Any) -> None:
        self._values = dict(values)
        self._covar = covar
        self._made: dict[str, Any] = {}  # once and together: they carry each other's correlations

    def __getitem__(self, name: str) -> Any:
        if not self._made:
            params = lmfit.Parameters()
            for known, value in self._values.items():
                params.add(known, value=value)
            self._made = params.create_uvars(covar=self._covar)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class LeanParameters(lmfit.Parameters):  # type: ignore[misc]
    """As `lmfit.Parameters` in every respect, expressions included."""

    def __init__(self, usersyms: dict[str, Any] | None = None) -> None:
        dict.__init__(self)
        self._asteval = _LateInterpreter()
        self._asteval.symtable.update(usersyms or {})

    def __deepcopy__(self, memo: Any) -> LeanParameters:
        """As lmfit's, without checking names and limits again that were checked when they were set."""
        if self._asteval.is_real:
            copied: LeanParameters = super().__deepcopy__(memo)
            return copied
        twins = type(self)()
        twins._asteval.symtable.update(self._asteval.symtable)
        for name, parameter in self.items():
            twin = lmfit.Parameter.__new__(lmfit.Parameter)
            twin.__dict__.update(parameter.__dict__)
            twin.correl = copy.deepcopy(parameter.correl, memo)
            twin.user_data = copy.deepcopy(parameter.user_data, memo)
            twin._expr_eval, twin._expr_deps = twins._asteval, []
            twin.setup_bounds()  # else it would translate values by the limits of the parameter it was copied from
            dict.__setitem__(twins, name, twin)
        return twins

    def create_uvars(self, covar: Any = None) -> Any:
        """As lmfit's, later."""
        if covar is None or any(parameter.expr is not None or not parameter.vary for parameter in self.values()):
            return super().create_uvars(covar)
        return _LateUncertainties(self.valuesdict(), covar)
