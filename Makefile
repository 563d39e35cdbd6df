# `make test PYTHON=python3.13` has an environment of its own, .venv-3.13, beside .venv. Versions of
# pyenv are found by that name as well.
ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell command -v python3.11 || command -v python3)
VENV := .venv
else
FOUND := $(shell for python in $(PYTHON) $(HOME)/.pyenv/versions/*/bin/$(PYTHON); do \
	$$python -c '' 2>/dev/null && echo $$python && break; done)
ifeq ($(FOUND),)
$(error Expected PYTHON to be a Python of 3.11 or later, got '$(PYTHON)', which does not run)
endif
override PYTHON := $(FOUND)
VENV := .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
endif
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One thread for each process: the networks are small, and the tests run side by side.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test exhaustive fuzz kill check lock matrix bundle docs format lint types clean

# From nothing to a trained model, its metrics, the tree of logged values and a picture.
demo: $(READY)
	$(BIN)/python scripts/demo.py

# From nothing to passed tests.
test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal -q tests

# The tests with the whole grids, each class in each output space and each shipped config, of which
# `make test` runs a selection (tests/selection.py).
exhaustive: $(READY)
	EXHAUSTIVE=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q tests

# Longer searches for what breaks: 10,000 changed files and 10,000 generated ones for each reader.
fuzz: $(READY)
	FUZZ=10000 $(BIN)/python -m pytest -n 2 --dist worksteal -q tests/data/test_fuzzed_files.py \
		tests/data/test_generated_files.py tests/data/test_generated_images.py \
		tests/configs/test_fuzzed_configs.py

# Runs killed at many moments, every method in two processes, and two nodes begun by torchrun.
kill: $(READY)
	KILLS=50 $(BIN)/python -m pytest -n 2 --dist worksteal -q tests/training/test_kill_anywhere.py \
		tests/training/test_distributed.py tests/training/test_nodes.py

# Format, lint, types and tests: what .ci/run runs.
check: lint types test

# The documentation, docs/_build/html, of the code as it is now (-E); a warning is an error.
docs: $(READY)
	$(BIN)/sphinx-build -E -W --keep-going -b html docs docs/_build/html

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy modules

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The pins of every environment, requirements*.txt, from pyproject.toml (UPGRADE=--upgrade: newest).
lock: $(READY)
	$(BIN)/python scripts/lock.py $(UPGRADE)

# The quick tests on every Python on this machine, on the newest releases, and the install from a wheel.
matrix:
	$(PYTHON) scripts/matrix.py $(MATRIX)

# The wheels for a GPU machine without a network, bundle/; scripts/gpu_check.sh installs and tests it.
bundle: $(READY)
	$(BIN)/python scripts/bundle.py

# The environment, made when it is missing and made again when what it is made of has changed;
# TORCH=2.15.0 takes another release of torch.
$(READY): requirements.txt requirements-dev.txt setup.py pyproject.toml scripts/environment.py
	$(PYTHON) scripts/environment.py $(VENV) $(if $(TORCH),--torch $(TORCH))
	touch $(READY)

clean:
	rm -rf .venv .venv-* build bundle dist docs/_build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
