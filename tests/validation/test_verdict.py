import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakreset.validation.verdict import holm


def test_holm_matches_a_hand_calculation():
    # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, running maximum
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_holm_stops_at_one():
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=20))
def test_holm_lies_between_the_raw_values_and_bonferroni_and_keeps_their_order(p_values):
    corrected = np.array(holm(p_values))
    raw = np.array(p_values)
    assert np.all(corrected >= raw)
    assert np.all(corrected <= np.minimum(1.0, len(raw) * raw) + 1e-12)
    assert np.all(np.diff(corrected[np.argsort(raw, kind="stable")]) >= 0)
