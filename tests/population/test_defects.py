"""Devices left out whole become kinds of defects; dropped readings do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weakreset.fitting.fit_set import excluded_fits
from weakreset.population import export_parameters, fit_population
from weakreset.population.defects import count_defects, kind_of
from weakreset.traces import Exclusion, TraceSet, screen


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("open: median resistance 1e+09 ohm is above 1e+07", "open"),
        ("stuck: all 100 reads are 5.0 ohm", "stuck"),
        ("early stop: 12 reads, fewer than 30", None),
        ("too few reads: 12 reads, fewer than 30", None),
        ("opened by hand", None),
        ("", None),
    ],
)
def test_kind_of_a_reason(reason, kind):
    assert kind_of(reason) == kind


def test_screened_devices_are_exported_as_defects(fitted):
    pulses = np.arange(101)
    reads = np.stack([np.full(101, 1e9) + pulses, np.full(101, 2.0) + 1e-3 * pulses, np.full(101, 7e3)])
    screened = screen(TraceSet.from_arrays(["far", "near", "still"], pulses, reads))
    reading = Exclusion("d0001", "not a number", pulse=7, line=8)
    whole = excluded_fits((*screened.exclusions, reading), fitted.drift)
    fits = replace(fitted, fits=(*fitted.fits, *whole))
    assert count_defects(fits) == {"open": 1, "short": 1, "stuck": 1}
    families = {"m1": "expon", "t_star": "lognorm", "c1": "norm", "m2": "expon"}
    defects = export_parameters(fit_population(fits, families=families), "lot").defects
    assert defects.fraction == pytest.approx(3 / 203)
    assert {kind.kind: kind.fraction for kind in defects.kinds} == {
        kind: pytest.approx(1 / 203) for kind in ("open", "short", "stuck")
    }
    assert count_defects(fitted) == {}
