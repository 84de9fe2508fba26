"""1/f noise as a kind of noise: alpha times the filter of `pink_noise`. Estimated by `weakreset.fitting`, pooled."""

from __future__ import annotations

from typing import Any

from weakreset.errors import ParameterFileError
from weakreset.model.noise.kind import Generated, NoiseKind, NoiseRun, Number, Statistic
from weakreset.model.noise.pink_embedding import embedded_pink_noise
from weakreset.model.noise.pink_noise import pink_noise

__all__ = ["PINK"]


def _generate(run: NoiseRun) -> Generated:
    series = (embedded_pink_noise if run.quick else pink_noise)(
        run.rng, run.n_devices, run.n_pulses, run.numbers["exponent"]
    )
    return Generated(run.numbers["alpha"] * series)


def _export(population: Any) -> dict[str, Any]:
    noise = population.noise
    if noise.alpha is None:
        raise ParameterFileError("alpha is not identifiable from these traces, so they do not make a parameter file")
    own = noise.alpha_spread or noise.exponent_spread
    return {
        "enabled": noise.alpha > 0 and not own,
        "alpha": noise.alpha,
        "exponent": noise.exponent if noise.exponent is not None else 0.0,
        "alpha_stderr": noise.alpha_stderr,
        "exponent_stderr": noise.exponent_stderr,
        "n_devices": noise.n_devices,
        "note": "it differs between devices: noise.own_pink holds it" if own else noise.own_noise_note or None,
    }


PINK = NoiseKind(
    name="pink",
    label="1/f noise",
    description="1/f^exponent noise per pulse; `alpha` multiplies unit-variance driving noise.",
    numbers=(
        Number(
            "alpha", "ln R", low=0, off=0.0, known_as="alpha", uncertain="stderr",
            words="1/f amplitude α (ln R, on unit-variance driving noise)",
        ),
        # steeper than 1.95 the pulses of a trace no longer tell the exponent: draws end there
        Number(
            "exponent", "1", low=0.0, below=2.0, default=1.0, known_as="exponent", uncertain="stderr",
            within=(0.0, 1.95), signed=True, words="1/f exponent β",
        ),
    ),
    generate=_generate,
    export=_export,
    activity=(
        Statistic(
            "pink", "root mean square of the 1/f noise that has a memory", "root mean square", lambda seen: seen.pink
        ),
    ),
    counts=("n_devices",),
    block="PinkNoise",
    in_every_file=True,
    in_kernel=True,
    stream=0,
)
