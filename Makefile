PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test test-lowest test-wheel docs bench bench-accuracy bench-validation faults fuzz results notebooks data fitted pictures clean

demo: $(VENV)/.installed  ## the whole road on the bundled data
	$(BIN)/weakreset demo -o demo-run

test: $(VENV)/.installed-dev  ## lint, types and all tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist loadfile

test-lowest:  ## all tests on the oldest versions that pyproject allows, in an environment of their own
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip --disable-pip-version-check install --quiet -c constraints-lowest.txt -e '.[test]'
	.venv-lowest/bin/python -m pytest -n auto --dist loadfile

test-wheel: $(VENV)/.installed-dev  ## the wheel in an empty environment, every command of the README from another folder
	$(BIN)/python tests/from_wheel.py

docs: $(VENV)/.installed-dev  ## the site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: $(VENV)/.installed-dev  ## speed, as ratios measured side by side
	$(BIN)/python benchmarks/fit_speed.py
	$(BIN)/python benchmarks/population_speed.py
	$(BIN)/python benchmarks/simulation_speed.py
	$(BIN)/python benchmarks/read_speed.py
	$(BIN)/python benchmarks/stream_memory.py
	$(BIN)/python benchmarks/help_time.py

bench-accuracy: $(VENV)/.installed-dev  ## the estimator beside plain lmfit on devices whose truth is known
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/worlds.py --seeds 2

fuzz: $(VENV)/.installed-dev  ## files whose truth is known: right or refused; damaged ones: traces or an error of ours
	$(BIN)/python benchmarks/fuzz_truth.py --files 4000
	$(BIN)/python benchmarks/fuzz_readers.py --files 20000

faults: $(VENV)/.installed-dev  ## every long command killed, interrupted, on a full disk, twice at once: nothing lost
	$(BIN)/python benchmarks/faults.py

bench-validation: $(VENV)/.installed-dev  ## how often a true model fails, how often a wrong one is caught
	$(BIN)/python benchmarks/validation_power.py

MNIST ?= data/mnist
CIFAR ?= data/cifar-10
RUNS ?= results-run
JOBS ?= 0
TRAIN := $(BIN)/weakreset train majumdar2021 --data mnist --data-dir $(MNIST) --resume
ABLATE := $(BIN)/weakreset ablate majumdar2021 --jobs $(JOBS)
SWITCHES := --only 'ideal,without d2d,without pink,without rtn'
SPREADS := --only 'ideal,all off,without d2d,without pink,without rtn,d2d of m1 alone,d2d of t_star alone,\
	d2d of c1 alone,d2d of m2 alone,d2d of r0_ohm alone'
NOMINAL := --only 'without d2d (median device),without d2d (mean device)'

results: $(VENV)/.installed  ## all studies of docs/results.md (MNIST=, CIFAR=folders); hours, goes on where it stopped
	$(BIN)/python docs/epoch_time.py $(RUNS)/epoch_time.json
	for seed in 0 1 2; do \
		$(TRAIN) --recipe device-aware --epochs 5 --seed $$seed -o $(RUNS)/device-aware-5-epochs-$$seed || exit 1; \
		$(TRAIN) --recipe published --epochs 3 --seed $$seed -o $(RUNS)/published-3-epochs-$$seed || exit 1; \
		for recipe in ideal latent; do \
			$(TRAIN) --recipe $$recipe --hidden 1000 --batch-size 50 --epochs 5 --seed $$seed \
				-o $(RUNS)/$$recipe-batch-50-$$seed || exit 1; done; \
		for recipe in ideal latent device-aware published; do \
			$(TRAIN) --recipe $$recipe --seed $$seed -o $(RUNS)/$$recipe-$$seed || exit 1; done; done
	$(ABLATE) --data cifar10 --data-dir $(CIFAR) --network vgg --width 0.0833333 --shrink 2 --batch-size 50 --epochs 8 \
		--recipe latent $(SPREADS) -o $(RUNS)/ablation-cifar10-latent
	$(ABLATE) --data mnist --data-dir $(MNIST) --hidden 1000 --epochs 8 --recipe latent $(SPREADS) \
		-o $(RUNS)/ablation-mnist-latent
	$(ABLATE) --recipe device-aware $(SWITCHES) -o $(RUNS)/ablation-digits
	for lr in 100 20 6; do \
		$(ABLATE) --data mnist --data-dir $(MNIST) --recipe published --lr $$lr --hidden 300 --epochs 5 --seeds 3 $(NOMINAL) \
			-o $(RUNS)/conditions-lr-$$lr || exit 1; done
	$(ABLATE) --data cifar10 --data-dir $(CIFAR) --network vgg --width 0.0833333 --shrink 2 --batch-size 50 --epochs 8 \
		--recipe device-aware $(SWITCHES) -o $(RUNS)/ablation-cifar10
	for recipe in device-aware published; do \
		$(ABLATE) --data mnist --data-dir $(MNIST) --hidden 1000 --epochs 8 --recipe $$recipe $(SWITCHES) \
			-o $(RUNS)/ablation-$$recipe || exit 1; done
	$(BIN)/python docs/recipe_search.py $(MNIST)
	$(BIN)/python docs/make_results.py $(RUNS)

notebooks: $(VENV)/.installed-dev  ## execute the notebooks and store their outputs
	$(BIN)/python -m pytest --nbmake --overwrite notebooks

data: $(VENV)/.installed-dev  ## generate data/ again: same seed, same bytes
	$(BIN)/python data/generate.py
	$(BIN)/python data/generate_formats.py

fitted: $(VENV)/.installed  ## fit data/ again into fitted_params/
	$(BIN)/weakreset fit data/lot_a.csv data/lot_b_wide.csv data/lot_c.h5 --name demo-lot -o fitted_params/demo_lot.json \
		--devices fitted_params/demo_lot.devices.csv

pictures: $(VENV)/.installed-dev  ## draw the pictures of the README, take those of the window again
	$(BIN)/python docs/make_pictures.py
	$(BIN)/python docs/take_screenshots.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.installed
	$(PIP) -c constraints.txt -e '.[dev]'
	-$(PIP) -c constraints.txt -e '.[simulators]'  # 90 MB, for one machine only: without it its tests skip
	touch $@

clean:
	rm -rf $(VENV) demo-run .pytest_cache .mypy_cache .ruff_cache .hypothesis
