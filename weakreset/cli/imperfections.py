"""Help that names the imperfections: looked up when it is shown, for kinds of noise are found at run time."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperOption

__all__ = ["ImperfectionsCommand"]

SWITCHES, CONDITIONS = "[SWITCHES]", "[CONDITIONS]"


class ImperfectionsCommand(TyperCommand):
    """A command in whose help SWITCHES and CONDITIONS stand for what the registry of imperfections holds."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from weakreset.model import imperfections, switches

        rows = imperfections().values()
        conditions = [f"without {row.name}" for row in rows] + [f"only {row.name}" for row in rows if row.in_all]
        conditions.append("all off")
        for option in self.params:
            if isinstance(option, TyperOption) and option.help:
                found = option.help.replace(SWITCHES, switches())
                option.help = found.replace(CONDITIONS, ", ".join(conditions))
        super().format_help(ctx, formatter)
