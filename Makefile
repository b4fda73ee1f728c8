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
# Tests that wait more than they compute go on beside the others, each group in a process of its own: those of containers
# and of the one cluster, which would be in each other's way, with those of dbt; and those of whole installations. A shell
# would make them deaf to Ctrl-C, which some are about. Those of deploy/aws start Node, which leaves a pipe that it is given
# in non-blocking mode, so that whatever is written to it later is cut off: they write to a file.
ELSEWHERE := tests/platform_core/compute tests/platform_core/environments tests/deploy/test_kubernetes_story.py \
	tests/platform_core/dbt
WHOLE := tests/browser tests/end_to_end tests/faults
BESIDE := env --default-signal=INT,QUIT $(BIN)/pytest -rfEs
LOCATIONS := $(patsubst %/pyproject.toml,%,$(wildcard code_locations/*/pyproject.toml))

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile

run: install ## Build everything: facts, features, models, predictions, and a sweep of one model
	@code_locations/flights/.venv/bin/python -m code_locations.flights.deliver
	@$(BIN)/headrace run
	@$(BIN)/headrace sweep delay_model --grid trees=10,30,100 --grid learning_rate=0.1 --metric roc_auc
	@$(BIN)/headrace leaderboard delay_model --by roc_auc --limit 5

ui: install ## Open Dagster's UI with every location
	@$(BIN)/headrace ui

test: install ## Run all tests: the platform's, each location's own, deploy/aws (SINCE=origin/main: of those that changed)
	@failed=0; \
	locations="$(LOCATIONS)"; \
	if [ -n "$(SINCE)" ]; then \
	  changed=$$($(BIN)/headrace changed --since $(SINCE) --json) || exit 1; \
	  locations=$$(echo "$$changed" | $(BIN)/python -c 'import json, sys; print(*("code_locations/" + name for name in json.load(sys.stdin)))'); \
	fi; \
	logs=$$(mktemp -d); trap 'rm -rf $$logs; kill $$elsewhere $$whole $$aws 2>/dev/null' EXIT INT TERM; \
	echo "$(ELSEWHERE) $(WHOLE) deploy/aws go on beside the others; what they say comes last."; \
	$(BESIDE) $(ELSEWHERE) >$$logs/elsewhere 2>&1 & elsewhere=$$!; \
	$(BESIDE) $(WHOLE) >$$logs/whole 2>&1 & whole=$$!; \
	{ $(UV) sync --locked --project deploy/aws && deploy/aws/.venv/bin/python -m pytest -rfEs deploy/aws/tests; } >$$logs/aws 2>&1 & aws=$$!; \
	$(BIN)/pytest -rfEs tests $(patsubst %,--ignore=%,$(ELSEWHERE) $(WHOLE)) || failed=1; \
	for location in $$locations; do $$location/.venv/bin/python -m pytest -rfEs $$location/tests || failed=1; done; \
	for group in $$aws $$elsewhere $$whole; do wait $$group || failed=1; done; cat $$logs/*; \
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
