# Needs Python 3.11 and make; uv brings the rest, always from a lock file.
.DEFAULT_GOAL := help
.PHONY: help run ui test check bench install

# A virtual environment that happens to be active, or one named for another project, must not be installed into.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
# Python's compiled files are what makes the second start of a command quick.
unexport PYTHONDONTWRITEBYTECODE

PYTHON := $(or $(shell command -v python3.11 2>/dev/null),python3)
UV := .headrace/bin/uv
BIN := .venv/bin
LOCATIONS := $(patsubst %/pyproject.toml,%,$(wildcard code_locations/*/pyproject.toml))

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile

run: install ## Build everything: facts, features, models, predictions
	@code_locations/flights/.venv/bin/python -m code_locations.flights.deliver
	@$(BIN)/headrace run

ui: install ## Open Dagster's UI with every location
	@$(BIN)/headrace ui

test: install ## Run all tests: the platform's, then each location's own
	@failed=0; \
	$(BIN)/pytest -rs || failed=1; \
	for location in $(LOCATIONS); do $$location/.venv/bin/python -m pytest -rs $$location/tests || failed=1; done; \
	exit $$failed

check: install ## Check style, types, who imports whom, and definitions
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/headrace check

bench: install ## Measure every performance claim against its peers
	@$(UV) sync --locked --all-extras --group bench
	@$(BIN)/python -m benchmarks

install: $(UV)
	@$(UV) sync --locked --all-extras
	@for location in $(LOCATIONS); do $(UV) sync --locked --project $$location || exit 1; done

$(UV):
	@$(PYTHON) deploy/get_uv.py
