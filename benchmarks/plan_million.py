"""What a million devices cost: unit costs measured here, and the table of docs/how-to/million-devices.md made of them.

    python benchmarks/plan_million.py            # prints the table
    python benchmarks/plan_million.py --write    # and writes it into the page
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

from weakreset.fitting import FitSet, fit_stream
from weakreset.fitting.fit_rows import DRAWS_KEPT, FitRows
from weakreset.fitting.fit_text import fit_of, text_of
from weakreset.fitting.part_store import PartStore
from weakreset.fitting.stream import sketch
from weakreset.population import fit_population
from weakreset.twin import simulate_traces

PAGE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "million-devices.md"
BEGIN, END = "<!-- table: benchmarks/plan_million.py -->", "<!-- end of table -->"
N_PULSES = 500
FEW, MANY = 96, 288
SIZES = (10_000, 100_000, 1_000_000)
WORKERS = (1, 8, 64)


@dataclass(frozen=True)
class Units:
    """Of one device, but for `first_s`, which a set costs however small it is, and `population_s`.

    `likelihood_bytes` are those of a device whose likelihood the driver keeps.
    """

    first_s: float
    fit_s: float
    trace_bytes: float
    part_bytes: float
    driver_bytes: float
    likelihood_bytes: float
    population_s: float


def timed(n_devices: int) -> tuple[float, FitSet]:
    traces = simulate_traces("majumdar2021", n_devices, N_PULSES, seed=7)
    begin = time.process_time()
    fits = fit_stream([traces], jobs=1)
    return time.process_time() - begin, fits


def measured() -> Units:
    timed(8)  # compiles and fills caches
    (few_s, _), (many_s, fits) = timed(FEW), timed(MANY)
    each = (many_s - few_s) / (MANY - FEW)
    small = [sketch(fit) for fit in fits]
    with tempfile.TemporaryDirectory() as folder:
        PartStore(Path(folder)).save("0" * 64, small)
        part = sum(path.stat().st_size for path in Path(folder).glob("*.parquet")) / MANY
    texts = [text_of(fit) for fit in small]
    held = []
    for most_draws in (0, MANY):
        tracemalloc.start()
        rows = FitRows((fit_of(text) for text in texts), most_draws)
        held.append(tracemalloc.get_traced_memory()[0] / len(rows))
        tracemalloc.stop()
    begin = time.process_time()
    fit_population(fits)
    population = time.process_time() - begin
    # beyond 2,000 devices the laws come from a sample of that many
    return Units(few_s - FEW * each, each, 8.0 * N_PULSES, part, held[0], held[1] - held[0], population * 2000 / MANY)


def table(units: Units) -> str:
    heads = ["devices", "readings", "parts", "memory of the driver", *(f"{n} worker{'s' * (n > 1)}" for n in WORKERS)]
    lines = [
        f"Simulated devices of {N_PULSES} pulses, one core of the machine that made this table: "
        f"{1e3 * units.fit_s:.1f} ms a device, {units.first_s:.1f} s for the plan, {units.population_s:.0f} s for the "
        f"laws (from a sample of 2,000). A device is {units.trace_bytes / 1e3:.1f} kB of readings, "
        f"{units.part_bytes / 1e3:.1f} kB of a part, and {units.driver_bytes / 1e3:.1f} kB of memory of the driver, "
        f"the process that the fit was started in; {DRAWS_KEPT:,} devices take {units.likelihood_bytes / 1e3:.1f} kB "
        "more, for their likelihoods.",
        "",
        f"| {' | '.join(heads)} |",
        "|---" * len(heads) + "|",
    ]
    for size in SIZES:
        driver = size * units.driver_bytes + min(size, DRAWS_KEPT) * units.likelihood_bytes
        sizes = (total / 1e9 for total in (size * units.trace_bytes, size * units.part_bytes, driver))
        spent = (units.first_s + units.population_s + size * units.fit_s / n for n in WORKERS)
        cells = [f"{size:,}", *(f"{gigabytes:.2g} GB" for gigabytes in sizes), *map(_words, spent)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _words(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    text = table(measured())
    print(text)
    if parser.parse_args().write:
        before, rest = PAGE.read_text("utf-8").split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", "utf-8")


if __name__ == "__main__":
    main()
