"""A Dask cluster: where it is, whether it may be trusted, and a client of it. Dask is an extra, imported here alone."""

from __future__ import annotations

import importlib
import ipaddress
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from weakreset.errors import UsageError, WeakResetError, require
from weakreset.version import __version__

__all__ = ["LOCAL", "check_address", "client_of"]

LOCAL = "local"
"""In place of an address: workers on this machine, for the time of the work."""

_STATUS_PAGE = "127.0.0.1:0"
"""Any free port. None, which means no page, has the server on port 8787 all the same; a second cluster warns of it."""
_NOT_OURS = ("distributed", "dask", "tornado", "asyncio", "concurrent")  # where exceptions of a lost cluster come from


def check_address(address: str, trust_network: bool, what: str) -> None:
    """Refuse what is not loopback or TLS, unless the user knows better, and a missing Dask; `what` is to be done there.

    Raises
    ------
    UsageError, MissingExtraError
    """
    if address != LOCAL and not address.startswith("tls://"):
        found = re.fullmatch(r"tcp://(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):\d{1,5}", address)
        if found is None:
            raise UsageError(f"address {address!r}: give tls://host:port, tcp://127.0.0.1:port, or {LOCAL}")
        if not trust_network and not _loopback(found[1].strip("[]")):
            raise UsageError(
                f"{address}: Dask sends pickles, and whoever reaches its ports can run programs as you. Use tls://, or "
                "say that the network is trusted (--trust-network, trust_network=True)"
            )
    require("distributed", "dask", what)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def client_of(
    address: str, jobs: int | None, error: type[WeakResetError], kept: Callable[[], str]
) -> Iterator[Any]:
    """A client of the cluster, of one that is made here if it has to be.

    Parameters
    ----------
    address : str
        As `check_address` passed it.
    jobs : int or None
        Workers of a cluster that is made here; one a core unless given.
    error : type
        What a lost cluster is for the caller.
    kept : callable
        Says then what is done and where it is.
    """
    distributed: Any = importlib.import_module("distributed")
    try:
        with ExitStack() as stack:
            target: Any = address
            if address == LOCAL:
                target = stack.enter_context(distributed.LocalCluster(
                    n_workers=jobs or os.cpu_count() or 1, threads_per_worker=1, host="127.0.0.1",
                    dashboard_address=_STATUS_PAGE, silence_logs=50,
                ))
            client = stack.enter_context(distributed.Client(target, set_as_default=False))
            others = sorted({version for version in client.run(_version).values() if version != __version__})
            if others:
                raise UsageError(f"{address}: workers have weakreset {', '.join(others)}, this is {__version__}")
            yield client
    except Exception as lost:
        if not isinstance(lost, OSError) and type(lost).__module__.partition(".")[0] not in _NOT_OURS:
            raise  # of the work itself, or of what a user handed in
        raise error(
            f"the cluster at {address} was lost or failed ({type(lost).__name__}: {lost}). {kept()}: run the same "
            "again to go on"
        ) from lost


def _version() -> str:
    return __version__
