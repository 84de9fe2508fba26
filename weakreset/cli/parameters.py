"""The parameter file of a command, with what is assumed of parameters that are not identifiable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from weakreset.parameter_file import ParameterFile

__all__ = ["AssumeOption", "parameters_of"]

AssumeOption = Annotated[
    str, typer.Option("--assume", help="numbers for what is not identifiable in the file: t_star=500,m2=0")
]


def parameters_of(source: str, assume: str) -> ParameterFile:
    """The file or preset, with the numbers of `--assume`."""
    from weakreset.parameter_file import assumed_numbers, load_parameters

    return load_parameters(source, assumed_numbers(assume))
