"""The collector of garbage is given back as it was found, whatever happens meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from weakreset.simulation.compiled.garbage import garbage_kept


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_rests_and_is_given_back_as_it_was(before: bool) -> None:
    (gc.enable if before else gc.disable)()
    with garbage_kept():
        assert not gc.isenabled()
    assert gc.isenabled() == before


def test_the_collector_is_given_back_after_an_error() -> None:
    with pytest.raises(RuntimeError, match="in between"), garbage_kept():
        raise RuntimeError("in between")
    assert gc.isenabled()
