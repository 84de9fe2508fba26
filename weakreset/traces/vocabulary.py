"""The names that people give to their columns, and what we take them for."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from weakreset.traces.foreign_words import FOREIGN, FOREIGN_SIDE
from weakreset.traces.units import LONGEST_NAME, QUANTITIES, is_bracketed, parse_unit, split_name

__all__ = [
    "ADDRESS_WORDS",
    "OPERATIONS",
    "classify_name",
    "coordinate_of",
    "is_average",
    "is_derived",
    "is_plain_value",
    "is_pulse_setting",
    "is_side_column",
    "is_statistic",
    "is_temperature",
    "is_unit_key",
    "normalise",
    "role_of",
    "unit_of_quantity",
]

_WORDS: dict[str, tuple[float, tuple[str, ...]]] = {
    "device": (
        0.95,
        ("device", "devices", "device id", "device name", "device no", "cell", "cell id", "cell name", "dut", "dut id",
         "dev", "addr", "address", "sample", "sample id", "device number", "cell number", "id", "name"),
    ),
    "cycle": (
        0.9,
        ("cycle", "cycles", "cycle number", "cycle no", "cycle id", "cycle index", "cyc", "ramp", "run", "set number"),
    ),
    "pulse": (
        0.95,
        ("pulse", "pulses", "pulse number", "pulse no", "pulse nr", "pulse num", "pulse index", "pulse idx",
         "pulse count", "pulse id", "n pulse", "n pulses", "npulse", "npulses", "number of pulses", "reset pulse",
         "reset pulses", "reset pulse number", "pulse counter", "#pulse", "#pulses"),
    ),
    "burst": (
        0.9,
        ("num applied", "n applied", "pulses applied", "applied pulses", "applied", "num pulses applied",
         "n pulses applied", "pulses since read", "pulses since last read", "pulses per read", "burst", "burst length",
         "pulses per burst", "pulses in burst", "pulses per step", "pulse increment", "burst size", "delta pulses",
         "pulses between reads", "pulses before read", "new pulses", "added pulses"),
    ),
    "operation": (0.9, ("operation", "op", "op type", "operation type", "action", "pulse type")),
    "resistance": (0.95, ("r", "resistance", "res", "r read", "rread", "read resistance", "resistance read", "r meas")),
    "conductance": (0.95, ("g", "conductance", "cond", "g read", "gread", "read conductance", "g meas")),
    "current": (0.9, ("i", "current", "i read", "iread", "read current", "current read", "i meas")),
    "read_voltage": (0.95, ("v read", "vread", "read voltage", "readvoltage", "voltage read", "read v",
                             "meas v", "v meas", "measure voltage", "measured voltage", "measuring voltage")),
}  # fmt: skip
# What is counted, and the words that say that a column counts it: `No. of pulses`, `Cycle #`, `PulseNum`.
_COUNTED = {
    "pulse": "pulse", "pulses": "pulse", "reset": "pulse",
    "cycle": "cycle", "cycles": "cycle", "cyc": "cycle", "set": "cycle", "ramp": "cycle", "run": "cycle",
    "device": "device", "dut": "device", "dev": "device", "cell": "device", "sample": "device", "bit": "device",
}  # fmt: skip
_COUNTING = frozenset(
    ("#", "no", "nr", "num", "number", "numbers", "nb", "count", "counter", "index", "idx", "id", "n", "of", "total",
     "applied", "the", "name", "label")
)  # fmt: skip
_WEAK = {
    "n": ("pulse", 0.5), "#": ("pulse", 0.5), "index": ("pulse", 0.4),
    "v": ("read_voltage", 0.5), "voltage": ("read_voltage", 0.5),
}  # fmt: skip
_CONTAINED = (("resistance", "resistance"), ("conductance", "conductance"))
_DERIVED = frozenset(
    ("average", "averaged", "avg", "mean", "median", "moving", "smooth", "smoothed", "std", "sd", "stdev", "sigma",
     "error", "err", "stderr", "fit", "fitted", "log", "ln", "log10", "ratio", "normalized", "normalised", "delta",
     "target", "initial", "final", "min", "max", "minimum", "maximum", "sem", "var", "variance", "rms", "quantile",
     "percentile", "cv", "lg", "db", "norm", "rel", "relative", "normed", "change", "difference", "diff", "deviation",
     "uncertainty", "unc", "adc", "dac", "lsb")
)  # fmt: skip
# The cell above the row names and left of the column names says both: `device \\ pulse`, `Device vs pulse`.
_CORNER = re.compile(
    r"(?i)^(?P<down>device|cell|dut|sample|pulse)s?\s*(?:[\\/|,]|vs\.?|→|->|↓)\s*(?:device|cell|dut|sample|pulse)s?\b\W*$"
)
_DERIVED_WORD = re.compile(r"^(?:(?:log|log10|lg|ln)[rgi]|[rgi](?:norm|rel|ratio|avg|mean|std|err))$")
_DERIVED_SIGN = re.compile(r"[Δ∆∂]|\bd[RGI]\b|\b[RGI]_?\w{0,4}\s*[-–/÷]\s*[RGI]_?(?:0|\w{0,4}0|init\w*|ref)\b")
_STATISTICS = frozenset(
    ("mean", "average", "avg", "median", "std", "stdev", "stddev", "std dev", "standard deviation", "sd", "sigma",
     "σ", "μ", "min", "max", "minimum", "maximum", "sem", "variance", "sum", "total", "mittelwert", "mittel", "stabw",
     "standardabweichung", "moyenne", "ecart type", "media", "promedio", "desviacion", "平均", "平均値", "平均值",
     "标准差", "標準偏差")
)  # fmt: skip
_AVERAGES = frozenset(
    ("mean", "average", "averaged", "avg", "median", "ravg", "rmean", "gavg", "gmean", "iavg", "imean")
)
_PLAIN_VALUES = frozenset(
    ("value", "values", "val", "reading", "readings", "measurement", "measured value", "meas value", "measured", "meas",
     "result", "data", "messwert", "wert", "valeur", "valor", "valore", "y", "y value")
)  # fmt: skip
_SIDE = frozenset(
    ("time", "timestamp", "date", "temperature", "temp", "wafer", "die", "lot", "row", "col", "column", "x", "y",
     "v_sl", "vsl", "v_wl", "vwl", "v_bl", "vbl", "width", "amplitude",
     "comment", "note", "operator", "level", "step", "tag",
     "t", "t_s", "seconds", "elapsed", "humidity", "rh", "pressure", "chuck", "frequency", "duration", "delay", "clock",
     "compliance", "power", "energy", "charge", "noise", "flag", "status", "line", "range")
)
_SIDE_UNITS = frozenset(
    ("s", "sec", "ms", "us", "µs", "ns", "ps", "min", "h", "hr", "hours", "minutes", "seconds", "k", "c", "degc",
     "deg c", "°c", "celsius", "kelvin", "percent", "%", "v", "mv", "volt", "volts", "hz", "khz", "mhz", "w", "mw", "j",
     "pj", "nj", "um", "nm", "mm", "pa", "mbar", "bar", "db")
)  # fmt: skip
_PULSE_SETTINGS = frozenset(
    ("v sl", "vsl", "v bl", "vbl", "v wl", "vwl", "v reset", "vreset", "v pulse", "vpulse", "amplitude", "amp",
     "pulse amplitude", "pulse voltage", "pulse v", "v p", "amplitude v", "pulse amplitude v", "reset voltage",
     "width", "pulse width", "pulsewidth", "t pulse", "tpulse", "pulse length", "pulse duration", "pw", "t width",
     "width s", "width us", "width ns", "pulse width s", "pulse width us", "pulse width ns")
)  # fmt: skip
_UNIT_KEYS = frozenset(("unit", "units", "unit string", "unit symbol", "unit name", "ni unitdescription", "unit label"))
OPERATIONS = {
    "set": "SET", "form": "SET", "forming": "SET",
    "reset": "RESET", "weak reset": "RESET", "pulse": "RESET",
    "read": "READ", "verify": "READ",
}  # fmt: skip
ADDRESS_WORDS = (
    "lot", "wafer", "die", "site", "chip", "module", "block", "array", "sector", "page", "subsite", "bank", "macro",
    "row", "col", "column", "wordline", "bitline", "word line", "bit line", "wl", "bl", "word", "bit", "slot",
    "channel", "die x", "die y", "wafer id", "die id", "chip id", "lot id",
)
_PLACES = frozenset(
    ("die", "wafer", "pos", "position", "coord", "coordinate", "chip", "site", "device", "dev", "index", "idx", "mm",
     "um", "loc", "location", "probe", "stage")
)  # fmt: skip


def normalise(name: str) -> str:
    """Lower case without accents, words separated by one space; Greek letters are units and symbols, no words."""
    if name.isascii():
        return re.sub(r"[^a-z0-9#]+", " ", name.lower()).strip()
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).lower()
    return re.sub(r"[^\w#]+|[_\u0370-\u03ff]+", " ", plain.replace("ı", "i")).strip()


@lru_cache(maxsize=1)
def _foreign() -> dict[str, str]:
    return {normalise(word): role for role, words in FOREIGN.items() for word in words}


@lru_cache(maxsize=1)
def _foreign_side() -> frozenset[str]:
    return frozenset(map(normalise, FOREIGN_SIDE))


def _counted(name: str) -> str:
    """What a name says that its column counts or numbers: pulse, cycle, device or ''."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("#", " # ")
    words = normalise(apart).split()
    roles = [_COUNTED[word] for word in words if word in _COUNTED]
    if not roles or len(roles) == len(words) or not all(word in _COUNTED or word in _COUNTING for word in words):
        return ""
    kinds = set(roles) - ({"cycle"} if "pulse" in roles and "set" in words else set())
    return roles[0] if len(kinds) == 1 else ""


def classify_name(name: str) -> tuple[str, float] | None:
    """Role that a bare column name (without its unit) stands for and how sure that is, or None."""
    if len(name) > LONGEST_NAME:
        return None
    key = normalise(name)
    for role, (confidence, words) in _WORDS.items():
        if key in words:
            return role, confidence
    if key in _WEAK:
        return _WEAK[key]
    if foreign := _foreign().get(key):
        return foreign, 0.9
    if corner := _CORNER.match(name.strip()):
        return _COUNTED[corner["down"].lower().rstrip("s")], 0.9
    if counted := _counted(name):
        return counted, 0.9
    words_in_key = key.split()
    for word, role in _CONTAINED:
        if word in words_in_key and not is_derived(name):
            return role, 0.7
    return None


def role_of(header: str) -> str:
    """Role that a header stands for, with its unit or without; '' where it is none of ours."""
    if len(header) > LONGEST_NAME:
        return ""
    if whole := classify_name(header):
        return whole[0]
    bare, unit_text = split_name(header)
    known = classify_name(bare)
    if known is None:
        return ""
    unit = parse_unit(unit_text, known[0])  # `cell_A` and `pulse_width` only look like names with units
    return known[0] if is_bracketed(header) or (unit and unit.quantity == known[0]) else ""


def is_derived(name: str) -> bool:
    """Whether the name says that the column was computed from readings (a moving average, a fit, a logarithm)."""
    words = normalise(name).split()
    if _DERIVED.intersection(words) or any(map(_DERIVED_WORD.match, words)):
        return True
    return _DERIVED_SIGN.search(name) is not None


def is_average(name: str) -> bool:
    """Whether a derived name says the mean of several reads and nothing else: a reading where there is no other."""
    words = set(normalise(name).split())
    others = words - _AVERAGES
    return bool(words & _AVERAGES) and not is_derived(" ".join(others))


def is_plain_value(name: str) -> bool:
    """Whether a name says that a column holds values, and not of what: `Value`, `Reading`, `Messwert`."""
    return normalise(name) in _PLAIN_VALUES


def is_side_column(name: str) -> bool:
    """Whether the name is a circumstance of the measurement (time, temperature, address), never a device."""
    key = normalise(name)
    if name.lower() in _SIDE or _SIDE.intersection(key.split()) or key.startswith(("v ", "pulse ", "num ")):
        return True
    if _foreign_side().intersection((key, *key.split())):
        return True
    bare, unit = split_name(name)
    return unit.lower() in _SIDE_UNITS and (is_bracketed(name) or len(unit) > 1 or normalise(bare) in _SIDE)


def coordinate_of(name: str) -> str:
    """`x` or `y` where a name says a coordinate and only words for places beside it: `Die X`, `X (mm)`; else ''."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = [word for word in normalise(apart).split() if word not in _PLACES]
    joined = re.fullmatch(r"(?:pos|die|wafer|chip|coord)?([xy])(?:pos|die|wafer|coord)?", " ".join(words))
    return joined[1] if joined else ""


@lru_cache(maxsize=4096)
def is_statistic(name: str) -> bool:
    """Whether what should be the name of a device says a statistic of several: `mean`, `std`, `Mittelwert`."""
    return (normalise(name) or name.strip()) in _STATISTICS


def is_unit_key(name: str) -> bool:
    """Whether a column, a field or a key of metadata holds a unit: `unit`, `UNITS`, `unit_string`, `R_unit`."""
    key = normalise(name)
    return key in _UNIT_KEYS or bool(unit_of_quantity(name))


def unit_of_quantity(name: str) -> str:
    """The quantity whose unit a name says that it holds (`R_unit`, `resistance units`), or ''."""
    key = normalise(name)
    stem = re.sub(r"^units? of (?:the )?|\s+units?$", "", key)
    known = classify_name(stem) if stem != key else None
    return known[0] if known and known[0] in QUANTITIES else ""


def is_temperature(name: str) -> bool:
    """Whether a column gives the temperature of the device or of the chuck."""
    bare, unit = split_name(name)
    words = normalise(bare).split()
    degrees = unit.strip("[]() ").lower() in ("k", "c", "°c", "degc", "deg c", "celsius", "kelvin")
    return bool({"temp", "temperature", "temperatur", "tchuck"}.intersection(words)) or (words == ["t"] and degrees)


def is_pulse_setting(name: str) -> bool:
    """Whether a column gives the amplitude or the width of the pulses."""
    return normalise(name) in _PULSE_SETTINGS or normalise(split_name(name)[0]) in _PULSE_SETTINGS
