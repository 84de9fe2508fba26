"""Some traces of a set less their telegraph steps, whitened: what numbers of the whole set are estimated from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weakreset.fitting.bases import Basis
from weakreset.fitting.group import Group, families
from weakreset.fitting.noise_fit import ColourFit
from weakreset.fitting.scan import scan_group
from weakreset.fitting.shared_dictionary import SharedDictionary
from weakreset.fitting.step_search import best_knees, search_knees_and_steps
from weakreset.fitting.whitening import Whitener

__all__ = ["Clean", "clean_sample", "sample_evenly", "scanned_columns"]

Array = NDArray[np.float64]

_DEVICES = 96
_READS = 800


@dataclass(frozen=True)
class Clean:
    """Traces less their telegraph steps, whitened: white (n_devices, n), alpha and n_steps (n_devices,).

    `whole` is for all reads of the common grid, `whitener` for those of these devices.
    """

    whole: Whitener
    whitener: Whitener
    white: Array
    alpha: Array
    n_steps: NDArray[np.int64]


def sample_evenly(groups: Sequence[Group], n_devices: int = _DEVICES, n_reads: int = _READS) -> list[Group]:
    """About `n_devices` of all devices, evenly spaced, with up to `n_reads` reads of the whole of each trace."""
    stride = max(1, round(sum(len(group.traces) for group in groups) / n_devices))
    sample, seen = [], 0
    for group in groups:
        chosen = group.part(slice(-seen % stride, None, stride))
        seen += len(group.traces)
        common = group.common[:: max(1, -(-len(group.common) // n_reads))]
        reads = np.isin(group.pulses, common, assume_unique=True)
        if chosen.traces:
            sample.append(Group(group.pulses[reads], chosen.traces, chosen.rows[:, reads], common, group.averaged))
    return sample


def clean_sample(
    sample: Sequence[Group], basis: Basis, noise: ColourFit, rtn: bool, alphas: Sequence[Array] | None = None
) -> list[Clean]:
    """The sample without the telegraph steps that are found beside this drift; `alphas` where they are known."""
    cleaned: list[Clean] = []
    for family in families(sample):
        colour = replace(noise.colour, averaged=family[0].averaged)
        shared = SharedDictionary(family[0].common, colour, basis, rtn)
        for group in family:
            used = None if alphas is None else alphas[len(cleaned)]
            cleaned.append(_clean(shared, group, noise.alpha, rtn, used))
    return cleaned


def _clean(shared: SharedDictionary, group: Group, alpha: float, rtn: bool, used: Array | None) -> Clean:
    dictionary = shared.at(group.pulses)
    white, products = dictionary.project(group.rows)
    if used is None:
        scanned = list(scan_group(dictionary, group, alpha, rtn))
        found, used = [device.configuration for device in scanned], np.array([device.alpha for device in scanned])
    else:
        found = best_knees(dictionary, products)
        found = search_knees_and_steps(dictionary, products, used**2, found) if rtn else found
    for i, one in enumerate(found):
        active, steps = one.active(dictionary), list(one.steps)
        if steps:
            coefficients = dictionary.solve(products[i], active)[0][-len(steps) :]
            white[i] = white[i] - dictionary.columns(steps) @ coefficients
    n_steps = np.array([len(one.steps) for one in found])
    return Clean(shared.whole.whitener, dictionary.whitener, white, used, n_steps)


def scanned_columns(cleaned: Sequence[Clean], basis: Basis, most: int) -> Iterator[tuple[Clean, Array, Array]]:
    """Candidates (about `most`) and whitened columns, base first, of each part; whitened once a common grid."""
    known: dict[int, tuple[Array, Array]] = {}
    for part in cleaned:
        pulses = part.whole.pulses
        if id(part.whole) not in known:
            t, grid = pulses.astype(np.float64), basis.grid(pulses)
            grid = grid[:: max(1, -(-len(grid) // most))]
            raw = np.hstack([basis.columns(t), basis.profile(t, grid)])
            known[id(part.whole)] = grid, part.whole.columns(raw)
        grid, white = known[id(part.whole)]
        n, gone = int(part.whitener.kept[-1]) + 1, part.whitener.gone
        if n < len(pulses) and basis.scanned:  # a shorter trace shows no later ones
            inside = int(np.searchsorted(grid, basis.grid(pulses[:n])[-1], side="right"))
            white = white[:, : white.shape[1] - len(grid) + inside]
            grid = grid[:inside]
        white = white[:n]
        yield part, grid, white if gone is None else white - gone @ (gone.T @ white)
