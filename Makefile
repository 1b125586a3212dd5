# Needs make and Python 3.11 or newer; everything else goes into .venv.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: help demo test test-slow interop bench lint format clean

help:
	@echo "make demo       translate a small trained network, prove the translation right, show it"
	@echo "make test       the tests, without those marked slow"
	@echo "make test-slow  the tests marked slow"
	@echo "make interop    ABC, Yosys, Icarus Verilog and clasp read the circuits; Coq and others check certificates (installs them)"
	@echo "make bench      the table of benchmarks for the examples (some minutes)"
	@echo "make lint       ruff, mypy and the import contracts"
	@echo "make format     let ruff format the code"
	@echo "make clean      remove .venv, caches and out/"

demo: $(VENV)/installed
	PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" $(ARGS)

test-slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) -m slow $(ARGS)

interop: $(VENV)/installed-dev
	sh tests/interop/install.sh
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[check]'
	@mkdir -p out
	INTEROP_TABLE=out/interop.md $(BIN)/python -m pytest -m interop tests $(ARGS); \
	    status=$$?; cat out/interop.md; exit $$status

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks.core $(ARGS)

lint: $(VENV)/installed-dev
	@failed=; \
	for check in "ruff check ." "ruff format --check ." mypy lint-imports; do \
	    echo "$$check"; $(BIN)/$$check || failed="$$failed [$$check]"; \
	done; \
	test -z "$$failed" || { echo "lint failed:$$failed" >&2; exit 1; }

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
	    echo "fom needs Python 3.11 or newer, and neither python3 nor python3.11 to python3.14 is one." >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "$(PYTHON) could not make a virtual environment; its venv module may be a package of its own" >&2; \
	    echo "(python3-venv on Debian and Ubuntu)." >&2; exit 2; }

$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) out build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
