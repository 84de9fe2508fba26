"""The usual figure of any result."""

import re

import pytest
from matplotlib.axes import Axes

from tests import builders
from weakreset import plots
from weakreset.comparison import compare_parameters
from weakreset.errors import UsageError
from weakreset.parameter_file import majumdar2021


@pytest.mark.parametrize("made", [
    lambda: builders.small_fits().traces, lambda: builders.small_fits().traces.traces[0], builders.small_fits,
    lambda: next(fit for fit in builders.small_fits() if fit.numbers), builders.small_population, majumdar2021,
    lambda: compare_parameters(majumdar2021(), majumdar2021()), lambda: builders.runs()[1],
])  # fmt: skip
def test_every_result_has_a_figure(made):
    drawn = plots.show(made())
    assert isinstance(drawn, Axes)
    assert plots.figure_bytes(drawn, "png", dpi=30).startswith(b"\x89PNG")


def test_anything_else_is_refused():
    with pytest.raises(UsageError, match="no figure of a dict"):
        plots.show({})


def test_numbers_on_axes_are_plain_text_and_look_as_before():
    import matplotlib.figure

    ax = matplotlib.figure.Figure().add_subplot()
    ax.plot([1e-5, 2e-5], [1e-6, 1e3])
    ax.set_yscale("log")
    svg = plots.figure_bytes(ax, "svg")
    assert svg.count(b"mathdefault") == 0
    assert ax.xaxis.get_offset_text().get_text() == "×10⁻⁵"
    labels = [label.get_text() for label in ax.get_yticklabels()]  # which powers, matplotlib decides
    assert labels
    assert all(re.fullmatch("10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", label) for label in labels)
    assert any("⁻" in label for label in labels)
