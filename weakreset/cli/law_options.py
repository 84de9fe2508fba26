"""Options of the commands that fit laws."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from weakreset.errors import UsageError

__all__ = ["FullLikelihoodOption", "law_options"]

FullLikelihoodOption = Annotated[
    bool, typer.Option("--full-likelihood", help="laws of more than 2,000 devices from all, not a sample of them")
]


def law_options(bootstrap: int, goodness: int, seed: int, full_likelihood: bool) -> dict[str, Any]:
    """As `fit_population` takes them; what it would refuse is refused before the devices are fitted."""
    if full_likelihood and (bootstrap or goodness):
        raise UsageError(
            "--full-likelihood goes without --bootstrap and --goodness: replicas of the likelihood of all devices "
            "would take days, and the laws have standard errors"
        )
    return {"bootstrap": bootstrap, "goodness": goodness, "seed": seed} | (
        {"most_devices": 0} if full_likelihood else {}
    )
