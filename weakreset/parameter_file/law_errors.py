"""Laws whose numbers are drawn within their standard errors: how well a technology is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weakreset.model import FAMILIES, Number, TruncatedLaw
from weakreset.parameter_file.noise_schema import NoiseBlock
from weakreset.parameter_file.schema import ParameterFile

__all__ = ["draw_laws", "draw_parameters", "errors_of_sample"]

_POINTS = 400  # even quantiles of a law over which its own error is averaged


def draw_laws(law: TruncatedLaw, stderr: Mapping[str, float], n: int, rng: np.random.Generator) -> list[TruncatedLaw]:
    """The law `n` times, its numbers normal within their errors (positive ones on a logarithmic scale).

    Errors of one law's numbers are correlated as those of maximum likelihood from exact observations. Draws that make
    no law are drawn again; after 20 rounds the law itself takes their place.
    """
    # standard errors alone would be drawn independently, as if shape and scale could err against each other
    root = np.linalg.cholesky(_error_correlation(law, tuple(stderr)))
    made: list[TruncatedLaw] = []
    for _ in range(20):
        for scores in rng.standard_normal((n - len(made), len(stderr))) @ root.T:
            steps = {name: error * score for (name, error), score in zip(stderr.items(), scores, strict=True)}
            moved = _moved(law, steps)
            made += [moved] if moved is not None else []
        if len(made) == n:
            break
    return made + [law] * (n - len(made))


def draw_parameters(params: ParameterFile, n: int, rng: np.random.Generator) -> list[ParameterFile]:
    """The file `n` times, every number within its standard error; numbers without one stay.

    Rates and the share of telegraph noise without standard errors (older files) get the relative error of as many
    events as there are devices with steps, and of a count; its amplitudes always that of as many values.
    """
    files = [params.model_dump(by_alias=True) for _ in range(n)]
    for name, entry in params.parameters.items():
        laws = draw_laws(entry.law(), entry.stderr, n, rng) if entry.stderr else [entry.law()] * n
        for raw, law in zip(files, laws, strict=True):
            raw["parameters"][name]["params"] = dict(law.params)
    for raw in files:
        _draw_noise(raw["noise"], params, rng)
    return [ParameterFile.model_validate(raw) for raw in files]


def _draw_noise(noise: dict[str, Any], params: ParameterFile, rng: np.random.Generator) -> None:
    uncertain = [
        (kind, block, number) for kind, block in params.noise.blocks() for number in kind.numbers if number.uncertain
    ]
    for (kind, block, number), score in zip(uncertain, rng.standard_normal(len(uncertain)).tolist(), strict=True):
        if block.enabled:
            noise[kind.name][number.name] = _drawn(number, block, score)
    for kind, block in params.noise.blocks():
        for own in kind.own if block.enabled else ():
            entry, n = getattr(block, own.name), getattr(block, "n_informative", None)
            if n and entry is not None:
                law = entry.law()
                drawn = draw_laws(law, errors_of_sample(law, n), 1, rng)[0]
                noise[kind.name][own.name]["params"] = dict(drawn.params)
            n = getattr(block, "n_devices", None)
            if n and own.share is not None:
                share, error = getattr(block, own.share.name), getattr(block, f"{own.share.name}_stderr")
                if error:
                    noise[kind.name][own.share.name] = float(np.clip(share + error * rng.standard_normal(), 0.0, 1.0))
                    continue
                # Jeffreys' posterior of a share: neither 0 nor 1 of n is known exactly
                noise[kind.name][own.share.name] = float(rng.beta(share * n + 0.5, (1.0 - share) * n + 0.5))


def _drawn(number: Number, block: NoiseBlock, score: float) -> float:
    """A number moved by `score` standard errors, on a logarithmic scale where it is known by events; or as it is."""
    value: float = getattr(block, number.name)
    error = getattr(block, f"{number.name}_stderr")
    if number.uncertain == "stderr":
        moved = value + error * score if error else None
    elif error and value > 0:
        moved = value * _factor(error / value * score)
    else:
        events = getattr(block, "n_informative", None)
        moved = value * math.exp(score / math.sqrt(events)) if events else None
    return value if moved is None else min(max(moved, number.within[0]), number.within[1])


def errors_of_sample(law: TruncatedLaw, n: int) -> dict[str, float]:
    """Standard errors of the numbers of a law fitted to `n` exact values; its ends are taken as known."""
    names = tuple(name for name in law.params if name not in ("loc", "upper", "low", "high", "value"))
    covariance = _covariance(law, names)
    return {} if covariance is None else dict(zip(names, np.sqrt(np.diag(covariance) / n).tolist(), strict=True))


def _moved(law: TruncatedLaw, steps: dict[str, float]) -> TruncatedLaw | None:
    """Numbers changed by `steps` (positive ones on a logarithmic scale); None where that makes no law."""
    numbers = dict(law.params)
    for name, step in steps.items():
        value = law.params[name]
        positive = name in FAMILIES[law.family].positive
        numbers[name] = value * _factor(step / value) if positive else value + step
    try:
        return TruncatedLaw(law.family, numbers, law.lower, law.upper)
    except ValueError:
        return None


def _factor(relative: float) -> float:
    """e^relative, going on in a straight line from 1 on (and as its inverse below -1).

    A number near zero (the shape of a gamma law that is nearly 1/x) has an error many times its size, which must not
    become the exponent of anything.
    """
    return math.exp(relative) if abs(relative) <= 1.0 else (math.e * abs(relative)) ** math.copysign(1.0, relative)


def _error_correlation(law: TruncatedLaw, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Correlation of the errors of maximum likelihood.

    The shape and the scale of a gamma law, say, err together: taken apart they would make its median uncertain.
    """
    covariance = _covariance(law, names)
    if covariance is None:
        return np.eye(len(names))
    error = np.sqrt(np.diag(covariance))
    correlation = np.asarray(np.clip(covariance / np.outer(error, error), -0.9999, 0.9999))
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _covariance(law: TruncatedLaw, names: tuple[str, ...]) -> NDArray[np.float64] | None:
    """Inverse Fisher information of one exact observation; None where there is none."""
    x = law.ppf((np.arange(_POINTS) + 0.5) / _POINTS)
    width = float(law.ppf(0.84) - law.ppf(0.16))
    slopes = []
    for name in names:
        step = 1e-4 * (abs(law.params[name]) if name in FAMILIES[law.family].positive else width)
        ahead, behind = (_moved(law, {name: sign * step}) for sign in (1.0, -1.0))
        if ahead is None or behind is None:
            return None
        slopes.append((ahead.logpdf(x) - behind.logpdf(x)) / (2.0 * step))
    score = np.array(slopes)
    score = score[:, np.all(np.isfinite(score), axis=0)]
    try:
        # Fisher information as the mean square of scores over even quantiles of the law
        covariance = np.linalg.inv(score @ score.T / score.shape[1])
    except np.linalg.LinAlgError:
        return None
    return np.asarray(covariance) if np.all(np.diag(covariance) > 0) else None
