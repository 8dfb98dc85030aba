# Everything starts here. On a fresh Debian machine, as root: make demo, make test, make check.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# pytest's arguments for the tests with real parts: a test that fails is tried once more, and both are reported.
REAL := --reruns 1 --reruns-delay 5 -rR

.PHONY: help setup system venv proxy images pixels viewer demo test check fuzz format clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | column -t -s "$$(printf '\t')"

setup: system venv proxy images  ## Install whatever is missing: packages, Docker Engine, Python, proxy, images

system:
	@hub/setup/system.sh

venv: .venv/.stamp

.venv/.stamp: requirements.lock pyproject.toml
	@echo "Installing Python packages into .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

proxy: .cache/proxy/.stamp

.cache/proxy/.stamp: hub/setup/proxy/package.json hub/setup/proxy/package-lock.json
	@echo "Installing configurable-http-proxy"
	@mkdir -p .cache/proxy
	@cp hub/setup/proxy/package.json hub/setup/proxy/package-lock.json .cache/proxy/
	@cd .cache/proxy && npm ci --silent --no-fund --no-audit
	@touch $@

images: system venv
	@$(BIN)/python -m hub.setup.images

pixels: setup viewer  ## Install what tiers with pixels_only need: the viewer, and the image with a display
	@$(BIN)/python -m hub.setup.images --pixels

viewer: .cache/viewer/.stamp

.cache/viewer/.stamp: hub/setup/viewer/package.json hub/setup/viewer/package-lock.json
	@echo "Installing noVNC"
	@mkdir -p .cache/viewer
	@cp hub/setup/viewer/package.json hub/setup/viewer/package-lock.json .cache/viewer/
	@cd .cache/viewer && npm ci --silent --no-fund --no-audit
	@touch $@

demo: setup  ## Start a demo enclave and take the tour; ARGS=--once stops it after the tour
	@$(BIN)/enclave demo $(ARGS)

check: venv  ## Format, lint, types and unit tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/unit $(ARGS)

# Four runs, so that one that fails does not hide the others; the last line says which failed.
test: pixels  ## All tests: unit, integration, browser, attacks
	@failed=""; \
	$(BIN)/python -m pytest tests/unit tests/corpus $(ARGS) || failed="$$failed unit"; \
	for kind in integration browser redteam; do \
	  code=0; $(BIN)/python -m pytest tests/$$kind $(REAL) $(ARGS) || code=$$?; \
	  if [ $$code -ne 0 ]; then failed="$$failed $$kind"; fi; \
	done; \
	if [ -n "$$failed" ]; then echo "FAILED:$$failed"; exit 1; fi; \
	echo "All tests passed."

MINUTES ?= 60

# Not part of `make test`: it needs atheris, which has wheels for few platforms.
fuzz: venv  ## Fuzz every parser of untrusted files; MINUTES=60 in total
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement tests/fuzz/requirements.lock
	@nice $(BIN)/python -m tests.fuzz.run --minutes $(MINUTES) $(ARGS)

format:  ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only --exit-zero .

clean:  ## Remove what was installed and built here; images stay in Docker
	@rm -rf .venv .cache build *.egg-info
