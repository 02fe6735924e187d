# Everything a newcomer or a contributor runs. `make` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
STACK ?= dev
PORT ?=
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := $(shell sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.in)

# Packages are cached in the tree, so that `make clean` leaves nothing behind and tests need no network.
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
export PIP_DISABLE_PIP_VERSION_CHECK := 1

GO_PROGRAM := $(wildcard tests/azure/go/*.go tests/azure/go/*.mod)
JOB_ENVIRONMENTS := $(wildcard jobs/examples/*/conda.yml jobs/examples/*/serve.yml tests/azure/ml/environments/*.yml)
SOAK_ENVIRONMENTS := $(wildcard tests/azure/ml/environments/soak/*.yml jobs/examples/*/pytorch/conda.yml)
CURATED := AzureML-sklearn-1.0-ubuntu20.04-py38-cpu
PULUMI := $(BIN)/python -m sandbox pulumi
START := $(BIN)/python -m sandbox start $(if $(PORT),--port $(PORT))
UP := $(PULUMI) up --stack $(STACK) --yes --skip-preview --policy-pack policies --policy-pack-config policies/merged/$(STACK).json

.PHONY: help
help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: demo
demo: setup ## bring the dev stack up in the sandbox and train a model on it
	@$(START)
	@$(UP)
	@eval "$$($(BIN)/python -m sandbox env --persona scientist)" && \
	  $(BIN)/python -m jobs submit highspenders --stack $(STACK) --team bluegranit --cluster ds3-v2-cluster --stream --register highspenders
	@cat docs/whats-next.txt

.PHONY: preview up down
preview: setup ## what `up` would change (STACK=prod for another stack)
	@$(BIN)/python -m policies config --check --stack $(STACK)
	@$(PULUMI) preview --stack $(STACK) --policy-pack policies --policy-pack-config policies/merged/$(STACK).json
up: setup ## bring a stack up in the sandbox
	@$(BIN)/python -m policies config --check --stack $(STACK)
	@$(START)
	@$(UP)
down: setup ## destroy the stack in the sandbox
	@$(PULUMI) destroy --stack $(STACK) --yes

.PHONY: test soak bench
test: setup prepare ## all tests
	@UV_OFFLINE=1 $(BIN)/python -m pytest -n 3 --dist worksteal --durations 25 tests
soak: setup prepare ## the long runs, on from where they were stopped; docs/soak.md, docs/soak-crashes.md and docs/conformance.md have the last results
	@UV_OFFLINE=1 $(BIN)/python -m tests.faults.soak
	@$(BIN)/python -m tests.program.crashes
	@$(BIN)/python -m tests.conformance
	@$(BIN)/python -m sandbox prepare $(SOAK_ENVIRONMENTS)
	@UV_OFFLINE=1 $(BIN)/python -m pytest tests -m soak
bench: setup ## measure; docs/benchmarks.md has the last results
	@for each in benchmarks/*.py; do echo "== $$each"; $(BIN)/python $$each || exit 1; done

.PHONY: verify-azure
verify-azure: setup ## check what the sandbox assumes in your own subscription (asks first; removes what it makes)
	@$(BIN)/python -m tools verify-azure

.PHONY: generate refresh pictures
generate: setup ## write every generated page, schema and copy, from the repository alone
	@$(BIN)/python -m tools generate
refresh: setup ## read again what comes from outside, such as prices; the files hold the date
	@$(BIN)/python -m tools refresh

pictures: setup ## the README's pictures of a review and of the studio anew; needs chromium
	@$(BIN)/python -m tools pictures

.PHONY: check audit format lock
check: setup ## lint, format, types, the rooms' borders, generated files, the docs, the workflows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools generate --check
	@$(BIN)/python -m policies config --check
	@$(BIN)/python -m tools docs
	@$(BIN)/zizmor --offline --quiet .github/workflows jobs/examples/model_release/github.yml
audit: setup ## known vulnerabilities of the pinned packages; says so and fails where they cannot be looked up
	@$(BIN)/python -m tests.supply.audit
format: setup ## let ruff mend what it can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
lock: setup ## requirements.txt anew from requirements.in
	@$(BIN)/uv pip compile -q requirements.in -o requirements.txt --generate-hashes --no-header --universal --python-version 3.11
	@echo "Now run 'make setup generate'"

.PHONY: setup prepare wheel clean
setup: $(VENV)/.ready ## .venv from the pinned requirements
	@$(BIN)/python -m compileall -q __main__.py $(wildcard */) # where PYTHONDONTWRITEBYTECODE is set, no command would
$(VENV)/.ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version). Say which one to use: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Setting up .venv (uv $(UV_VERSION)) ..."
	@$(PYTHON) -m venv $(VENV)
	@awk '/^[^ ]/ {uv = /^uv==/} uv' requirements.txt >$(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $(VENV)/uv.txt
	@$(BIN)/uv pip sync --require-hashes --compile-bytecode --python $(BIN)/python requirements.txt
	@touch $@

# What jobs and the checks against Microsoft's models install, fetched once: tests then build theirs from the cache.
prepare: .cache/prepared
.cache/prepared: $(VENV)/.ready $(JOB_ENVIRONMENTS) $(wildcard sandbox/azure/ml/environments/curated.*) tests/proof/models.txt tests/studio/axe.py $(GO_PROGRAM)
	@$(BIN)/python -m sandbox prepare $(JOB_ENVIRONMENTS) $(CURATED)
	@$(BIN)/python -m tests.proof.environment
	@$(BIN)/python -m tests.supply.wheel
	@$(BIN)/python -m tests.azure.go.modules
	@$(BIN)/python -m tests.studio.axe
	@touch $@

wheel: setup ## dist/*.whl: the jobs client and the components, for other projects
	@$(BIN)/python -m hatchling build -t wheel -d dist

clean: ## stop the sandbox, remove all that was made
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m sandbox stop; fi
	@rm -rf .sandbox .soak .venv dist .cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
