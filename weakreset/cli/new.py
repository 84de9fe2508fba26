"""`weakreset new`: a parameter file from a paper's table."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from weakreset.cli.common import claim_outputs, console_for, print_json
from weakreset.errors import UsageError
from weakreset.resources import write_atomically

__all__ = ["nested", "new_command"]

_MAX_BYTES = 1 << 20
_EXAMPLES = {"ohm": "7 ± 0.4 kohm", "pulse": "540 ± 90 pulses", "1/pulse": "0.07 ± 0.02 %/pulse"}


def new_command(
    table: Annotated[Path | None, typer.Argument(metavar="[TABLE.toml]", help="the table; see --example")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="parameter file to write")] = None,
    name: Annotated[str, typer.Option(help="name of the technology")] = "",
    cite: Annotated[str, typer.Option(help="where the numbers come from: paper, table, page")] = "",
    drift: Annotated[str, typer.Option(help="drift shape: two-slope unless given")] = "",
    direction: Annotated[str, typer.Option(help="reset: pulses raise R; set: they lower it")] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="NAME=VALUE, again for more: r0_ohm='7 ± 0.4 kohm', m1='expon(mean=0.07 %/pulse)', "
            "t_star='lognorm(median=540, sigma_ln=0.8) in [41, 2000]', pink.alpha='0.7 %'",
        ),
    ] = None,
    ask: Annotated[bool | None, typer.Option(help="ask for what is missing; usual in a terminal")] = None,
    example: Annotated[bool, typer.Option("--example", help="print a table to fill in, or write it to -o")] = False,
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Write a parameter file from numbers of a paper: from a small TOML table, flags, or by questions."""
    from weakreset.parameter_file import EXAMPLE_TABLE, changes_of, new_parameters

    if example:
        _example(EXAMPLE_TABLE, output)
        return
    if output is None:
        raise UsageError("where to write the file? Give -o NAME.json")
    claim_outputs(output)
    console = console_for(json_)
    given = _read(table) if table is not None else {}
    given |= {key: value for key, value in
              (("name", name), ("cite", cite), ("drift", drift), ("direction", direction)) if value}
    for key, found in nested(changes_of(set_ or [])).items():
        both = isinstance(found, dict) and isinstance(given.get(key), dict)
        given[key] = given[key] | found if both else found
    given.setdefault("name", output.stem)
    # asked only where somebody can answer: a script would wait for ever
    if ask or (ask is None and sys.stdin.isatty() and not json_):
        _ask(given)
    params, notes = new_parameters(given)
    for note in notes:
        console.print(note, style="yellow", markup=False)
    params.save(output)
    console.print(f"parameter file: {output} (look at it: weakreset show {output})", markup=False)
    if json_:
        print_json({"parameter_file": str(output), "name": params.name, "assumed": list(notes)})


def _example(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    if output.exists():
        raise UsageError(f"{output} is there already; name another file with -o")
    write_atomically(output, text)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UsageError(f"no file {str(path)!r}: a table looks like what `weakreset new --example` prints")
    if path.stat().st_size > _MAX_BYTES:
        raise UsageError(f"{path}: {path.stat().st_size} bytes; a table has at most {_MAX_BYTES}")
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: not readable as TOML ({error}); see `weakreset new --example`") from None


def nested(changes: Mapping[str, str]) -> dict[str, Any]:
    """`pink.alpha` into the block of its kind of noise."""
    given: dict[str, Any] = {}
    for place, value in changes.items():
        first, dot, rest = place.partition(".")
        if not dot:
            given[first] = value
            continue
        block = given.setdefault(first, {})
        if not isinstance(block, dict) or "." in rest:
            raise UsageError(f"--set {place}={value}: write a law as a whole, {first}='family(number=..., ...)'")
        block[rest] = _plain(value)
    return given


def _plain(text: str) -> Any:
    """True and false; numbers keep their units and are read later."""
    return {"true": True, "false": False}.get(text, text)


def _ask(given: dict[str, Any]) -> None:
    """Ask for what the table does not give; an empty answer takes what stands in brackets."""
    from weakreset.parameter_file import missing_in

    if not given.get("cite"):
        given["cite"] = typer.prompt("source (paper, table)", default="", show_default=False, err=True)
    for item in missing_in(given):
        if item.default == "off":
            continue  # the numbers of noise are many: they come from the table or from --set
        unit = f" in {item.unit}" if item.unit != "1" else ""
        example = _EXAMPLES.get(item.unit, "0.01 ± 0.002")
        asked = f"{item.place}{unit}: {item.words} (a number, `{example}`, or `lognorm(median=..., sigma_ln=...)`)"
        default = None if item.default is None else f"{item.default:g}"  # None: typer asks until there is an answer
        given[item.place] = typer.prompt(asked, default=default, err=True, value_proc=_law_of(item))


def _law_of(item: Any) -> Any:
    """Checks an answer, so that a slip is asked again."""
    from weakreset.parameter_file.quantity_text import law_from

    def checked(answer: str) -> str:
        try:
            law_from(answer, item.unit, item.place)
        except UsageError as error:
            raise typer.BadParameter(str(error)) from None
        return answer

    return checked
