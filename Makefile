# Three commands: `make app`, `make class` and `make test`. A second call does no needless work.

PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
# For this machine alone; `make class` is for others, too.
STREAMLIT := $(BIN)/python -m streamlit run app.py --server.port $(PORT) --server.headless true \
	--server.address localhost --server.allowedHosts localhost --server.allowedHosts 127.0.0.1

.PHONY: app class dev test fuzz nightly audit bench clean

app: .venv/.app
	@echo "Augury opens at http://localhost:$(PORT) (Ctrl-C stops it and its runs)"
	@$(STREAMLIT)

# For all on this network, by this machine's own names and addresses; see docs/class.md.
class: .venv/.app
	@$(BIN)/python -m core class --port $(PORT) $(if $(HOST),--host $(HOST))

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
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not browser and not alone"
	$(BIN)/python -m pytest -m browser
	$(BIN)/python -m pytest -m "alone and not browser"

# The properties again, with examples that nobody has seen yet.
fuzz: .venv/.test
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=default

# What takes too long for every change.
nightly: fuzz
	$(BIN)/python -m tests.nightly.hostile_inputs --count 100000
	$(BIN)/python -m tests.nightly.kills --kills 200
	$(BIN)/python -m tests.nightly.kill_engine --kills 200
	$(BIN)/python -m tests.nightly.full_home
	$(BIN)/python -m tests.nightly.matrix
	$(BIN)/python -m tests.nightly.noise_studies
	$(BIN)/python -m tests.nightly.scripts
	$(BIN)/python -m tests.nightly.onnx_parity
	$(BIN)/python -m tests.nightly.hostile_afternoon

# Whether a known weakness is in what is installed; asks the package index and its advisories.
audit: .venv/.audit
	$(BIN)/pip-audit --local

bench: .venv/.bench
	@$(BIN)/python -m core bench

clean:
	rm -rf .venv artifacts

$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/system-packages - python3-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Augury needs Python 3.11 or newer.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/.app: requirements.txt constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

.venv/.test: requirements.txt constraints.txt requirements-server.txt requirements-export.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@ .venv/.app

.venv/.bench: requirements-bench.txt .venv/.test
	$(BIN)/python -m pip install --quiet -r requirements-bench.txt
	@touch $@

.venv/.audit: .venv/.app
	$(BIN)/python -m pip install --quiet pip-audit
	@touch $@
