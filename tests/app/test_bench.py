"""The process that works: what it understands, how it is interrupted, what is left when it or the page ends."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time

import pytest

from tests.app.test_road import measured
from tests.builders import HOSTILE
from weakreset.app import Limits, Workshop
from weakreset.app.bench_client import BenchClient, Cancelled, Ended, Refused
from weakreset.app.desk import Desk
from weakreset.report import Recipe


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Workshop(Limits())
    measured(made.files)
    yield made
    made.close()


async def until(true) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def test_a_click_a_refusal_a_cancel_and_a_crash(workshop):
    """One process for all of them, because it takes seconds to start."""

    async def walk() -> None:
        bench = BenchClient(workshop.path)
        desk = Desk(workshop, bench)
        await desk.take_files()
        (file,) = desk.inspection["files"]
        assert "no unit is given" in file["problem"]
        await desk.take_column_for(0, [2], "resistance", "kohm")
        assert desk.recipe.column_map == "device=0,pulse=1,resistance=2[kohm]"
        assert desk.inspection["sentence"].startswith("30 devices")
        assert any(HOSTILE.replace('"', "") in name for name in desk.inspection["files"][0]["devices"])
        await desk.take_column_for(0, [2], "nonsense", "")
        assert "not a role" in desk.error
        desk.form["name"] = "../../etc"
        await desk.run_fit()
        assert "cannot name" in desk.error
        await meanwhile(desk)
        await bench_refuses(bench)
        await cancelled(desk)
        await killed(desk)
        await bench.stop()

    asyncio.run(walk())


async def meanwhile(desk: Desk) -> None:
    """Files that arrive while the bench looks at others are looked at, too."""
    lab = desk.workshop.files / "lab.csv"
    first = asyncio.create_task(desk.take_files())
    await until(lambda: desk.job is not None)
    (desk.workshop.files / "other.csv").write_text(lab.read_text().replace("sim", "new").replace("<script>", "first"))
    await desk.take_files()
    await first
    await until(lambda: desk.looking is not None and desk.looking.done())
    assert [item["path"] for item in desk.inspection["files"]] == ["lab.csv", "other.csv"]
    desk.workshop.remove("other.csv")
    await desk.take_files()
    assert desk.error == ""


async def bench_refuses(bench: BenchClient) -> None:
    for call, arguments in (
        ("compare", {"a": "../files/lab.csv", "b": "majumdar2021"}), ("compare", {"a": "/etc/passwd", "b": "x"}),
        ("draw", {"name": "nothing"}), ("__init__", {"folder": "/"}), ("inspect", {"recipe": Recipe(()).to_dict()}),
    ):  # fmt: skip
        with pytest.raises(Refused):
            await bench.ask(call, arguments)


async def cancelled(desk: Desk) -> None:
    """While it fits: the page's other calls are refused meanwhile, and what was read stays."""
    desk.form["name"] = "lab"
    fit = asyncio.create_task(desk.run_fit())
    await until(lambda: desk.job is not None and desk.job.what in ("devices", "noise of the technology"))
    await desk.run_compare()
    assert "first the fit has to end" in desk.error
    begin = time.monotonic()
    desk.cancel()
    await fit
    assert time.monotonic() - begin < 8
    assert desk.fit is None
    assert "cancelled" in desk.message + desk.error or "ended" in desk.error
    assert desk.inspection is not None


async def killed(desk: Desk) -> None:
    """As the system does where memory runs out: said, and the next call starts another process."""
    work = asyncio.create_task(desk.bench.ask("fit", {"recipe": desk.recipe.to_dict()}))
    await asyncio.sleep(0.3)
    os.killpg(desk.bench._process.pid, signal.SIGKILL)
    with pytest.raises(Ended, match="signal 9"):
        await work
    assert (await desk.bench.ask("compare", {"a": "majumdar2021", "b": "majumdar2021"}))["rows"]
    with pytest.raises(Cancelled):
        await interrupted(desk.bench)


async def interrupted(bench: BenchClient) -> None:
    work = asyncio.create_task(
        bench.ask(
            "simulate",
            {"recipe": Recipe(()).to_dict(), "params": "majumdar2021", "devices": 3000, "pulses": 3000, "seed": 0,
             "without": [], "assume": ""},
        )
    )  # fmt: skip
    await asyncio.sleep(0.5)
    bench.cancel()
    await work


def test_when_the_page_is_gone_the_bench_deletes_what_was_dropped(workshop):
    async def leave() -> None:
        bench = BenchClient(workshop.path)
        await bench.ask("compare", {"a": "majumdar2021", "b": "majumdar2021"})
        bench._process.stdin.close()
        await bench._process.wait()

    asyncio.run(leave())
    assert not workshop.path.exists()
