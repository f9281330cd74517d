# Two commands: `make app` and `make test`. A second call does no needless work.

PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
STREAMLIT := $(BIN)/python -m streamlit run app.py --server.port $(PORT) --server.headless true

.PHONY: app dev test fuzz nightly bench clean

app: .venv/.app
	@echo "Augury opens at http://localhost:$(PORT) (Ctrl-C stops it and its runs)"
	@$(STREAMLIT)

# As `app`, but pages and modules are read again when a file changes.
dev: .venv/.app
	@$(STREAMLIT) --server.fileWatcherType auto

test: .venv/.test
	@.ci/system-packages chromium chromium
	@.ci/system-packages pg_ctlcluster postgresql
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

# The properties again, with examples that nobody has seen yet.
fuzz: .venv/.test
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=default

# What takes too long for every change.
nightly: fuzz
	$(BIN)/python -m tests.nightly.kills --kills 50

bench: .venv/.bench
	@$(BIN)/python -m core bench

clean:
	rm -rf .venv artifacts

$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/system-packages - python3-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Augury needs Python 3.11 or newer.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/.app: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

.venv/.test: requirements.txt requirements-server.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@ .venv/.app

.venv/.bench: requirements-bench.txt .venv/.test
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	@touch $@
