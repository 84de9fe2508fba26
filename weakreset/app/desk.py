"""What the page knows and can do: no widgets here, and no work, which the bench does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from weakreset.app.bench_client import BenchClient, Cancelled, Ended, Refused
from weakreset.app.workshop import Workshop
from weakreset.errors import UsageError, WeakResetError
from weakreset.parameter_file import preset_names
from weakreset.report import Recipe, Twin

__all__ = ["FORM", "Desk", "Job"]

Answer = dict[str, Any]

FORM: Answer = {
    "name": Recipe.name, "drift": Recipe.drift, "direction": Recipe.direction, "rtn": True, "mixed": False,
    "validate-params": None, "replicas": Recipe.replicas, "validate-seed": 0, "unseen": False,
    "compare-a": None, "compare-b": None,
    "simulate-params": None, "devices": 100, "pulses": 1000, "simulate-seed": 0, "without": [],
    "assume": "",
}
"""What the fields of the page hold at first."""

_UNFIT = set('/\\:*?"<>|')
_LONGEST_NAME = 80


@dataclass
class Job:
    """What the bench is doing."""

    title: str
    what: str = ""
    done: int = 0
    total: int = 0
    stopping: bool = False

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done / self.total if self.total else 0.0


@dataclass
class Desk:
    """One for all pages of a server: a page that is loaded again shows what was there.

    `recipe` is what is chosen on the page; `fit_recipe` is what the results on it were made from. Listeners are told
    which part changed: files, fit, verdict, comparison, twin, or state (a job, a message).
    """

    workshop: Workshop
    bench: BenchClient
    recipe: Recipe = field(default_factory=lambda: Recipe(()))
    fit_recipe: Recipe | None = None
    form: Answer = field(default_factory=lambda: dict(FORM))
    job: Job | None = None
    error: str = ""
    message: str = ""
    inspection: Answer | None = None
    fit: Answer | None = None
    verdict: Answer | None = None
    comparison: Answer | None = None
    twin: Answer | None = None
    version: int = 0
    look_again: bool = False
    looking: asyncio.Future[None] | None = None
    arrivals: int = 0
    fitted_at: int = 0
    listeners: list[Callable[[str], None]] = field(default_factory=list)
    downloads: list[Callable[[str], None]] = field(default_factory=list)

    @property
    def trace_files(self) -> list[str]:
        """Uploads that are not parameter files."""
        return [name for name in self.workshop.names() if not name.lower().endswith(".json")]

    @property
    def parameter_files(self) -> list[str]:
        """What can be validated, compared and simulated: the fit first, then uploads, then presets."""
        own = [self.fit_recipe.parameter_file] if self.fit_recipe and self.fit and self.fit["parameter_file"] else []
        given = [name for name in self.workshop.names() if name.lower().endswith(".json")]
        return list(dict.fromkeys([*own, *given, *preset_names()]))

    @property
    def outdated(self) -> bool:
        """Whether the fit on the page is of other files, or of files read otherwise, than those that are chosen."""
        fitted, now = self.fit_recipe, self.recipe
        if fitted is None:
            return False
        return self.fitted_at != self.arrivals or fitted != replace(
            now, name=fitted.name, drift=fitted.drift, direction=fitted.direction, rtn=fitted.rtn,
            mixed_pulses=fitted.mixed_pulses, fitted=True,
        )

    @property
    def story(self) -> Recipe:
        """Everything that was done, for the commands and the notebook."""
        recipe = self.fit_recipe or replace(self.recipe, fitted=False)
        if self.verdict is not None:
            asked = self.verdict["asked"]
            validated = ((asked["params"], asked["unseen"]),)
            recipe = replace(
                recipe, validated=validated, replicas=asked["replicas"], seed=asked["seed"], assume=asked["assume"]
            )
        if self.comparison is not None:
            recipe = replace(recipe, compared=(self.comparison["a"], self.comparison["b"]))
        if self.twin is not None:
            made = self.twin["twin"]
            recipe = replace(recipe, twin=Twin(**dict(made, without=tuple(made["without"]))))
        return recipe

    def changed(self, part: str = "state") -> None:
        """Let every page show what is new."""
        self.version += 1
        for listener in self.listeners:
            listener(part)

    def refuse(self, why: Exception | str) -> None:
        """Say why something was not done."""
        self.error = str(why)
        self.changed()

    async def take_files(self) -> None:
        """After uploads or removals: look at all trace files."""
        self.arrivals += 1  # a file may have come again under its name, changed
        await self.choose(files=tuple(self.trace_files))

    async def choose(self, **options: Any) -> None:
        """Other files, or other options of reading: look again."""
        self.recipe = replace(self.recipe, **options)
        await self._look()

    async def _look(self) -> None:
        """Now, or when the bench is free: several files arrive one by one, and each asks for it."""
        self.look_again = self.job is not None
        if self.look_again:
            return
        if not self.recipe.files:
            self.inspection, self.error = None, ""
        else:
            answer = await self._ask("look at the files", "inspect", recipe=self.recipe.to_dict())
            self.inspection = answer or self.inspection
        self.changed("files")

    async def take_column_for(self, file: int, columns: list[int], role: str, unit: str) -> None:
        """A click on a column: the map that it amounts to, and what is read with it."""
        answer = await self._ask("change of the map", "change_map", file=file, columns=columns, role=role, unit=unit)
        if answer is not None:
            await self.choose(column_map=answer["map"])
        else:
            self.changed("files")  # the choice on the page goes back to what it was

    async def run_fit(self) -> None:
        """With what the fields of the page say."""
        form = self.form
        try:
            name = _file_name(form["name"])
        except UsageError as error:
            self.refuse(error)
            return
        recipe, arrivals = replace(
            self.recipe, name=name, fitted=True, drift=form["drift"], direction=form["direction"],
            rtn=bool(form["rtn"]), mixed_pulses=bool(form["mixed"]),
        ), self.arrivals
        answer = await self._ask("fit", "fit", recipe=recipe.to_dict())
        if answer is not None:
            self.recipe = self.fit_recipe = recipe  # after the answer: a refused fit leaves the old one
            self.fitted_at = arrivals
            self.fit, self.verdict, self.twin, self.comparison = answer, None, None, None
            self.message = " ".join(filter(None, [f"fitted: {answer['counted']}", self.message]))
            form["pulses"] = answer["last_pulse"]
            if answer["parameter_file"]:
                form |= dict.fromkeys(("validate-params", "simulate-params", "compare-a"), answer["parameter_file"])
            for part in ("verdict", "twin", "comparison", "fit"):
                self.changed(part)

    async def run_validate(self) -> None:
        form = self.form
        asked = {
            "params": form["validate-params"], "replicas": int(form["replicas"] or Recipe.replicas),
            "seed": int(form["validate-seed"] or 0), "unseen": bool(form["unseen"]),
            "assume": (form["assume"] or "").strip(),
        }
        answer = await self._ask("validation", "validate", recipe=self._read_as().to_dict(), **asked)
        if answer is not None:
            self.verdict = answer | {"asked": asked}
            self.changed("verdict")

    async def run_compare(self) -> None:
        answer = await self._ask("comparison", "compare", a=self.form["compare-a"], b=self.form["compare-b"])
        if answer is not None:
            self.comparison = answer
            self.changed("comparison")

    async def run_simulate(self) -> None:
        form = self.form
        asked = {
            "params": form["simulate-params"], "devices": int(form["devices"] or 1), "pulses": int(form["pulses"] or 1),
            "seed": int(form["simulate-seed"] or 0), "without": list(form["without"] or ()),
            "assume": (form["assume"] or "").strip(),
        }
        answer = await self._ask("simulation", "simulate", recipe=self._read_as().to_dict(), **asked)
        if answer is not None:
            self.twin = answer | {"asked": asked}
            self.changed("twin")

    async def run_export(self, what: str) -> None:
        """Write one of `EXPORTS`, and hand it to the browser."""
        self._fetch(await self._ask("export", "export", what=what, recipe=self.story.to_dict()))

    async def run_picture(self, name: str, kind: str, width: str) -> None:
        """Draw a picture for a paper, and hand it to the browser."""
        self._fetch(await self._ask("picture", "picture", name=name, kind=kind, width=width))

    async def draw(self, name: str) -> str:
        """The file of a picture for the screen.

        Raises
        ------
        Refused, Cancelled, Ended
            As from the bench: such as a name that no picture has.
        """
        return str((await self.bench.ask("draw", {"name": name}))["file"])

    def cancel(self) -> None:
        """Interrupt what the bench is doing."""
        if self.job is not None:
            self.job.stopping = True
            self.bench.cancel()

    def _fetch(self, answer: Answer | None) -> None:
        if answer is not None:
            for listener in self.downloads:
                listener(answer["file"])

    def _read_as(self) -> Recipe:
        """Traces as the fit saw them, where there is one."""
        return self.fit_recipe or self.recipe

    async def _ask(self, title: str, call: str, **arguments: Any) -> Answer | None:
        """The bench's answer; None with `error` or `message` set where there is none."""
        if self.job is not None:
            self.refuse(f"first the {self.job.title} has to end, or be cancelled")
            return None
        self.job, self.error, self.message = Job(title), "", ""
        self.changed()
        try:
            answer = await self.bench.ask(call, arguments, self._progress)
            self.message = " ".join(answer.pop("warnings", []))
            return answer | {"number": self.version}
        except Cancelled:
            self.message = f"cancelled: {title}; what was there before is as it was"
        except (Refused, WeakResetError) as error:
            self.error = str(error)
        except Ended as error:
            self.error = f"{error}. The files are still here"
            # the page shows nothing that the bench does not have any more
            self.fit = self.fit_recipe = self.verdict = self.comparison = self.twin = None
            for part in ("fit", "verdict", "comparison", "twin"):
                self.changed(part)
        finally:
            self.job = None
            self.changed()
            if self.look_again:
                self.looking = asyncio.ensure_future(self._look())
        return None

    def _progress(self, done: int, total: int, what: str) -> None:
        if self.job is not None:
            self.job.done, self.job.total, self.job.what = done, total, what


def _file_name(text: str | None) -> str:
    """The name of a technology, which names its files too.

    Raises
    ------
    UsageError
        It cannot be that of a file.
    """
    plain = (text or "").strip()
    if not plain or plain[0] in ".-" or not plain.isprintable() or set(plain) & _UNFIT or len(plain) > _LONGEST_NAME:
        raise UsageError(f"{text!r} cannot name the parameter file: letters, digits, spaces, - and _ can")
    return plain
