"""A window for people who do not live in a terminal: a page on this machine only, which calls the library.

    weakreset app

The process that serves the page (`server.py`, `guard.py`, `tabs/`) opens no file of the user. A second one, the bench
(`bench.py`, `calls.py`), reads, fits and draws; it can be interrupted, and what crashes there does not take the page
with it. Between the two go lines of JSON (`bench_client.py`). `desk.py` is what the page knows.
"""

from weakreset.app.guard import Guard
from weakreset.app.workshop import Limits, Workshop

__all__ = ["Guard", "Limits", "Workshop"]
