from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _leave_global_generator_alone() -> Iterator[None]:
    """Fail a test after which torch's global generator is not where it was."""
    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state()), "the global torch generator was moved"

