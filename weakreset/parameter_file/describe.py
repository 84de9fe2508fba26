"""A parameter file as a page for people: what it is, how devices differ, what they do, what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from weakreset.display import Summary, as_change, as_ohms, number, percent, text_chart
from weakreset.errors import ParameterFileError
from weakreset.model import SHAPES
from weakreset.parameter_file.noise_schema import NoiseBlock
from weakreset.parameter_file.over_pulses import DriftBand, drift_band
from weakreset.parameter_file.people import FAMILY_WORDS, in_words, law_in_words, noise_number, spread_words
from weakreset.parameter_file.schema import ParameterFile, ParameterLaw

__all__ = ["describe", "origin_of", "picture_in_text"]

_LAW_COLUMNS = ("number", "median", "90 % of devices", "spread", "law", "from")
_NAMES_SHOWN = 12
_DIRECTIONS = {"reset": "pulses raise R (weak RESET)", "set": "pulses lower R (gradual SET)"}


def describe(params: ParameterFile) -> tuple[Summary, ...]:
    """The page as sections, each a title, sentences and perhaps a table."""
    band: DriftBand | str
    try:
        band = drift_band(params)
    except ParameterFileError as error:
        band = str(error)
    sections = (
        Summary(f"{params.name}", tuple(_what(params, band))),
        Summary(
            "How devices differ", tuple(_between(params)), _LAW_COLUMNS, [*_laws(params), *_unknown(params)],
            notes=tuple(_notes(params)),
        ),
        _over_pulses(band),
        Summary("Noise", tuple(_noise(params))),
        Summary("Devices behind it", tuple(_devices(params))),
        Summary("Validation", (_validation(params),)),
        Summary("Where it comes from", tuple(_provenance(params))),
    )
    return tuple(section for section in sections if section.lines or section.rows)


def origin_of(params: ParameterFile) -> str:
    """Measured, simulated, published or made by hand."""
    source = params.provenance
    edited = ", then edited by hand" if source.edits else ""
    if source.simulated:
        return f"fitted to SIMULATED traces{edited}"
    if source.inputs:
        return f"fitted to measured traces{edited}"
    return f"published{edited}" if source.citation else "made by hand"


def picture_in_text(params: ParameterFile) -> list[str]:
    """What devices do over pulses, in characters; nothing where the file does not tell."""
    try:
        band = drift_band(params)
    except ParameterFileError:
        return []
    ends = as_ohms(float(band.ohm.min())), as_ohms(float(band.ohm.max()))
    labels = (*ends, "fresh", f"{band.pulses[-1]} pulses")
    wide = band.ohm.max() > 30.0 * band.ohm.min()  # a logarithmic axis, or the lower half is a line
    low, middle, high = ((np.log(row) if wide else row).tolist() for row in band.ohm)
    return text_chart(band.pulses.tolist(), low, middle, high, labels)


def _what(params: ParameterFile, band: DriftBand | str) -> Iterator[str]:
    """Origin, drift, and the median device in a sentence."""
    way = _DIRECTIONS[params.direction]
    yield f"Parameter file, schema {params.schema_version}; {origin_of(params)}; {way}, drift shape {params.model}."
    shape = SHAPES[params.model]
    medians = {
        name: shape.sign(name, params.direction) * entry.law().median() for name, entry in params.parameters.items()
    }
    if "r0_ohm" in medians:
        text = f"The median device starts at {as_ohms(medians['r0_ohm'])}"
        if shape.words is not None and not params.not_identifiable:  # words need every number
            text += f", {shape.words(medians)}"
        yield text + "."
    if not isinstance(band, str):
        end = float(band.change[1, -1])
        way = "rises" if end > 0 else "falls" if end < 0 else "stays"
        yield f"Over {band.pulses[-1]} pulses the resistance {way}: {as_change(end)} in the median device."
    for name, entry in params.not_identifiable.items():
        bound = "" if entry.lower is None else f", only that it is above {number(entry.lower, 3)} {entry.unit}"
        yield f"{name} is not identifiable{bound}: {entry.note}."


def _laws(params: ParameterFile) -> Iterator[tuple[str, ...]]:
    for name, entry in params.parameters.items():
        law = entry.law()
        sign = SHAPES[params.model].sign(name, params.direction)
        median, reach = law_in_words(law, in_words(params.model, name, entry.unit), sign)
        yield name, median, reach, spread_words(law), FAMILY_WORDS.get(law.family, law.family), _behind(entry)


def _unknown(params: ParameterFile) -> Iterator[tuple[str, ...]]:
    for name, entry in params.not_identifiable.items():
        counts = f"{entry.n_informative} of {entry.n_devices}" if entry.n_devices is not None else "–"
        yield name, "unknown", "–", "–", "not identifiable", counts


def _behind(entry: ParameterLaw) -> str:
    return f"{entry.n_informative} of {entry.n_devices}" if entry.n_informative is not None else "no devices"


def _notes(params: ParameterFile) -> Iterator[str]:
    if any(entry.n_informative is not None for entry in params.parameters.values()):
        yield "from: devices whose own traces tell of the number, of those fitted"
    yield "90 % of devices: from 5 to 95 %; spread: half of what 68 % of them span, or the factor of that"
    for name, entry in params.parameters.items():
        if entry.note:
            yield f"{name}: {entry.note}"


def _between(params: ParameterFile) -> Iterator[str]:
    """Correlations, scaled spread, measured rows, spread between cycles."""
    if params.spread == "empirical" and params.empirical is not None:
        yield f"Devices are drawn from the {len(params.empirical.devices)} measured ones, not from these laws."
    if params.correlation is not None:
        names, matrix = params.correlation.names, params.correlation.matrix
        pairs = [
            f"{names[j]} and {names[i]} {matrix[i][j]:+.2f}"
            for i in range(len(names)) for j in range(i) if matrix[i][j]
        ]
        yield f"Correlated: {', '.join(pairs)}." if pairs else "No correlation was shown."
    if params.d2d is not None:
        factors = ", ".join(f"{name} times {factor:g}" for name, factor in params.d2d.scale.items())
        yield f"The spread is changed, for a study: {factors}."
    for name, spread in (params.c2c or {}).items():
        size = percent(spread.sd) if spread.scale == "ln" else number(spread.sd, 3)
        yield f"From cycle to cycle {name} changes by {size} (standard deviation)."


def _over_pulses(band: DriftBand | str) -> Summary:
    """Resistance after some pulses."""
    if isinstance(band, str):
        return Summary("What a device does over pulses", (band,))
    rows = []
    for i in band.at_round_pulses():
        ohm, change = band.ohm[:, i].tolist(), band.change[:, i].tolist()
        moved = as_change(change[1]) if band.pulses[i] else "–"
        rows.append((str(band.pulses[i]), as_ohms(ohm[1]), as_ohms(ohm[0], ohm[2]), moved))
    columns = ("pulses", "median", "90 % of devices", "median change")
    return Summary("What a device does over pulses", ("Drift alone, without noise.",), columns, rows)


def _noise(params: ParameterFile) -> Iterator[str]:
    for kind, block in params.noise.blocks():
        if not block.enabled:
            yield f"{kind.label}: off"
            continue
        numbers = [
            f"{about.name} {noise_number(about, value, getattr(block, f'{about.name}_stderr', None))}"
            for about in kind.numbers if (value := getattr(block, about.name)) is not None
        ]
        own = [text for text in (_own(block, index) for index in range(len(kind.own))) if text]
        count = getattr(block, "n_informative", None)
        seen = f" (seen in {count} of {block.n_devices} devices)" if count is not None else ""
        yield f"{kind.label}: {', '.join([*numbers, *own])}{seen}"


def _own(block: NoiseBlock, index: int) -> str:
    """A number that each device has for itself, and how many have it."""
    own = block.kind.own[index]
    entry = getattr(block, own.name)
    if entry is None:
        return ""
    median, reach = law_in_words(entry.law(), in_words("", own.name, own.unit))
    share = "" if own.share is None else f" in {percent(getattr(block, own.share.name), 0)} of the devices"
    return f"{own.name} {median} ({reach}){share}"


def _devices(params: ParameterFile) -> Iterator[str]:
    counts = [entry.n_devices for entry in params.parameters.values() if entry.n_devices is not None]
    if counts:
        yield f"{max(counts)} devices were fitted."
    if params.defects.fraction or counts:
        kinds = ", ".join(f"{kind.kind} {percent(kind.fraction)}" for kind in params.defects.kinds)
        yield f"Yield {percent(1.0 - params.defects.fraction)}{f'; defects: {kinds}' if kinds else ''}."
    yield from _left_out(params)
    held = params.provenance.held_out
    if held:
        yield f"{len(held)} devices were kept out of the fit, for validation."


def _left_out(params: ParameterFile) -> Iterator[str]:
    """Devices and readings that were left out, by reason."""
    reasons: dict[str, Counter[str]] = {}
    for item in params.provenance.exclusions:
        reasons.setdefault(item.reason.split(":")[0], Counter())[item.device] += item.n_readings or 0
    for reason, found in reasons.items():
        shown = [f"{name} ({count} reads)" if count else name for name, count in list(found.items())[:_NAMES_SHOWN]]
        more = f" and {len(found) - _NAMES_SHOWN} more" if len(found) > _NAMES_SHOWN else ""
        yield f"Excluded, {reason}: {', '.join(shown)}{more}."


def _validation(params: ParameterFile) -> str:
    verdict = params.validation
    if not verdict:
        return "Not validated yet: weakreset validate PARAMS TRACES --store"
    words = verdict.get("sentence")
    if isinstance(words, str):
        return words
    return "passed" if verdict.get("passed") else "a verdict is stored that says neither passed nor failed in words"


def _provenance(params: ParameterFile) -> Iterator[str]:
    source = params.provenance
    if source.citation:
        yield f"Source: {source.citation}"
    made = f" on {source.created}" if source.created else ""
    if source.software:
        yield f"Written by {source.software} {source.software_version or ''}{made}."
    if source.command:
        yield f"Command: {source.command}"
    formats = Counter(item.file for item in source.inputs)
    for file in list(formats)[:_NAMES_SHOWN]:
        yield f"Input: {file}"
    if len(formats) > _NAMES_SHOWN:
        yield f"... and {len(formats) - _NAMES_SHOWN} more input files"
    yield from source.notes
    for edit in source.edits:
        when = f" on {edit.edited}" if edit.edited else ""
        yield f"Edited by hand{when}: {edit.what} is {edit.new}, was {edit.old}."
