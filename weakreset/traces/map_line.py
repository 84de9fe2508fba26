"""The `--map` line that says by hand what was guessed."""

from __future__ import annotations

from weakreset.traces.layout import VALUES, Layout

__all__ = ["map_line"]


def map_line(layout: Layout) -> str:
    """The `--map` that says by hand what was guessed, to copy and change."""
    parts = [f"device='{layout.device_constant}'"] if layout.device_constant else []
    for role in ("device", "cycle", "pulse", "burst", "operation", *VALUES, "read_voltage"):
        columns = layout.of(role)
        if not columns:
            continue
        indices = [column.index for column in columns]
        unit = columns[0].unit
        symbol = f"[{unit.symbol}]" if unit else ""
        parts.append(f"{role}={_runs(indices)}{symbol}")
    if layout.row_counter:
        parts.append("pulse=@row")
    if layout.read_voltage_v is not None and not layout.of("read_voltage"):
        parts.append(f"read_voltage='{layout.read_voltage_v}'")
    return "--map " + ",".join(parts)


def _runs(indices: list[int]) -> str:
    """1, 2, 3, 7 as `1:3+7`."""
    starts = [i for i, index in enumerate(indices) if i == 0 or indices[i - 1] != index - 1]
    runs = [indices[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]
    return "+".join(f"{run[0]}:{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
