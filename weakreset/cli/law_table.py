"""Laws of a population and its noise, as `fit` and `import` print them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["print_laws"]


def print_laws(console: Any, population: Any) -> None:
    """The laws as a table, telegraph amplitudes among them; then what all devices share of the noise, and notes."""
    console.print(_law_table(population))
    for law in population.laws.values():
        note = "; ".join([*(test.sentence for test in law.goodness_of_fit), *([law.note] if law.note else [])])
        if note:
            console.print(f"{law.parameter}: {note}", markup=False)
    for name, entry in population.not_identifiable.items():
        console.print(f"{name}: {entry.note}", markup=False)
    for line in _noise(population):
        console.print(line, markup=False)
    for note in population.structure:
        console.print(note, markup=False)
    for sentence in population.cycle_sentences():
        console.print(sentence, markup=False)


def _law_table(population: Any) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        title="Device-to-device laws", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False,
        pad_edge=False,
    )
    for column in ("parameter", "law", "numbers (standard error)", "devices"):
        table.add_column(column, overflow="fold")
    amplitude = population.rtn_amplitude
    for law in (*population.laws.values(), *([amplitude] if amplitude is not None else [])):
        numbers = ", ".join(_number(law, key, value) for key, value in law.law.params.items())
        informed = f"{law.n_informative} of {law.n_devices}"
        table.add_row(f"{law.parameter} ({law.unit})", law.law.family, numbers, informed)
    for name, entry in population.not_identifiable.items():
        bound = "–" if entry.lower is None else f"above {entry.lower:.4g}"
        informed = f"{entry.n_informative} of {entry.n_devices}"
        table.add_row(f"{name} ({entry.unit})", "not identifiable", bound, informed)
    return table


def _number(law: Any, key: str, value: float) -> str:
    text = f"{value:.4g}" + (f" ({law.stderr[key]:.2g})" if key in law.stderr else "")
    if key in law.interval:
        text += " 95 % {:.4g} to {:.4g}".format(*law.interval[key])
    return f"{key} {text}"


def _noise(population: Any) -> Iterator[str]:
    """A line a kind of noise."""
    from weakreset.display import plus_minus
    from weakreset.model import noise_kinds

    noise = population.noise
    for kind in noise_kinds().values():
        if kind.in_every_file:
            pooled = {about.name: getattr(noise, kind.known_as(about)) for about in kind.numbers}
            errors = {name: getattr(noise, f"{name}_stderr", None) for name in pooled}
        elif kind.name in noise.others:
            block = noise.others[kind.name]
            pooled = {about.name: block.get(about.name, about.default) for about in kind.numbers}
            errors = {name: block.get(f"{name}_stderr") for name in pooled}
        else:
            continue
        if all(value is None for value in pooled.values()) or kind.silent({k: v or 0.0 for k, v in pooled.items()}):
            yield f"{kind.label}: none found"
            continue
        words = (
            f"{name} {'not identifiable' if value is None else plus_minus(value, errors[name])}"
            for name, value in pooled.items()
        )
        share = population.rtn_fraction if kind.own and kind.own[0].share is not None else None
        more = "" if share is None or kind.name != "rtn" else f", in {share:.0%} of the devices"
        yield f"{kind.label}: {', '.join(words)}{more}"
