# The only commands a newcomer needs. `make help` lists them from the comments behind the targets.
.DEFAULT_GOAL := help
.PHONY: help dev test test-fast check format lock bench drills conformance compat schemathesis audit screenshots clean

# The newest Python that is at least 3.11; `make dev PYTHON=python3.12` names another.
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(shell command -v $(name) >/dev/null 2>&1 \
	&& $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
# Quicker than pip where it is there; `UV=` without a value does without it, for a package index that only pip is told of.
UV ?= $(shell command -v uv 2>/dev/null)
RUN := .venv/bin/python -m app

help: ## List the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

dev: .venv/.ready ## Run the whole product with reload: database, migrations, demo data, server, worker
	@exec $(RUN) dev

test: .venv/.ready ## Run every test, the browser's and a selection of drills included
	@$(RUN) test

test-fast: .venv/.ready ## Run every test but the browser's and the drills
	@$(RUN) test --fast

check: .venv/.ready ## Check format, lint, types, settings, policies and pins
	@$(RUN) check

format: .venv/.ready ## Format the code and mend what the linter can
	@$(RUN) format

lock: .venv/.ready ## Pin the dependencies of pyproject.toml anew
	@$(RUN) lock

bench: .venv/.ready ## Measure against peers, side by side, as ratios
	@.venv/bin/python -m benchmarks

drills: .venv/.ready ## Kill, stop, cut off and fill up what the product needs, and see what people notice
	@.venv/bin/python -m tests.drills

conformance: .venv/.ready ## Run Starlette's own test suite against core
	@.venv/bin/python -m tests.conformance

compat: .venv/.ready ## Run FastAPI and other people's programs on core
	@.venv/bin/python -m tests.compat

schemathesis: .venv/.ready ## Send the API thousands of requests made from its own document
	@.venv/bin/python -m tests.schemathesis_run

audit: .venv/.ready ## Ask npm's GraphQL audit and client what they think of core.graphql (needs node)
	@.venv/bin/python -m tests.audit

screenshots: .venv/.ready ## Photograph every page in light, dark and 375 px into .data/screenshots
	@.venv/bin/python -m tests.browser.screenshots

clean: ## Remove the environment and the caches (the development database in .data stays)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.ready: requirements-dev.lock
	@if [ -z "$(PYTHON)" ]; then echo "Slipway needs Python 3.11 or newer; none was found. Install it, or name it: make dev PYTHON=/path/to/python3" >&2; exit 1; fi
	@if [ -n "$(UV)" ]; then \
		$(UV) venv --quiet --allow-existing --no-python-downloads --python "$$(command -v $(PYTHON))" .venv && VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes requirements-dev.lock; \
	else \
		$(PYTHON) -m venv .venv && .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock; \
	fi
	@touch .venv/.ready
