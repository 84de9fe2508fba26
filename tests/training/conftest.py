from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _leave_global_generator_alone() -> Iterator[None]:
    """Fail a test after which torch's global generator is not where it was."""
    before = torch.get_rng_state()
    yield
    assert torch.equal(before, torch.get_rng_state()), "the global torch generator was moved"


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Small tensors gain nothing from threads, and lose much when other programs want the processor."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
