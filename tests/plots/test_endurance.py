import numpy as np
import pytest

from weakreset.plots import LayerWear, endurance, figure_bytes


def test_shares_fall_from_all_pulsed_devices_and_the_map_is_of_the_inputs():
    pulses = np.zeros((3, 16, 2), dtype=np.int64)
    pulses[:, 5] = 10
    pulses[0, 5, 0] = 1000
    layers = [LayerWear("1", pulses), LayerWear("last_$", np.full((2, 3, 2), 7))]
    ax = endurance(layers, knee=500.0)
    shares, image = ax.figure.subfigs[0].axes[:2]
    x, y = shares.lines[0].get_data()
    assert list(x) == [10, 1000]
    assert y == pytest.approx([100 * 6 / 96, 100 / 96])
    drawn = np.asarray(image.images[0].get_array())
    assert drawn.shape == (4, 4)
    assert drawn[1, 1] == pytest.approx((5 * 10 + 1000) / 6)
    assert np.count_nonzero(drawn) == 1
    assert figure_bytes(ax, "png").startswith(b"\x89PNG")


def test_colour_images_have_no_map_and_convolutions_are_averaged():
    ax = endurance([LayerWear("0", np.ones((4, 3, 3, 3, 2), dtype=np.int64))])
    assert len(ax.figure.subfigs[0].axes) == 1
    assert LayerWear("0", np.arange(2 * 4 * 3 * 9).reshape(4, 3, 3, 3, 2)).by_input().shape == (3,)
