# Every target sets up what it needs, the first time: .venv, node_modules and, for tests, Redis, PostgreSQL, Chromium and
# Valgrind.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
# Passed to pytest: make test ARGS="-k rooms --no-cov"
ARGS ?=
# How many processes run tests side by side: one more than there are cores, since many tests wait. 0 for a debugger.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 1) + 1)
# Of make fuzz: how many inputs, and where the random numbers start.
N ?= 100000
SEED ?= 1
# Of make bench: how often, on which ASGI server (uvicorn, daphne, granian), and which workloads and servers (all).
ROUNDS ?= 3
SERVER ?= uvicorn
ONLY ?=
AGAINST ?=
# Of make bench-instructions: whether what was counted becomes the bounds of the tests.
RENEW ?=
# Of make soak: how long it takes. It has the SEED of make fuzz, and the SERVER of make bench.
MINUTES ?= 1
# Of make official-suites: a checkout of the official repository.
SUITES ?=

# A stamp is made when all its packages are installed, and made again when what it depends on changes.
# Another PYTHON is another stamp, and begins with an empty .venv.
VENV := .venv/.installed-$(subst /,-,$(PYTHON))
# What the sample needs, and no more: a first look should not wait for tests and linters.
RUNTIME := .venv/.runtime-$(subst /,-,$(PYTHON))
NODE := node_modules/.installed
# The oldest python-socketio that speaks the protocol, beside the newest one in .venv.
OLD_CLIENT := .venv/python-socketio-5.0
CLIENTS := $(OLD_CLIENT)/.installed

SERVICES := .venv/bin/python tests/ensure_services.py
PYTEST := .venv/bin/python -m pytest -n $(WORKERS)
COVERAGE := .venv/bin/coverage
COVER := --cov --cov-branch --cov-report=
REPORT := build/conformance
BENCHMARKS := build/benchmarks
BESIDE := build/beside

# A run starts hundreds of interpreters. What one of them has compiled is kept for the others, whatever is set outside.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-quick test-loaded test-beside unit conformance conformance-all browser summary fuzz \
	soak official-suites bench bench-summary bench-instructions lint types coverage clean

help: ## List the targets (PYTHON=python3.13 chooses the Python of each)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

run: $(RUNTIME) $(NODE) ## Serve the sample project (HOST=127.0.0.1 PORT=8000)
	.venv/bin/python tests/sample_project/manage.py runserver $(HOST):$(PORT)

test: $(VENV) $(NODE) $(CLIENTS) ## Run all tests with branch coverage (ARGS="-k rooms --no-cov" for a part of them)
	@$(SERVICES) redis postgresql chromium valgrind
	$(PYTEST) $(COVER)term --conformance-report=$(REPORT) $(ARGS)

test-quick: $(VENV) $(NODE) ## Run what one runs between edits: the unit tests, and the official server and client beside one server
	@$(SERVICES) redis postgresql
	$(PYTEST) tests/unit tests/conformance/test_vectors.py tests/conformance/test_transcripts.py \
		tests/conformance/test_hostile.py tests/conformance/test_scenarios.py --quick $(ARGS)

test-loaded: $(VENV) ## Run all tests beside an endless loop on each core
	.venv/bin/python -m tests.busy $(MAKE) test

# A clone has files of its own: neither run sees what the other one writes. It has what is committed.
test-beside: $(VENV) $(NODE) $(CLIENTS) ## Run all tests twice at once: here, and those of the last commit in build/beside
	@test -e $(BESIDE) || git clone --quiet . $(BESIDE)
	@git -C $(BESIDE) fetch --quiet "$(CURDIR)" HEAD && git -C $(BESIDE) checkout --quiet --detach FETCH_HEAD
	@$(MAKE) --directory $(BESIDE) $(VENV) $(NODE) $(CLIENTS) >/dev/null
	@$(MAKE) --no-print-directory --directory $(BESIDE) test >$(BESIDE).log 2>&1 & other=$$!; \
		$(MAKE) test; here=$$?; wait $$other; there=$$?; tail -n 1 $(BESIDE).log; \
		test $$there -eq 0 || cat $(BESIDE).log; exit $$((here | there))

unit: $(VENV) $(NODE) ## Run the tests of each module
	@$(SERVICES) redis postgresql
	$(PYTEST) tests/unit $(ARGS)

conformance: $(VENV) $(NODE) $(CLIENTS) ## Compare with the official server, parsers and clients: a table, and build/conformance/
	@$(SERVICES) redis chromium
	$(PYTEST) tests/conformance tests/browser --conformance-table --conformance-report=$(REPORT) $(ARGS)

conformance-all: ## The same with each case on each server, and each client with both
	$(MAKE) conformance ARGS="--everywhere $(ARGS)"

summary: $(VENV) ## Write the summary of the last `make conformance-all` into the README
	.venv/bin/python -m tests.conformance.pages $(REPORT)/report.json README.rst

fuzz: $(VENV) $(NODE) ## Compare the parsers with the official ones on random input (N=100000 SEED=1)
	.venv/bin/python -m tests.conformance.parsers.fuzz $(N) $(SEED)

soak: $(VENV) $(NODE) ## Have clients come and go through a bad network (MINUTES=1 SEED=1 SERVER=uvicorn)
	.venv/bin/python -m tests.soak --minutes $(MINUTES) --seed $(SEED) --server $(SERVER)

official-suites: $(VENV) ## Run the official protocol suites, unmodified, of a checkout (SUITES=path)
	@test -n "$(SUITES)" || { \
		echo "Say where they are: make official-suites SUITES=<a checkout of the official repository>" >&2; exit 2; }
	.venv/bin/python -m tests.conformance.official_suites $(SUITES)

bench: $(VENV) $(NODE) ## Measure side by side with other servers (ROUNDS=3 SERVER=uvicorn ONLY=event,polling AGAINST=floor,sio)
	@$(SERVICES) redis
	.venv/bin/python -m tests.benchmarks --rounds $(ROUNDS) --server $(SERVER) --only "$(ONLY)" --against "$(AGAINST)" \
		--output $(BENCHMARKS)$(if $(filter-out uvicorn,$(SERVER)),/$(SERVER))

bench-summary: $(VENV) ## Write the summary and the chart of the last `make bench` on uvicorn into the README
	.venv/bin/python -m tests.benchmarks.pages $(BENCHMARKS) README.rst

bench-instructions: $(VENV) $(NODE) ## Count instructions for an operation, of the floor and of sio (RENEW=1 writes the bounds)
	@$(SERVICES) valgrind
	.venv/bin/python -m tests.benchmarks.instructions $(if $(RENEW),--renew) --output $(BENCHMARKS)/instructions

browser: $(VENV) $(NODE) ## Run the tests in a browser
	@$(SERVICES) redis chromium
	$(PYTEST) tests/browser $(ARGS)

lint: $(VENV) ## Check style and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: $(VENV) ## Check types
	.venv/bin/mypy

coverage: $(VENV) ## Report the branch coverage of the last `make test`, with its thresholds: htmlcov/, coverage.xml
	@test -e .coverage || $(MAKE) test
	$(COVERAGE) html -q --fail-under=0
	$(COVERAGE) xml -q --fail-under=0
	$(COVERAGE) report --skip-covered --fail-under=98
	$(COVERAGE) report --fail-under=100 --include="$$(.venv/bin/python -m tests.house)"

clean: ## Remove all that these targets made
	rm -rf .venv node_modules build dist *.egg-info
	rm -rf .coverage .coverage.* coverage.xml htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed and '$(PYTHON)' is not: install it, or name it as in make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments: install its venv module (on Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "Installing the packages of the server in .venv"
	@test -e $@ || $(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --disable-pip-version-check -e '.[daphne,redis]'
	@touch $@

$(VENV): $(RUNTIME)
	@echo "Installing the packages of tests and linters in .venv"
	@.venv/bin/python -m pip install --disable-pip-version-check -e '.[dev]'
	@touch $@

$(CLIENTS): tests/conformance/clients/python-socketio-5.0.txt | $(VENV)
	@echo "Installing an old client in $(OLD_CLIENT)"
	@rm -rf $(OLD_CLIENT)
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --target $(OLD_CLIENT) -r $<
	@touch $@

$(NODE): package.json package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null || { \
		echo "Node.js 18 or newer and npm are needed (on Debian: apt-get install nodejs npm)" >&2; exit 1; }
	@echo "Installing JavaScript packages in node_modules"
	@npm ci --loglevel=error --no-audit --no-fund
	@touch $@
