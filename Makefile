# The commands of the README. Everything they create is in this folder, in .venv and .lgs; the benchmark's beside them.

PYTHON ?= python3
BIN := .venv/bin
# Installs from the lock file, in seconds, and leaves no cache outside this folder.
INSTALL := $(BIN)/uv pip install --quiet --no-cache --python $(BIN)/python --constraint requirements.lock --editable
# Two at a time, unless a file or a test is named: starting the second process would take longer than running it.
TWO_AT_A_TIME := $(if $(TESTS),,--numprocesses 2 --dist loadfile --no-loadscope-reorder)

# Imports are compiled once, whatever the environment says: compiling Dagster takes five seconds each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run ui dashboard test lint lock docs screenshots benchmark clean

run: export DUMP := $(DUMP)
run: .venv/installed
	@$(BIN)/lgs run $${DUMP:+"$$DUMP"}

ui: .venv/installed
	@$(BIN)/lgs ui

dashboard: .venv/installed
	@$(BIN)/lgs dashboard --open

test: .venv/tests-installed
	$(BIN)/pytest $(TWO_AT_A_TIME) $(TESTS)

lint: .venv/tests-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Pins every dependency, for every supported Python and platform.
lock: .venv/installed
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" --upgrade --output-file requirements.lock pyproject.toml

# The pages generated from the code.
docs: .venv/installed
	$(BIN)/python -m lgs_assets.contracts.dictionary > docs/data-dictionary.md

# The pictures of the dashboard, on synthetic lines. Needs Chromium and its driver.
screenshots: .venv/tests-installed
	$(BIN)/python -m lgs_assets_tests.dashboard.screenshots docs/screenshots

# The whole job against its peers, in a quarter of an hour. LGS_REAL_DATA is the folder of the real data; see benchmarks/README.md.
benchmark: .venv/installed .venv-benchmark/installed
	$(BIN)/python -m benchmarks.run $(OPTIONS)

# What it takes to run, and nothing else.
.venv/installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@echo "Setting up .venv (half a minute, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --constraint requirements.lock uv
	@$(INSTALL) .
	@touch $@

# What the tests need besides: Spark alone is half a gigabyte.
.venv/tests-installed: .venv/installed
	@echo "Adding to .venv what the tests need (once)"
	@$(INSTALL) ".[dev,report,spark]"
	@touch $@

.venv-benchmark/installed: benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-benchmark
	.venv-benchmark/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --requirement $<
	@touch $@

clean:
	test ! -x $(BIN)/lgs || $(BIN)/lgs stop
	rm -rf .venv .venv-benchmark .benchmark .lgs
