# Two commands matter: `make demo` shows the system, `make test` proves it. `make` alone prints the rest.
#
# Needs git, make and Python 3.11 or newer, nothing else. Everything goes into .venv/ and instance/ inside this folder.

PYTHON ?= $(shell for p in python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN = $(VENV)/bin
PERSONS ?= 100000
# Two tests at a time by default: each worker has its own database. JOBS=0 runs them in one process.
JOBS ?= 2
PYTEST = $(BIN)/python -m pytest -n $(JOBS)

# What is installed is remembered by a file named after the content of the lock: a new lock installs itself once,
# and an unchanged one costs nothing and needs no network.
fingerprint = $(shell cat $(1) pyproject.toml | cksum | tr ' ' '-')
RUN_STAMP = $(VENV)/.stamp-run-$(call fingerprint,requirements.txt)
DEV_STAMP = $(VENV)/.stamp-dev-$(call fingerprint,requirements-dev.txt)
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset pg-demo test test-sqlite test-postgresql \
	lint lint-format lint-code lint-types lint-imports lint-pages check format docs bench lock install install-dev clean

help: ## Print this list
	@echo "Social protection MIS. What make can do here:"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(RUN_STAMP) ## Start the system with demo data: web and worker, Ctrl-C stops both
	@exec $(BIN)/mis demo

demo-reset: $(RUN_STAMP) ## The same, starting afresh: the demo database is made anew
	@exec $(BIN)/mis demo --reset

pg-demo: $(RUN_STAMP) ## The same demo on PostgreSQL and Redis: MIS_DATABASE_URL and MIS_BROKER_URL, or else compose.yaml
	@if [ -z "$$MIS_DATABASE_URL" ]; then \
		command -v docker >/dev/null 2>&1 || { echo "Set MIS_DATABASE_URL and MIS_BROKER_URL, or install Docker: make pg-demo then starts both services by itself." >&2; exit 1; }; \
		docker compose up --detach --wait postgres redis || exit 1; \
		export MIS_DATABASE_URL=postgresql+psycopg://mis:mis@127.0.0.1:54320/mis; \
		export MIS_BROKER_URL=redis://127.0.0.1:63790/0; \
	fi; \
	exec $(BIN)/mis demo

test: test-sqlite ## Run all tests on SQLite, and again on PostgreSQL when MIS_TEST_DATABASE_URL is set
	@if [ -n "$$MIS_TEST_DATABASE_URL" ]; then \
		$(MAKE) --no-print-directory test-postgresql; \
	else \
		echo "Not run on PostgreSQL: MIS_TEST_DATABASE_URL is not set."; \
	fi

test-sqlite: $(DEV_STAMP) ## Run all tests on SQLite alone
	@echo "== Tests on SQLite"
	@MIS_TEST_DATABASE_URL= $(PYTEST) $(TESTS)

test-postgresql: $(DEV_STAMP) ## Run all tests on the PostgreSQL server of MIS_TEST_DATABASE_URL alone
	@test -n "$$MIS_TEST_DATABASE_URL" || { echo "Set MIS_TEST_DATABASE_URL, for example postgresql+psycopg:///postgres" >&2; exit 1; }
	@echo "== Tests on PostgreSQL"
	@$(PYTEST) $(TESTS)

# Separate targets, so that `make --keep-going lint` shows everything that is wrong at once.
lint: lint-format lint-code lint-types lint-imports lint-pages ## Check format, code, types, imports and templates

lint-format: $(DEV_STAMP)
	$(BIN)/python -m ruff format --check .
lint-code: $(DEV_STAMP)
	$(BIN)/python -m ruff check .
lint-types: $(DEV_STAMP)
	$(BIN)/python -m mypy
lint-imports: $(DEV_STAMP)
	$(BIN)/lint-imports
lint-pages: $(DEV_STAMP)
	$(BIN)/djlint --lint --quiet mis registry eligibility payments grievances

check: lint test ## Everything that a change must pass: lint and test

format: $(DEV_STAMP) ## Put the code into its one form
	$(BIN)/python -m ruff check --fix --exit-zero .
	$(BIN)/python -m ruff format .

docs: $(DEV_STAMP) ## Draw the lifecycles in docs/lifecycles anew from the code
	$(BIN)/python -m tests.architecture.drawing

bench: $(RUN_STAMP) ## Measure the heavy work on PERSONS=100000 persons, against hand-written SQL
	@for room in registry eligibility payments; do $(BIN)/mis bench $$room --persons $(PERSONS) || exit 1; done

lock: $(DEV_STAMP) ## Write the locked requirements anew from pyproject.toml (UPGRADE=--upgrade takes newer versions)
	@$(PIP) install 'uv>=0.9'
	@for set in "requirements.txt" "requirements-dev.txt --group dev"; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-emit-find-links --no-header --no-annotate --extra postgres --extra redis --group build \
			$(UPGRADE) pyproject.toml --output-file $$set || exit 1; \
	done

install: $(RUN_STAMP) ## Install what running needs into .venv
install-dev: $(DEV_STAMP) ## Install what developing needs into .venv

clean: ## Remove caches and built files (not .venv, not the data in instance/)
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov build dist *.egg-info
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and neither python3.11 nor python3 is that. Install it, or name it: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(RUN_STAMP): | $(BIN)/python
	@echo "Installing the locked dependencies into $(VENV) (once; it takes a minute) ..."
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.stamp-run-*
	@touch $@

# The development lock holds everything of the other, in the same versions.
$(DEV_STAMP): | $(BIN)/python
	@echo "Installing the locked development dependencies into $(VENV) (once; it takes a minute) ..."
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.stamp-*
	@touch $@ $(RUN_STAMP)
