# The two commands a newcomer needs are `make demo` and `make test`; they do all the set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test check bench lock clean

demo: $(VENV)/.demo ## install, write the Complete Journey instance, plan 2018-W01, print the plan
	rm -rf demo
	$(BIN)/bundlewise instance complete-journey --out demo/instance
	$(BIN)/bundlewise solve demo/instance/scenario.toml --out demo/plan

test: $(VENV)/.dev ## the whole test suite
	$(BIN)/python -m pytest

check: $(VENV)/.dev ## format, lint, types, and the tests with warnings as errors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/python -m pytest

bench: $(VENV)/.bench ## every benchmark but the long solver comparison (see benchmarks/README.md)
	$(BIN)/python -m benchmarks

lock: ## write constraints.txt anew from the newest versions that fit pyproject.toml
	rm -rf .lock-venv
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet '.[demo,dev,bench]'
	.lock-venv/bin/python -m pip freeze --exclude bundlewise | grep -v ' @ ' > constraints.txt
	rm -rf .lock-venv

clean:
	rm -rf $(VENV) .lock-venv demo build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e '.[demo]'
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e '.[demo,dev]'
	touch $@ $(VENV)/.demo

$(VENV)/.bench: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) install --quiet -c constraints.txt -e '.[demo,dev,bench]'
	touch $@ $(VENV)/.demo $(VENV)/.dev
