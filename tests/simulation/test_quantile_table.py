import numpy as np
import pytest

from weakreset.model import TruncatedLaw
from weakreset.parameter_file import ParameterFile, draw_devices
from weakreset.simulation.quantile_table import KNOTS, QuantileTables

LAWS = [
    TruncatedLaw("norm", {"mean": 3.0, "sd": 2.0}),
    TruncatedLaw("expon", {"loc": 3.7e-5, "scale": 6.6e-4}, 3.74e-5, 0.0076),
    TruncatedLaw("lognorm", {"s": 0.8, "scale": 540.0}, 41.0, 2000.0),
    TruncatedLaw("weibull", {"shape": 0.6, "scale": 1.0}),
    TruncatedLaw("unit_gamma", {"shape": 3.0, "scale": 1.0, "upper": 0.5}),
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.family)
def test_distribution_differs_by_less_than_one_knot(law: TruncatedLaw) -> None:
    """No sampling: F(table(u)) against u on a grid that hits every interval, its ends and outermost tails."""
    u = np.concatenate([(np.arange(4 * KNOTS) + 0.3) / (4 * KNOTS), [0.0, 1e-12, 1e-7, 1 - 1e-7, 1 - 1e-12]])
    error = np.abs(law.cdf(QuantileTables()(law, u)) - u)
    assert np.max(error) < 1 / KNOTS
    tails = (u < 1 / KNOTS) | (u >= 1 - 1 / KNOTS)
    assert np.max(error[tails]) < 1e-9


def test_a_chip_is_the_one_of_the_exact_laws(params: ParameterFile) -> None:
    exact = draw_devices(params, 100_000, np.random.default_rng(1))
    table = draw_devices(params, 100_000, np.random.default_rng(1), quantiles=QuantileTables())
    for name, law in params.parameters.items():
        a, b = (chip.r0_ohm if name == "r0_ohm" else chip.drift[name] for chip in (exact, table))
        assert np.max(np.abs(law.law().cdf(a) - law.law().cdf(b))) < 1 / KNOTS, name
    assert params.noise.rtn.amplitude is not None
    amplitude = params.noise.rtn.amplitude.law()
    assert np.max(np.abs(amplitude.cdf(exact.rtn_amplitude) - amplitude.cdf(table.rtn_amplitude))) < 1 / KNOTS
