"""Read noise as a kind of noise: white, added by each read. Estimated by `weakreset.fitting` beside the 1/f noise."""

from __future__ import annotations

from typing import Any

from weakreset.model.noise.kind import Generated, NoiseKind, NoiseRun, Number

__all__ = ["READ"]


def _generate(run: NoiseRun) -> Generated:
    return Generated(run.numbers["sd"] * run.rng.standard_normal((run.n_devices, run.n_pulses)))


def _export(population: Any) -> dict[str, Any]:
    sd = population.noise.read_sd
    return {"enabled": sd > 0, "sd": sd}


READ = NoiseKind(
    name="read",
    label="read noise",
    description="White noise added by each read, in ln R.",
    numbers=(Number("sd", "ln R", low=0, default=0.0, off=0.0, words="white read noise (sd of ln R)"),),
    generate=_generate,
    export=_export,
    activity=(),  # every read has it anew: nothing stays to be measured
    enabled=False,
    counts=(),
    note=False,
    # "all" has always meant the imperfections of the devices; this one is of what reads them
    in_all=False,
    block="ReadNoise",
    in_every_file=True,
    in_kernel=True,
    stream=2,
)
