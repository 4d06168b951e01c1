# Everything goes through these targets; `make` alone lists them.

PYTHON ?= python3
BIN := .venv/bin
# Each starts services, databases and browsers of its own: more of them than cores end sooner, and make each other late.
TEST_WORKERS ?= 2

# make run PORT_BASE=20000                     moves every port
# make run ORIGINS=http://localhost:4173       also admits apps under development
UP_OPTIONS := $(if $(PORT_BASE),--port-base $(PORT_BASE)) $(if $(ORIGINS),--origins "$(ORIGINS)")

.PHONY: help install run test browser lint bench clean-local lock
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Install what is missing and build the web apps
	@$(PYTHON) -m deploy.local.bootstrap

run: install ## Run everything on this machine; Ctrl-C stops it
	@exec $(BIN)/python -m deploy.local up $(UP_OPTIONS)

test: browser lint ## Check everything: lint, types, every test
	@cd services/gateway/web && npm test --silent
	@cd services/audit/console && npm test --silent
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

# The browser tests need one; nothing else does.
browser: install
	@$(PYTHON) -m deploy.local.browser

lint: install ## Check style, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy services shared deploy tests benchmarks
	@$(BIN)/lint-imports
	@cd services/gateway/web && npm run --silent typecheck && npm run --silent lint
	@cd services/audit/console && npm run --silent typecheck && npm run --silent lint

bench: install ## Measure what the README claims
	@$(BIN)/python -m benchmarks

clean-local: ## Remove accounts, audit log, keys and logs of the local stack
	@$(PYTHON) -m deploy.local.clean

lock: ## Resolve the Python dependencies anew (needs uv)
	uv pip compile pyproject.toml --all-extras --group local --group test --group bench --upgrade --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -p 3.11 -o requirements/dev.txt
	uv pip compile requirements/emulator.in --upgrade --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -p 3.11 -o requirements/emulator.txt
