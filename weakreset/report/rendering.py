"""Templates of the pages: jinja2 with autoescape, and nothing that a template names may be missing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from weakreset.version import __version__

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render"]


def render(template: str, **context: Any) -> str:
    """A template of this folder filled in."""
    return _environment().get_template(template).render(**context, version=__version__)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        # autoescape: every name from a file is text; StrictUndefined: a misspelt variable is an error, not a gap
        loader=PackageLoader("weakreset.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
