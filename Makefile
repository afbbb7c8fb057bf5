# `make verify` and `make test` set themselves up: a virtual environment in .venv, the dependencies, then the job.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
EXTRAS ?= test
BIN := $(VENV)/bin

.PHONY: verify test lint figures wheel clean

verify: $(VENV)/installed
	$(BIN)/byzcheck verify

test: $(VENV)/installed-$(EXTRAS)
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python

figures: $(VENV)/installed
	$(BIN)/byzcheck figures

wheel: $(VENV)/installed-dev
	$(BIN)/python -m build --wheel --outdir $(VENV)/dist .

clean:
	rm -rf $(VENV)

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	touch $(VENV)/installed $@
