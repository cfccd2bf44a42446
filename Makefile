# One command per thing a developer does. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help setup setup-browser run test check bench bench-oversell chaos screenshots lock clean

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?=
ARGS ?=
BIN := .venv/bin

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## create .venv from requirements.lock (a no-op while the lock is unchanged)
	@PYTHON="$(PYTHON)" .ci/setup

run: setup ## start everything on this machine and run the main job (ARGS='--port 8001')
	@$(BIN)/tillwire up $(ARGS)

test: setup ## run all tests, two files at a time
	@command -v chromium >/dev/null || $(MAKE) setup-browser || echo 'no Chromium, and no right to install it: browser tests are skipped'
	@$(BIN)/pytest -n 2 --dist loadfile

check: setup ## style, types, import rules and architecture tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest tests/architecture

bench: setup ## measure what the engine does on this machine
	@$(BIN)/tillwire bench

bench-oversell: setup ## how often two buyers get the last unit: model, and running product for ten minutes (QUICK=1 for one)
	@$(BIN)/python -m tests.benchmarks.oversell --level L1 --level L2 $(if $(QUICK),--quick) --svg docs/images/oversell.svg

chaos: setup ## kill servers and workers under load and prove that nothing was lost
	@$(BIN)/tillwire chaos --full

setup-browser: setup ## install Chromium for the browser tests (Debian and Ubuntu; as root)
	@command -v chromium >/dev/null || (apt-get update -q && apt-get install -y -q chromium)

screenshots: setup ## play the bad Monday up to its worst moment and photograph the portal
	@$(BIN)/python -m tests.browser.screenshots docs/images

lock: setup ## resolve the dependencies again and write both lock files
	@$(BIN)/uv pip compile pyproject.toml --extra embedded --group dev --universal --upgrade \
	    --generate-hashes --no-header --no-annotate --python-version 3.11 --quiet --output-file requirements.lock
	@npm install --package-lock-only --silent
	@node portal/static/lock.mjs
	@! grep -n '://' requirements.lock
	@! grep -nE '"resolved"|://' package-lock.json
	@echo "lock: $$(grep -c '==' requirements.lock) Python packages; run 'make setup' to install them"

clean: ## stop the embedded servers and remove everything that setup and run made
	@if [ -x $(BIN)/python ] && [ -d .tillwire ]; then $(BIN)/python -m infra.embedded remove .tillwire; fi
	@rm -rf .venv .tillwire node_modules build dist portal/static/dist *.egg-info \
	    .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage
