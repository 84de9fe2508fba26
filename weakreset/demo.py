"""The whole road on the bundled traces: fit, population, file, validation, training, report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weakreset.errors import UsageError
from weakreset.locks import held
from weakreset.progress import Progress
from weakreset.resources import all_or_none, bundled, check_outputs, write_atomically

if TYPE_CHECKING:
    from weakreset.fitting import FitSet
    from weakreset.parameter_file import ParameterFile
    from weakreset.population import Population
    from weakreset.training import TrainingRun
    from weakreset.validation import Verdict

__all__ = ["DEMO_TRACES", "DemoResult", "run_demo"]


DEMO_TRACES = ("lot_a.csv", "lot_b_wide.csv", "lot_c.h5")

_LOT = "demo-lot"
_PARAMETERS, _TABLE, _PAGE = "parameters.json", "devices.csv", "report.html"
_RUNS = {"ideal": "ideal", "latent": "devices"}
_EPOCHS = 15
_HIDDEN = 256


@dataclass(frozen=True)
class DemoResult:
    """Everything the demo made, and where it is."""

    folder: Path
    fits: FitSet
    population: Population
    params: ParameterFile
    verdict: Verdict
    ideal: TrainingRun
    real: TrainingRun

    def summary(self) -> list[str]:
        """What was found, in a few lines."""
        counts, noise, laws = self.fits.counts(), self.fits.noise, self.population.laws
        knee = laws.get(self.fits.drift.knee)
        bend = "Knee: not identifiable" if knee is None else (
            f"Knee: median {knee.law.median():.0f} pulses ({knee.law.family}, informed by {knee.n_informative} devices)"
        )
        return [
            f"Devices: {len(self.fits)} in {len(DEMO_TRACES)} files of simulated traces; {counts['ok']} with a "
            f"resolved knee, {counts['beyond_or_undetected']} whose knee cannot be told, {counts['excluded']} excluded "
            "by name.",
            f"1/f noise: alpha {noise.alpha:.5f}, exponent {noise.exponent:.2f}; telegraph noise: "
            + (f"p_up {noise.p_up:.1e}, p_down {noise.p_down:.1e}." if noise.p_up and noise.p_down else "too rare."),
            f"{bend}; slope before it: mean {laws['m1'].law.mean():.2e} per pulse.",
            f"Does the fitted model reproduce the traces? {self.verdict.sentence}",
            f"Digits, ideal BNN: {self.ideal.test_accuracy:.1%} test accuracy after {len(self.ideal.metrics)} epochs.",
            f"Digits, BNN on the fitted devices, all imperfections on: {self.real.test_accuracy:.1%}; "
            f"{self.real.metrics[-1]['pulses_mean']:.0f} pulses a device on average.",
        ]

    def places(self) -> list[str]:
        """Where everything is."""
        return [
            f"Report:         {self.folder / _PAGE}",
            f"Parameter file: {self.folder / _PARAMETERS}",
            f"Device table:   {self.folder / _TABLE}",
            f"Training runs:  {self.folder / 'ideal'} and {self.folder / 'devices'}",
        ]


def run_demo(folder: Path, seed: int = 0, progress: Progress | None = None) -> DemoResult:
    """Run the road and write everything into `folder`.

    Parameters
    ----------
    folder : Path
    seed : int
        For validation and training; the traces are the bundled ones.
    progress : callable, optional
        Called as progress(done, total, what).

    Raises
    ------
    UsageError
        Where `folder` holds files of these names, or training runs, that no demo made; those of an earlier demo are
        replaced.
    """
    check_outputs(*(folder / name for name in (_PARAMETERS, _TABLE, _PAGE)))
    _refuse_other_files(folder)
    for name in _RUNS.values():
        _refuse_other_runs(folder / name)
    with held(folder=folder):
        return _road(folder, seed, progress)


def _road(folder: Path, seed: int, progress: Progress | None) -> DemoResult:
    from weakreset.fitting import fit_devices
    from weakreset.population import export_parameters, fit_population
    from weakreset.report.device_files import device_files
    from weakreset.traces import load_traces
    from weakreset.validation import validate

    traces = load_traces([bundled("data") / name for name in DEMO_TRACES], progress=progress)
    fits = fit_devices(traces, progress=progress)
    population = fit_population(fits, progress=progress)
    params = export_parameters(population, _LOT, command="weakreset demo")
    # the parameter file first: it tells whose files these are
    all_or_none({folder / _PARAMETERS: params.to_json(), **device_files(fits, folder / _TABLE)})
    verdict = validate(params, traces, seed=seed, progress=_named(progress, "validation"))
    ideal, real = (_train(params, folder, recipe, seed, progress) for recipe in _RUNS)
    result = DemoResult(folder, fits, population, params, verdict, ideal, real)
    write_atomically(folder / _PAGE, _report(result, progress))
    return result


def _named(progress: Progress | None, what: str) -> Any:
    if progress is None:
        return None
    return lambda done, total, *_: progress(done, total, what)


def _refuse_other_files(folder: Path) -> None:
    there = [name for name in (_PARAMETERS, _TABLE, _PAGE) if (folder / name).exists()]
    if there and _told(folder / _PARAMETERS, "name") != _LOT:
        raise UsageError(f"{folder} holds files that no demo made ({', '.join(there)}); name another folder with -o")


def _told(path: Path, key: str) -> Any:
    """What a JSON file says of `key`; None where it says nothing."""
    try:
        return json.loads(path.read_bytes())[key]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _refuse_other_runs(run: Path) -> None:
    if not run.exists():  # most often: torch, which the next line loads, can wait for the training
        return
    from weakreset.training.run_folder import CHECKPOINT

    if not (run / CHECKPOINT).exists():
        return
    if _told(run / "config.json", "parameter_file") != _LOT:
        raise UsageError(f"{run} holds a training run that no demo made; name another folder with -o")


def _train(params: ParameterFile, folder: Path, recipe: str, seed: int, progress: Progress | None) -> TrainingRun:
    from weakreset.training import train
    from weakreset.training.run_folder import CHECKPOINT

    name = _RUNS[recipe]
    for made in (CHECKPOINT, "metrics.jsonl"):
        (folder / name / made).unlink(missing_ok=True)

    def step(at: Any) -> None:
        if progress is not None:
            done = (at.epoch - 1) * at.steps_per_epoch + at.step
            progress(done, at.epochs * at.steps_per_epoch, f"training, {name}")

    return train(
        params, "digits", hidden=_HIDDEN, epochs=_EPOCHS, seed=seed, recipe=recipe, run_dir=folder / name, progress=step
    )


def _report(result: DemoResult, progress: Progress | None) -> str:
    from weakreset.report import ReportInput, TrainingRun, build_report

    runs = (
        TrainingRun("ideal BNN", tuple(result.ideal.metrics)),
        TrainingRun("on the fitted devices, all imperfections", tuple(result.real.metrics)),
    )
    return build_report(
        ReportInput(
            title="weakreset demo: from traces to a trained network",
            fits=result.fits, population=result.population, params=result.params, verdict=result.verdict, runs=runs,
            commands=("weakreset demo",),
        ),
        progress,
    )
