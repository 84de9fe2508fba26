"""Compare two parameter files, quantity by quantity, with tests corrected for their number."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from weakreset.comparison.quantities import COLUMNS, Difference, Quantity, law_quantities
from weakreset.display import Shown, Summary
from weakreset.errors import ParameterFileError
from weakreset.model import Number
from weakreset.multiple_testing import holm
from weakreset.options import named_options
from weakreset.parameter_file import ParameterFile
from weakreset.parameter_file.noise_schema import NoiseBlock

__all__ = ["Comparison", "compare_parameters"]


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two parameter files side by side.

    Attributes
    ----------
    a, b : ParameterFile
    differences : tuple of Difference
    notes : tuple of str
        What could not be compared, and why.
    """

    a: ParameterFile
    b: ParameterFile
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        tested = [d for d in self.differences if d.adjusted_p_value is not None]
        different = [d.what for d in tested if d.outcome == "differ"]
        if not tested:
            return "Nothing could be tested: the files hold no standard errors of the same quantities."
        found = f"differ in {', '.join(different)}" if different else "are not shown to differ"
        return (
            f"A ({self.a.name}) and B ({self.b.name}) {found}; {len(tested)} of {len(self.differences)} quantities "
            "tested at a joint level of 5 % (Holm)."
        )

    def table(self) -> list[tuple[str, ...]]:
        """A row a quantity, in words and numbers, columns as `COLUMNS`: for pages, terminals and notebooks."""
        return [difference.row() for difference in self.differences]

    def _shown(self) -> Summary:
        simulated = [file.name for file in (self.a, self.b) if file.provenance.simulated]
        label = f" (fitted to simulated traces: {', '.join(simulated)})" if simulated else ""
        title = f"Comparison of A, {self.a.name}, with B, {self.b.name}{label}"
        return Summary(title, (self.sentence,), COLUMNS, self.table(), notes=self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Every figure, for JSON."""
        rows = [asdict(difference) | {"outcome": difference.outcome} for difference in self.differences]
        return {
            "a": self.a.name, "b": self.b.name, "sentence": self.sentence, "differences": rows,
            "notes": list(self.notes),
        }


@named_options
def compare_parameters(a: ParameterFile, b: ParameterFile, seed: int | np.random.Generator = 0) -> Comparison:
    """Medians and spreads of all laws, noise and correlations of two files, with tests.

    Parameters
    ----------
    a, b : ParameterFile
        Of the same drift shape.
    seed : int or numpy.random.Generator
        For the draws that turn errors of a law's numbers into errors of its median and spread.

    Raises
    ------
    ParameterFileError
        Different drift shapes: their numbers mean different things.
    """
    if a.model != b.model:
        raise ParameterFileError(
            f"{a.name} has the {a.model} drift and {b.name} the {b.model} drift: their numbers mean different things; "
            "fit both with the same --drift"
        )
    rng = np.random.default_rng(seed)
    noise, lonely = _noise(a, b)
    found = [*_laws(a, b, rng), *noise]
    tested = [i for i, difference in enumerate(found) if difference.p_value is not None]
    adjusted = holm(np.array([found[i].p_value for i in tested], dtype=np.float64))
    for i, p in zip(tested, adjusted, strict=True):
        found[i] = replace(found[i], adjusted_p_value=float(p))
    return Comparison(a, b, tuple(found), (*lonely, *_families(a, b), *_correlations(a, b)))


def _laws(a: ParameterFile, b: ParameterFile, rng: np.random.Generator) -> list[Difference]:
    differences = []
    for name, entry in a.parameters.items():
        if name not in b.parameters:
            continue
        mine, other = (law_quantities(e, rng) for e in (entry, b.parameters[name]))
        differences += [
            Difference.between(f"{kind} of {name}", entry.unit, mine[kind], other[kind])
            for kind in mine if kind in other
        ]
    return differences


def _noise(a: ParameterFile, b: ParameterFile) -> tuple[list[Difference], list[str]]:
    """Numbers of the kinds of noise that both files have on; kinds that only one has, in words."""
    blocks = [{kind: block for kind, block in file.noise.blocks() if block.enabled} for file in (a, b)]
    differences, notes = [], []
    for kind in dict.fromkeys([*blocks[0], *blocks[1]]):
        if kind not in blocks[0] or kind not in blocks[1]:
            notes.append(f"{kind.label} is on in {'A' if kind in blocks[0] else 'B'} only")
            continue
        for number in kind.numbers:
            mine, other = (_quantity(number, file[kind]) for file in blocks)
            differences.append(Difference.between(f"{number.name} of {kind.label}", number.unit, mine, other))
    return differences, notes


def _quantity(number: Number, block: NoiseBlock) -> Quantity:
    value, error = getattr(block, number.name), getattr(block, f"{number.name}_stderr", None)
    if number.signed:
        return Quantity(value, error, positive=False)
    return Quantity(value, None if error is None or value <= 0 else error / value)


def _families(a: ParameterFile, b: ParameterFile) -> list[str]:
    unknown = [
        f"{name} is not identifiable in {which}, and not compared: {entry.note}"
        for which, file in (("A", a), ("B", b)) for name, entry in file.not_identifiable.items()
    ]
    return unknown + [
        f"{name} follows a {entry.family} law in A and a {b.parameters[name].family} law in B; medians and spreads are "
        "compared all the same"
        for name, entry in a.parameters.items()
        if name in b.parameters and entry.family != b.parameters[name].family
    ]


def _correlations(a: ParameterFile, b: ParameterFile) -> list[str]:
    pairs = [_pairs(file) for file in (a, b)]
    return [
        f"correlation of {x} and {y}: {pairs[0].get((x, y), 0.0):+.2f} in A, {pairs[1].get((x, y), 0.0):+.2f} in B "
        "(0 where none was shown)"
        for x, y in dict.fromkeys([*pairs[0], *pairs[1]])
    ]


def _pairs(file: ParameterFile) -> dict[tuple[str, str], float]:
    """Correlated pairs, names in alphabetical order."""
    if file.correlation is None:
        return {}
    names, matrix = file.correlation.names, file.correlation.matrix
    return {
        (min(names[i], names[j]), max(names[i], names[j])): float(matrix[i][j])
        for i in range(len(names)) for j in range(i) if matrix[i][j]
    }
