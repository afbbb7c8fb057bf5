# `make verify` and `make test` set themselves up: a virtual environment in .venv, the dependencies, then the job.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
EXTRAS ?= test
BIN := $(VENV)/bin

.PHONY: verify test edges zoo mutants lint docs figures paper bench bench-gpu gpu wheel clean

verify: $(VENV)/installed
	$(BIN)/byzcheck verify

ONLY ?= # options of pytest: files, -k, --ignore
test: $(VENV)/installed-$(EXTRAS) $(if $(findstring neural,$(EXTRAS)),$(VENV)/installed-byzfl)
	$(BIN)/python -m pytest -n 2 $(ONLY)

CASES ?= 100000
edges: $(VENV)/installed-test
	$(BIN)/python -m pytest -n 2 tests/test_edges.py --cases $(CASES)

# The contracts' two error rates: every faulty rule of the zoo at every n with SEEDS seeds, and the sound ones.
SEEDS ?= 200
zoo: $(VENV)/installed-$(EXTRAS)
	$(BIN)/python -m pytest -n 2 tests/test_zoo_of_rules.py --seeds $(SEEDS)

# Planted faults, each of which its tests must notice; NAMES=… for some of them.
NAMES ?=
mutants: $(VENV)/installed-test,neural,browser
	$(BIN)/python tests/mutants.py $(NAMES)

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python

# The documentation, docs/_build/html/index.html. Nothing is fetched but the packages.
docs: $(VENV)/installed-docs
	$(BIN)/python -m sphinx --builder html --nitpicky --fail-on-warning --keep-going --quiet docs docs/_build/html
	$(BIN)/byzcheck report --out docs/_build/html/report.html

figures: $(VENV)/installed
	$(BIN)/byzcheck figures

# The repaired theorems with their proofs as a PDF: the report, printed by a Chromium that is installed.
paper: $(VENV)/installed
	$(BIN)/byzcheck report --out paper.pdf

bench: $(VENV)/installed-peers
	$(BIN)/byzcheck bench
	mkdir -p results
	$(BIN)/byzcheck bench --grid --keep results/begun.json --output results/grid.json --draw results

bench-gpu: $(VENV)/installed-cupy
	$(BIN)/byzcheck bench --gpu

# On a machine that has a GPU for some minutes and no network: nothing is installed, GPU_PYTHON has what is needed.
GPU_PYTHON ?= python3
gpu:
	$(GPU_PYTHON) -m benchmarks.on_gpu $(GPU_OPTIONS)

wheel: $(VENV)/installed-dev
	$(BIN)/python -m build --wheel --outdir $(VENV)/dist .

clean:
	rm -rf $(VENV)

$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# byzpy 0.1.4 asks for torch < 2.6 and numpy < 2.1, and byzfl 0.0.11 for torchvision, which would choose the torch; the
# aggregators of both run without, on the versions that everybody else in the table is measured with.
$(VENV)/installed-peers: $(VENV)/installed-bench
	$(BIN)/python -m pip install --quiet --no-deps byzfl==0.0.11 byzpy==0.1.4
	touch $@

# What the adapter of ByzFL's names is held to, where there is a torch. byzfl asks for torchvision, which would choose
# another one; the tests put an empty module in the place of what needs it.
$(VENV)/installed-byzfl: $(VENV)/installed-$(EXTRAS)
	$(BIN)/python -m pip install --quiet --no-deps byzfl==0.0.11
	touch $@

$(VENV)/installed-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	touch $(VENV)/installed $@
