"""How a lab file was read: right, refused, or wrong (and crashed, for what is no error of ours)."""

from __future__ import annotations

import inspect
import re
import shlex
import warnings
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.lab_files.case import Case
from tests.lab_files.lot import Key, Readings
from weakreset import WeakResetError, load_traces

RIGHT, REFUSED, WRONG, CRASHED = "right", "refused", "wrong", "crashed"
PLAUSIBLE_OHM = (100.0, 1e8)
_LONGEST = 3000
_PLACEHOLDER = re.compile(r"\b[A-Z][A-Z_]{2,}\b|\bN\b|\.\.\.|<")
_VALUED = ("--format", "--read-voltage", "--where", "--skip")
_OPTION = re.compile(r"--[a-z][a-z-]*")


@dataclass(frozen=True)
class Verdict:
    """`word` is one of right, refused, wrong, crashed; `way` says that a refusal printed an option that works.

    `cause` of a wrong one: readings (other numbers, pulses or devices than the true ones, or readings dropped without
    a word), read (what must be refused was read), reason (left out for no good reason), unsaid, advice, message.
    """

    word: str
    why: str = ""
    way: bool = False
    cause: str = ""


def _wrong(cause: str, why: str) -> Verdict:
    return Verdict(WRONG, why, cause=cause)


def judge(case: Case) -> Verdict:
    """Read the file as a user would and compare with its truth."""
    try:
        traces = _load(case)
    except WeakResetError as error:
        return _judge_refusal(case, str(error))
    except Exception as error:
        return Verdict(CRASHED, f"{type(error).__name__}: {error}"[:300])
    if case.must_refuse:
        return _wrong("read", f"read as {_summary(traces)}; must be refused for {case.must_refuse!r}")
    problem = _differences(case, traces)
    if problem:
        return _wrong("reason" if "left out" in problem else "readings", problem)
    if case.says and not re.search(case.says, inspected(case)):
        return _wrong("unsaid", f"inspect does not say {case.says!r}")
    return Verdict(RIGHT)


def _without_names(case: Case, text: str) -> str:
    """The folders and names of files hold words that no message said: `endurance.csv`."""
    for path in case.paths:
        text = text.replace(f"{path.parent}/", "")
        text = text.replace(f"{path}/", "") if path.is_dir() else text.replace(path.name, "FILE")
    return text


def inspected(case: Case) -> str:
    """What `weakreset inspect` prints for the file."""
    import typer
    from typer.testing import CliRunner

    from weakreset.cli.inspect import inspect_command

    app = typer.Typer()
    app.command()(inspect_command)
    result = CliRunner().invoke(app, [str(path) for path in case.paths], env={"COLUMNS": "500"})
    return _without_names(case, result.output)


def _load(case: Case, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_traces(case.sources, **options)


def _summary(traces: Any) -> str:
    first = traces.traces[0]
    lengths = sorted({len(trace) for trace in traces})
    shown = ", ".join(f"{p}: {r:.4g}" for p, r in zip(first.pulses[:3], first.resistance_ohm[:3], strict=True))
    return f"{len(traces)} traces of {lengths[:3]} reads ({first.device!r}: {shown} ohm)"


# -- what was read ------------------------------------------------------------------------------------------------


def _differences(case: Case, traces: Any) -> str:
    """What is wrong with these traces, or ''."""
    if case.look is not None:
        return case.look(traces)
    return compare(case, traces, case.readings or {})


def compare(case: Case, traces: Any, truth: Readings) -> str:
    """Values, pulses, devices and what was left out, beside the truth; '' where all is right."""
    wanted = {key[0] for key in truth} | {key[0] for key in case.left_out}
    names = match_names({trace.device for trace in traces}, wanted)
    if isinstance(names, str):
        return f"{names}; {_summary(traces)}"
    for item in traces.exclusions:
        named = match_names({item.device}, wanted)
        names |= named if isinstance(named, dict) else {}
    read = _keyed(traces, names, truth, case.left_out)
    out = _excluded(traces, names)
    return (
        _wrong_values(read, truth, case)
        or _not_used(read, truth, case, out)
        or _reasons(case, out)
    )


def _keyed(traces: Any, names: dict[str, str], truth: Readings, left_out: Iterable[Key]) -> Readings:
    """Readings by key; cycles are matched in their order, however the file numbers them."""
    theirs, ours = defaultdict(set), defaultdict(set)
    for trace in traces:
        theirs[names[trace.device]].add(trace.cycle)
    for device, cycle, _ in (*truth, *left_out):
        ours[device].add(cycle)
    read = {}
    for trace in traces:
        device = names[trace.device]
        cycle = trace.cycle
        if len(theirs[device]) == len(ours[device]):
            cycle = sorted(ours[device])[sorted(theirs[device]).index(cycle)]
        for pulse, ohm in zip(trace.pulses.tolist(), trace.resistance_ohm.tolist(), strict=True):
            read[device, cycle, pulse] = ohm
    return read


def _wrong_values(read: Readings, truth: Readings, case: Case) -> str:
    strange = [key for key in read if key not in truth]
    if strange:
        kept = [key for key in strange if key in case.left_out]
        if kept:
            return f"{len(kept)} readings are used that are none, such as {kept[0]}: {read[kept[0]]:.4g} ohm"
        return f"{len(strange)} of {len(read)} readings are of no such device, cycle and pulse, such as {strange[0]}"
    off = [key for key, ohm in read.items() if not abs(ohm / truth[key] - 1) <= case.rtol]
    if off:
        ratio = np.median([read[key] / truth[key] for key in off])
        worst = f"{off[0]}: {read[off[0]]:.6g}"
        return f"{len(off)} of {len(read)} values are off (median factor {ratio:.3g}), such as {worst}"
    return ""


def _not_used(read: Readings, truth: Readings, case: Case, out: _Excluded) -> str:
    silent, said = [], []
    for key in truth:
        if key in read or key in case.optional:
            continue
        reason = out.of(key)
        if reason is None:
            silent.append(key)
        elif key not in case.may_miss and not re.search(case.whole_device.get(key[0], r"$^"), reason):
            said.append((key, reason))
    if silent:
        return f"{len(silent)} of {len(truth)} readings are dropped without a word, such as {silent[0]}"
    if said:
        return f"{len(said)} of {len(truth)} good readings are left out, such as {said[0][0]}: {said[0][1]}"
    return ""


def _reasons(case: Case, out: _Excluded) -> str:
    for key, words in case.left_out.items():
        reason = out.of(key)
        if reason is None:
            return f"{key} is left out, but not among the exclusions"
        device_words = case.whole_device.get(key[0], r"$^")
        if not re.search(words, reason) and not re.search(device_words, reason):
            return f"{key} is left out for {reason!r}, not for {words!r}"
    return ""


class _Excluded:
    """Reasons of exclusions, by reading: a reading, the reads from a pulse on, or a device.

    Files number cycles in their own way, so a reason for the same cycle is looked for first, then one for any.
    """

    def __init__(self) -> None:
        self.single: dict[tuple[str, int], dict[int, str]] = defaultdict(dict)
        self.onward: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.whole: dict[str, dict[int, str]] = defaultdict(dict)

    def of(self, key: Key) -> str | None:
        device, cycle, pulse = key
        single, whole = self.single.get((device, pulse), {}), self.whole.get(device, {})
        if cycle in single:
            return single[cycle]
        for first, reason in self.onward.get(device, ()):
            if pulse >= first:
                return reason
        return whole.get(cycle) or next(iter((*single.values(), *whole.values())), None)


def _excluded(traces: Any, names: dict[str, str]) -> _Excluded:
    found = _Excluded()
    for item in traces.exclusions:
        device = names.get(item.device, item.device)
        if item.pulse is None:
            found.whole[device][item.cycle] = item.reason
        elif item.n_readings > 1:
            found.onward[device].append((item.pulse, item.reason))
        else:
            found.single[device, item.pulse][item.cycle] = item.reason
    return found


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lstrip("0") or "0" for word in re.findall(r"[a-z]+|\d+", name.lower()))


def match_names(found: set[str], wanted: set[str]) -> dict[str, str] | str:
    """Each name read -> the name meant, or what is wrong.

    Names may differ by words around them (`Conductance (W11)` for W11); `*` is a device whose file does not name it.
    """
    found = {name for name in found if name}
    if wanted == {"*"}:
        return dict.fromkeys(found, "*") if len(found) == 1 else f"{len(found)} devices where there is one"
    names = {}
    for name in sorted(found):
        words = set(_words(name))
        near = [w for w in wanted if w == name] or [w for w in wanted if set(_words(w)) == words]
        near = near or [w for w in wanted if words and set(_words(w)) <= words]
        near = near or [w for w in wanted if words and words <= set(_words(w))]
        if len(near) != 1:
            return f"there is no device {name!r} (devices: {', '.join(sorted(wanted)[:4])}, ...)"
        names[name] = near[0]
    if len(set(names.values())) < len(names):
        return f"{len(names)} devices where there are {len(set(names.values()))}"
    return names


# -- what was refused ---------------------------------------------------------------------------------------------


def _judge_refusal(case: Case, text: str) -> Verdict:
    if "\n\n" in text.strip() or "Traceback" in text or len(text) > _LONGEST:
        return _wrong("message", f"the refusal is not one paragraph: {text[:200]!r}")
    if case.names_file and not any(path.name in text for path in case.paths):
        return _wrong("message", f"the refusal does not name the file: {text[:200]}")
    text = _without_names(case, text)
    words = case.must_refuse or case.refusal
    if words and not re.search(words, text):
        return _wrong("message", f"the refusal does not mention {words!r}: {text[:300]}")
    if case.no_way and re.search(case.no_way, text):
        return _wrong("advice", f"the refusal offers {case.no_way!r}: {text[:300]}")
    lines = [line for line in advice(text) if not _of_another_stage(line)]
    outcomes = [_try(case, line) for line in lines]
    for line, (_, problem) in zip(lines, outcomes, strict=True):
        if problem:
            return _wrong("advice", f"its advice `{line}` {problem}")
    right = [good for good, _ in outcomes]
    if lines and not any(right):
        return _wrong("advice", f"its advice `{lines[0]}` gives other traces than the true ones")
    return Verdict(REFUSED, text[:300], way=any(right))


def advice(text: str) -> list[str]:
    """The command-line options that a message prints, without those that hold a placeholder (`--map pulse=COLUMN`)."""
    lines = []
    for match in _OPTION.finditer(text):
        if match[0] == "--keep-going":
            continue
        rest = text[match.end() :]
        value = re.match(r"""[ =]((?:'[^']*'|"[^"]*"|\[[^\]]*\]|[^\s`;])+)""", rest)
        line = match[0] + (f" {value[1].rstrip('.,:)')}" if value else "")
        complete = "=" in line if match[0] in ("--map", "--limits") else value or match[0] not in _VALUED
        if complete and not _PLACEHOLDER.search(line):
            lines.append(line)
    return list(dict.fromkeys(lines))


def _try(case: Case, line: str) -> tuple[bool, str]:
    """Whether an option gives the truth, and what is wrong with printing it: it fails, or gives no resistances."""
    keyword, value = _keyword(line)
    if not keyword:
        return False, "is no option of load_traces"
    try:
        traces = _load(case, **{keyword: value})
    except WeakResetError as error:
        return False, f"does not work: {str(error)[:160]}"
    except Exception as error:
        return False, f"crashes: {type(error).__name__}: {error}"
    ways = case.ways if case.ways is not None else [case.readings or {}]
    loose = replace(case, look=None, says="")
    if case.look is not None:
        good = not case.look(traces)
    else:
        good = any(way and not compare(loose, traces, way) for way in ways)
    median = float(np.median(np.concatenate([trace.resistance_ohm for trace in traces])))
    if not good and not PLAUSIBLE_OHM[0] <= median <= PLAUSIBLE_OHM[1]:
        return False, f"gives {median:.3g} ohm"
    return good, ""


def _of_another_stage(line: str) -> bool:
    """Whether it is an option of `weakreset fit` or `inspect` that changes nothing about what is read."""
    import typer

    from weakreset.cli.app import application

    commands = typer.main.get_command(application()).commands
    known = {name for verb in ("fit", "inspect") for item in commands[verb].params for name in item.opts}
    return line.split()[0] in known and not _keyword(line)[0]


def _keyword(line: str) -> tuple[str, Any]:
    """The keyword of `load_traces` for an option of the command line."""
    parts = shlex.split(line) if line.count("'") % 2 == 0 and " '" in line else line.split(" ", 1)
    option, text = parts[0].lstrip("-").replace("-", "_"), parts[1] if len(parts) > 1 else ""
    option = {"map": "column_map", "read_voltage": "read_voltage_v"}.get(option, option)
    keywords = inspect.signature(load_traces).parameters
    keyword = next((name for name in keywords if name == option or name.startswith(option)), "")
    value: Any = text if text else True
    if keyword == "limits":
        from weakreset import ScreeningLimits

        value = ScreeningLimits.parse(text)
    elif re.fullmatch(r"-?\d+", text) and keyword not in ("column_map", "where", "format"):
        value = int(text)
    elif keyword == "read_voltage_v":
        value = float(text)
    return keyword, value
