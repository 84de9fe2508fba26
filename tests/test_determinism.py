"""The same bits of every number, whatever does not belong to the measurement: hash seed, locale, folder, processes.

The order and the names of devices and the parts of a stream are tested with the fit (`tests/fitting/test_plan.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import here
from weakreset import twin
from weakreset.parameter_file import load_parameters
from weakreset.traces import TraceSet, write_csv_long

# Traces into fit, population and parameter file; devices drawn; an epoch on two layers of devices.
ROAD = "import sys; from tests.test_determinism import road; print(road(sys.argv[1], 2))"


def road(path: str | Path, jobs: int) -> str:
    """All numbers that the stages give, as text."""
    import torch

    from weakreset.fitting import fit_devices
    from weakreset.population import export_parameters, fit_population
    from weakreset.traces import load_traces
    from weakreset.training import train

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # training does depend on it, by 1e-8 in the loss, as the page of promises says
    try:
        run = train("majumdar2021", hidden=4, epochs=1, batch_size=400, seed=3)
    finally:
        torch.set_num_threads(threads)
    fits = fit_devices(load_traces(path), jobs=jobs)
    file = json.loads(export_parameters(fit_population(fits), "lot", command="").to_json())
    del file["provenance"]
    drawn = [trace.resistance_ohm.tobytes().hex() for trace in twin.simulate_traces("majumdar2021", 3, 40, seed=1)]
    weights = [value.double().sum().item().hex() for value in run.model.state_dict().values()]
    lines = [{name: value for name, value in line.items() if name != "seconds"} for line in run.metrics]
    return json.dumps([file, drawn, weights, lines])


@pytest.fixture(scope="module")
def lot(tmp_path_factory):
    traces = twin.simulate_traces(load_parameters("majumdar2021"), 25, 300, seed=5)
    path = tmp_path_factory.mktemp("lot") / "lot.csv"
    write_csv_long(TraceSet(traces.traces), path)
    return path


def test_hash_seed_locale_folder_and_processes_move_no_bit(lot, tmp_path):
    place = tmp_path / "another folder"
    place.mkdir()
    (place / "b.csv").write_text(lot.read_text())
    variables = here() | {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    words = [sys.executable, "-c", ROAD, str(place / "b.csv")]
    with subprocess.Popen(words, env=variables, stdout=subprocess.PIPE, text=True, cwd=place) as process:
        mine = json.loads(road(lot, 1))
        other = json.loads(process.communicate()[0])
    for one, another in zip(mine, other, strict=True):
        assert one == another
