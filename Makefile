PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test bench bench-accuracy bench-validation fuzz results notebooks data fitted pictures clean

demo: $(VENV)/.installed  ## the whole road on the bundled data
	$(BIN)/weakreset demo -o demo-run

test: $(VENV)/.installed-dev  ## lint, types and all tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

bench: $(VENV)/.installed-dev  ## speed, as ratios measured side by side
	$(BIN)/python benchmarks/fit_speed.py
	$(BIN)/python benchmarks/simulation_speed.py
	$(BIN)/python benchmarks/read_speed.py
	$(BIN)/python benchmarks/stream_memory.py

bench-accuracy: $(VENV)/.installed-dev  ## the estimator beside plain lmfit on devices whose truth is known
	$(BIN)/python benchmarks/accuracy.py

fuzz: $(VENV)/.installed-dev  ## damaged files to every reader: traces or an error of ours, in 10 s and 1 GB
	$(BIN)/python benchmarks/fuzz_readers.py --files 20000

bench-validation: $(VENV)/.installed-dev  ## how often a true model fails, how often a wrong one is caught
	$(BIN)/python benchmarks/validation_power.py

MNIST ?= data/mnist
RUNS ?= results-run
ABLATE := --data mnist --data-dir $(MNIST) --hidden 1000 --epochs 8 --only 'ideal,without d2d,without pink,without rtn'

results: $(VENV)/.installed  ## train and ablate on MNIST (MNIST=folder of the IDX files); writes docs/results.md
	for seed in 0 1 2; do for recipe in ideal published device-aware; do \
		$(BIN)/weakreset train majumdar2021 --data mnist --data-dir $(MNIST) --recipe $$recipe --seed $$seed \
			--resume -o $(RUNS)/$$recipe-$$seed || exit 1; done; done
	for recipe in device-aware published; do \
		$(BIN)/weakreset ablate majumdar2021 $(ABLATE) --recipe $$recipe -o $(RUNS)/ablation-$$recipe || exit 1; done
	$(BIN)/python docs/make_results.py $(RUNS)

notebooks: $(VENV)/.installed-dev  ## execute the notebooks and store their outputs
	$(BIN)/python -m pytest --nbmake --overwrite notebooks

data: $(VENV)/.installed-dev  ## generate data/ again: same seed, same bytes
	$(BIN)/python data/generate.py
	$(BIN)/python data/generate_formats.py

fitted: $(VENV)/.installed  ## fit data/ again into fitted_params/
	$(BIN)/weakreset fit data/lot_a.csv data/lot_b_wide.csv data/lot_c.h5 --name demo-lot -o fitted_params/demo_lot.json \
		--devices fitted_params/demo_lot.devices.csv

pictures: $(VENV)/.installed  ## draw the pictures of the README again
	$(BIN)/python docs/make_pictures.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.installed
	$(PIP) -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) demo-run .pytest_cache .mypy_cache .ruff_cache .hypothesis
