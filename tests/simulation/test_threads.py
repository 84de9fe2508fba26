"""Work in torch's own threads, in threads of our own where there are none, and in a forked process."""

import os
import subprocess
import sys
import threading

import pytest

from tests.processes import here
from weakreset.simulation.compiled import threads
from weakreset.simulation.compiled.threads import in_threads


@pytest.fixture(params=["torch's", "own"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    kind = str(request.param)
    if kind == "own":
        monkeypatch.setattr(threads, "_openmp", lambda: None)
    elif threads._openmp() is None:
        pytest.skip("torch of this machine has no GOMP_parallel")
    return kind


def test_every_thread_takes_part_and_its_result_comes_back(kind: str) -> None:
    barrier = threading.Barrier(2, timeout=20)

    def work() -> int:
        barrier.wait()  # breaks where only one thread comes
        return threading.get_ident()

    found = in_threads(work, 2)
    assert len(set(found)) == 2
    assert threading.get_ident() in found


def test_what_a_thread_raises_is_raised_here(kind: str) -> None:
    numbers = iter(range(100))

    def work() -> None:
        next(numbers)
        raise ZeroDivisionError("in a thread")

    with pytest.raises(ZeroDivisionError, match="in a thread"):
        in_threads(work, 2)
    assert in_threads(lambda: 7, 2) == [7, 7]


FORKED = """
import os
from weakreset.simulation.compiled.threads import in_threads
print(in_threads(lambda: 1, 2), flush=True)
child = os.fork()
if child == 0:
    os._exit(in_threads(lambda: 1, 2) == [1, 1])
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("torch_first", [True, False])
def test_a_forked_process_makes_threads_of_its_own(torch_first: bool) -> None:
    """It has none of those that its parent keeps, and would wait for them for ever."""
    code = ("import torch\ntorch.set_num_threads(2)\ntorch.ones(10**6).sum()\n" if torch_first else "") + FORKED
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=here())
    assert out.stdout.split("\n")[:2] == ["[1, 1]", "1"]
