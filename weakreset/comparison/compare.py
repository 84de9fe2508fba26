"""Compare two parameter files, quantity by quantity, with tests corrected for their number."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from weakreset.comparison.curves import curve_differences
from weakreset.comparison.quantities import (
    SHORT_COLUMNS,
    Difference,
    Quantity,
    law_quantities,
    quantities_of,
)
from weakreset.comparison.shares import fisher
from weakreset.display import Shown, Summary, for_json
from weakreset.errors import ParameterFileError
from weakreset.model import Number, TruncatedLaw
from weakreset.multiple_testing import holm
from weakreset.options import named_options
from weakreset.parameter_file import ParameterFile, load_parameters
from weakreset.parameter_file.law_errors import errors_of_sample
from weakreset.parameter_file.noise_schema import NoiseBlock

__all__ = ["Comparison", "compare_parameters"]

_LEAST_MASS = 1e-6


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
        """A row a quantity, in words and numbers, columns as `COLUMNS`: for pages."""
        return [difference.row() for difference in self.differences]

    def short_table(self) -> list[tuple[str, ...]]:
        """The same for 80 signs, columns as `SHORT_COLUMNS`."""
        return [difference.short() for difference in self.differences]

    def _shown(self) -> Summary:
        simulated = [file.name for file in (self.a, self.b) if file.provenance.simulated]
        label = f" (fitted to simulated traces: {', '.join(simulated)})" if simulated else ""
        title = f"Comparison of A, {self.a.name}, with B, {self.b.name}{label}"
        return Summary(title, (self.sentence,), SHORT_COLUMNS, self.short_table(), notes=self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Every figure, for JSON."""
        rows = [for_json(asdict(difference)) | {"outcome": difference.outcome} for difference in self.differences]
        return {
            "a": self.a.name, "b": self.b.name, "sentence": self.sentence, "differences": rows,
            "notes": list(self.notes),
        }


@named_options
def compare_parameters(
    a: str | os.PathLike[str] | ParameterFile, b: str | os.PathLike[str] | ParameterFile,
    seed: int | np.random.Generator = 0,
) -> Comparison:
    """Medians and spreads of all laws, noise and correlations of two files, with tests.

    Parameters
    ----------
    a, b : ParameterFile, path or preset name
        Of the same drift shape.
    seed : int or numpy.random.Generator
        For the draws that turn errors of a law's numbers into errors of its median and spread.

    Raises
    ------
    ParameterFileError
        Different drift shapes: their numbers mean different things.
    """
    a, b = load_parameters(a), load_parameters(b)
    if a.model != b.model:
        raise ParameterFileError(
            f"{a.name} has the {a.model} drift and {b.name} the {b.model} drift: their numbers mean different things; "
            "fit both with the same --drift"
        )
    rng = np.random.default_rng(seed)
    noise, lonely = _noise(a, b, rng)
    found = [*_laws(a, b, rng), *noise, *_yields(a, b), *curve_differences(a, b, rng)]
    tested = [i for i, difference in enumerate(found) if difference.p_value is not None]
    # one family of tests: dozens of quantities at 5 % each would find a difference in any two files
    adjusted = holm(np.array([found[i].p_value for i in tested], dtype=np.float64))
    for i, p in zip(tested, adjusted, strict=True):
        found[i] = replace(found[i], adjusted_p_value=float(p))
    said = (*_counts(a, b), *_fixed(found), *_directions(a, b), *lonely, *_families(a, b), *_correlations(a, b))
    return Comparison(a, b, tuple(found), said)


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


def _devices(file: ParameterFile) -> int:
    """How many were fitted; 0 where the file does not tell."""
    return max((entry.n_devices or 0 for entry in file.parameters.values()), default=0)


def _measured(file: ParameterFile) -> tuple[int, int]:
    """Defects, and devices measured: those fitted and the defects."""
    fitted, share = _devices(file), file.defects.fraction
    # share = broken / (fitted + broken), solved for the count, which the file does not hold
    broken = round(fitted * share / (1.0 - share)) if fitted and share < 1 else 0
    return broken, fitted + broken


def _counts(a: ParameterFile, b: ParameterFile) -> list[str]:
    words = []
    for which, file in (("A", a), ("B", b)):
        broken, measured = _measured(file)
        if measured:
            words.append(f"{which}: {measured - broken} devices fitted, {broken} defective")
        else:
            origin = "published" if file.provenance.citation else "made by hand"
            words.append(f"{which}: no devices behind its numbers ({origin})")
    return words


def _yields(a: ParameterFile, b: ParameterFile) -> list[Difference]:
    """Share of devices that work; Fisher's exact test of their counts."""
    counts = [_measured(file) for file in (a, b)]
    if not all(measured for _, measured in counts):
        return []
    first, second = (Quantity(1.0 - broken / measured, None, False) for broken, measured in counts)
    return [Difference("yield", "1", first, second, second.value - first.value, None, fisher(*counts))]


def _fixed(found: list[Difference]) -> list[str]:
    return [
        f"{which} holds no standard errors of {sum(d.fixed == which for d in found)} quantities: its numbers are taken "
        "as exact there (one-sample tests), so a difference may be due to its own errors too"
        for which in ("A", "B") if any(d.fixed == which for d in found)
    ]


def _directions(a: ParameterFile, b: ParameterFile) -> list[str]:
    ways = {"reset": "rises", "set": "falls"}
    if a.direction == b.direction:
        return []
    return [f"R {ways[a.direction]} in A and {ways[b.direction]} in B: slopes are compared by their sizes"]


def _noise(
    a: ParameterFile, b: ParameterFile, rng: np.random.Generator
) -> tuple[list[Difference], list[str]]:
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
        for own in kind.own:
            entries = [file[kind] for file in blocks]
            known = [entry for block in entries if (entry := getattr(block, own.name)) is not None]
            above = max((entry.law().lower for entry in known), default=0.0)
            laws = [_own_law(block, own.name, above, rng) for block in entries]
            notes += _cut_off(kind.label, own.name, entries, above)
            differences += [
                Difference.between(f"{what} of {kind.label} {own.name}", own.unit, laws[0][what], laws[1][what])
                for what in laws[0] if what in laws[1]
            ]
            if own.share is not None:
                shares = [_share(block, own.share.name, own.name, above) for block in entries]
                differences.append(Difference.between(f"share of devices with {kind.label}", "1", *shares))
    return differences, notes


def _own_law(block: NoiseBlock, name: str, above: float, rng: np.random.Generator) -> dict[str, Quantity]:
    """Of a number that devices have for themselves; its law is as well known as from as many exact values.

    Small steps are not found, so a fitted law begins where they are: both are compared above the later beginning.
    """
    entry, n = getattr(block, name), getattr(block, "n_informative", None)
    if entry is None:
        return {}
    law = entry.law()
    if not above < law.upper or 1.0 - float(law.cdf(above)) < _LEAST_MASS:  # all but nothing of the law lies there
        return {}
    # truncated, not shifted: the law given that the step is one that both fits could have found
    law = TruncatedLaw(law.family, law.params, max(above, law.lower), law.upper)
    return quantities_of(law, errors_of_sample(law, n) if n else {}, rng)


def _cut_off(label: str, name: str, blocks: list[NoiseBlock], above: float) -> list[str]:
    """A word where the laws begin at different places."""
    lowest = {getattr(block, name).law().lower for block in blocks if getattr(block, name) is not None}
    if len(lowest) < 2:
        return []
    return [f"{name} of {label} and its share of devices are compared above {above:.3g}, where both files know it"]


def _share(block: NoiseBlock, name: str, own: str, above: float) -> Quantity:
    """Share of devices with a number of their own above the limit."""
    value, n = getattr(block, name), getattr(block, "n_devices", None)
    error = getattr(block, f"{name}_stderr", None)
    entry = getattr(block, own)
    part = 1.0 if entry is None else 1.0 - float(entry.law().cdf(above))
    value, error = part * value, None if error is None else part * error
    if error is None and n:
        # of a count; 0.25 / n keeps it above zero where none or all have it
        error = float(np.sqrt((value * (1.0 - value) + 0.25 / n) / n))
    return Quantity(value, error, positive=False)


def _quantity(number: Number, block: NoiseBlock) -> Quantity:
    value, error = getattr(block, number.name), getattr(block, f"{number.name}_stderr", None)
    events = getattr(block, "n_informative", None)
    if error is None and number.uncertain == "events" and events and value > 0:
        error = value / events**0.5  # as well known as so many events
    if number.signed:
        return Quantity(value, error, positive=False)
    return Quantity(value, None if error is None or value <= 0 else error / value)


def _families(a: ParameterFile, b: ParameterFile) -> list[str]:
    unknown = [
        f"{name} is not identifiable in {which}, and not compared: {entry.note}"
        for which, file in (("A", a), ("B", b)) for name, entry in file.not_identifiable.items()
    ]
    return unknown + [
        f"{name} follows the law {entry.family} in A and {b.parameters[name].family} in B; medians and spreads are "
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
