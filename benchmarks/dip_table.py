"""Writes weakreset/population/dip_quantiles.py: how far samples of the uniform law lie from one mode, by simulation.

    python benchmarks/dip_table.py [replicas]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from weakreset.population.dip import dip

SIZES = (30, 50, 100, 200, 500, 1000)
TAILS = (0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
SEED = 20250
HEADER = '''"""Quantiles of sqrt(n) times the dip of n values of the uniform law, of {replicas:,} samples each.

Written by `benchmarks/dip_table.py`: simulating them for each set of devices took longer than all its laws.
"""

SIZES = {sizes}
TAILS = {tails}
"""P(more) of the columns of `QUANTILES`; its rows are those of `SIZES`."""

QUANTILES = (
{rows}
)
'''


def main() -> None:
    replicas = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    rng = np.random.default_rng(SEED)
    rows = []
    for n in SIZES:
        dips = np.sqrt(n) * np.array([dip(np.sort(rng.random(n))) for _ in range(replicas)])
        rows.append(f"    ({', '.join(f'{value:.4f}' for value in np.quantile(dips, 1.0 - np.array(TAILS)))}),")
        print(n, rows[-1])
    path = Path(__file__).parent.parent / "weakreset" / "population" / "dip_quantiles.py"
    path.write_text(HEADER.format(replicas=replicas, sizes=SIZES, tails=TAILS, rows="\n".join(rows)))


if __name__ == "__main__":
    main()
