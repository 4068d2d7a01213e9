# Every target sets up what it needs, the first time: .venv, node_modules and, for tests, Redis and Chromium.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
# Passed to pytest: make test ARGS="-k rooms --no-cov"
ARGS ?=

# A stamp is made when all its packages are installed, and made again when what it depends on changes.
# Another PYTHON is another stamp, and begins with an empty .venv.
VENV := .venv/.installed-$(subst /,-,$(PYTHON))
NODE := node_modules/.installed

SERVICES := .venv/bin/python tests/ensure_services.py
PYTEST := .venv/bin/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help run test unit conformance browser lint types coverage clean

help: ## List the targets (PYTHON=python3.13 chooses the Python of each)
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: $(VENV) $(NODE) ## Serve the sample project (HOST=127.0.0.1 PORT=8000)
	.venv/bin/python tests/sample_project/manage.py runserver $(HOST):$(PORT)

test: $(VENV) $(NODE) ## Run all tests with branch coverage (ARGS="-k rooms --no-cov" for a part of them)
	@$(SERVICES) redis chromium
	$(PYTEST) --cov --cov-branch --cov-report=term --cov-report=xml $(ARGS)

unit: $(VENV) $(NODE) ## Run the tests of each module
	@$(SERVICES) redis
	$(PYTEST) tests/unit $(ARGS)

conformance: $(VENV) $(NODE) ## Run the tests against the official clients and server
	@$(SERVICES) redis
	$(PYTEST) tests/conformance $(ARGS)

browser: $(VENV) $(NODE) ## Run the tests in a browser
	@$(SERVICES) redis chromium
	$(PYTEST) tests/browser $(ARGS)

lint: $(VENV) ## Check style and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: $(VENV) ## Check types
	.venv/bin/mypy

coverage: $(VENV) ## Report the coverage of the last `make test`, in full in htmlcov/index.html
	.venv/bin/coverage html --fail-under=0
	.venv/bin/coverage report --fail-under=0

clean: ## Remove all that these targets made
	rm -rf .venv node_modules build dist *.egg-info
	rm -rf .coverage .coverage.* coverage.xml htmlcov .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed and '$(PYTHON)' is not: install it, or name it as in make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments: install its venv module (on Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "Installing Python packages in .venv"
	@test -e $@ || $(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install -qq --disable-pip-version-check -e '.[dev]'
	@touch $@

$(NODE): package.json package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null || { \
		echo "Node.js 18 or newer and npm are needed (on Debian: apt-get install nodejs npm)" >&2; exit 1; }
	@echo "Installing JavaScript packages in node_modules"
	@npm ci --loglevel=error --no-audit --no-fund
	@touch $@
