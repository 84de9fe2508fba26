import pytest

from tests.torch_threads import one_torch_thread
from weakreset.parameter_file import ParameterFile, load_parameters

__all__ = ["one_torch_thread"]


@pytest.fixture(scope="session")
def params() -> ParameterFile:
    return load_parameters("majumdar2021")
