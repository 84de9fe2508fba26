"""Draw the pictures of the README from the bundled sample traces: `make pictures`."""

from __future__ import annotations

from pathlib import Path

from weakreset.demo import DEMO_TRACES
from weakreset.fitting import fit_devices
from weakreset.plots import traces_with_fits
from weakreset.resources import bundled
from weakreset.traces import load_traces

HERE = Path(__file__).parent


def main() -> None:
    fits = fit_devices(load_traces([bundled("data") / name for name in DEMO_TRACES]))
    traces_with_fits(fits).figure.savefig(HERE / "traces_with_fits.png", dpi=110)


if __name__ == "__main__":
    main()
