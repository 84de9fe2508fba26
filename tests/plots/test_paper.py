"""Pictures for a paper: width, kind, letters, and panels that fit."""

from __future__ import annotations

import io
import re

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.legend import Legend
from matplotlib.text import Text

from tests.builders import small_fits, small_population
from weakreset import plots
from weakreset.errors import UsageError


@pytest.mark.parametrize(("width", "millimetres"), [("single", 89), ("double", 183)])
def test_the_picture_is_as_wide_as_a_column_in_every_kind(width, millimetres):
    from PIL import Image

    def draw(ax):
        return plots.residual_spectrum(small_fits(), ax)

    svg = plots.paper_bytes(draw, "svg", width).decode()
    assert float(re.search(r'width="([0-9.]+)pt"', svg)[1]) / 72 * 25.4 == pytest.approx(millimetres, abs=0.1)
    pdf = plots.paper_bytes(draw, "pdf", width)
    assert float(re.search(rb"/MediaBox \[ 0 0 ([0-9.]+)", pdf)[1]) / 72 * 25.4 == pytest.approx(millimetres, abs=0.1)
    png = Image.open(io.BytesIO(plots.paper_bytes(draw, "png", width)))
    assert png.width / 600 * 25.4 == pytest.approx(millimetres, abs=0.1)


@pytest.mark.parametrize(("width", "columns"), [("single", 2), ("double", 3)])
def test_there_are_as_many_panels_beside_each_other_as_have_room(width, columns):
    seen = {}

    def draw(ax):
        made = plots.d2d_laws(small_population(), ax)
        seen["figure"] = made.figure
        return made

    plots.paper_bytes(draw, "svg", width)
    figure = seen["figure"].figure
    FigureCanvasAgg(figure).draw()
    assert max(axes.get_gridspec().ncols for axes in figure.axes if axes.axison) == columns
    drawn = [*(axes for axes in figure.axes if axes.axison), *figure.findobj(Legend)]
    for item in drawn:
        box = item.get_tightbbox(figure.canvas.get_renderer())
        assert box.x0 >= -1, item
        assert box.x1 <= figure.bbox.x1 + 1, item
    sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_visible() and text.get_text()}
    assert min(sizes) >= 4.5
    assert max(sizes) <= 7.0
    assert figure.get_figheight() <= 9.2


@pytest.mark.parametrize(("kind", "width"), [("exe", "single"), ("pdf", "triple")])
def test_another_kind_or_width_is_refused(kind, width):
    with pytest.raises(UsageError, match="a picture is one of"):
        plots.paper_bytes(lambda ax: ax, kind, width)


def test_given_and_simulated_share_their_scales():
    frame = plots.measured_and_simulated(small_fits().traces, small_fits().traces)
    left, right = (axes for axes in frame.figure.axes if axes.axison)
    assert left.get_xlim() == right.get_xlim()
    assert left.get_ylim() == right.get_ylim()
    assert left.get_title(loc="left").startswith("given")
