# The table of contents of the work. `make help` prints it.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DEV := .venv/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help install up down test check e2e bench bench-scale chaos generate page goldens parity format clean simulate

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## prepare .venv with .venv/bin/mesh

$(STAMP): pyproject.toml
	@scripts/install shop,broker $(PYTHON)
	@touch $@

$(DEV): pyproject.toml
	@scripts/install dev $(PYTHON)
	@touch $@ $(STAMP)

up: $(STAMP) ## run the shop in the mesh on this machine, and print what to try next
	@$(BIN)/mesh up --detach

down: $(STAMP) ## stop it and leave nothing behind
	@$(BIN)/mesh down

test: $(DEV) ## all tests that need no cluster
	@$(BIN)/mesh build || true # the tests that need it say that it failed
	@$(BIN)/python -m pytest -m "not cluster"

check: $(DEV) ## format, lint, types, layers, generated code and docs, buf lint and breaking
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

e2e: $(DEV) ## install the charts on the cluster of the kubeconfig and run the scenarios there
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/e2e

bench: $(DEV) ## measure start, memory, latency, throughput, edit-to-accepted; all from one run
	@$(BIN)/python -m tests.bench

generate: $(DEV) ## write the code and docs that are generated
	@$(BIN)/python scripts/generate
	@$(BIN)/python scripts/languages
	@$(BIN)/python -m mesh.link.codes

page: ## build the page of `mesh dash` from its sources (needs Node)
	@scripts/page

bench-scale: $(DEV) ## measure what a change costs among 100, 300 and 1000 services, beside istiod's own code
	@$(BIN)/python -m tests.bench.scale

chaos: $(DEV) ## place ORDERS orders while everything breaks by SEED, and check that every promise was kept
	@$(BIN)/python -m tests.chaos --orders $(or $(ORDERS),2000) --seed $(or $(SEED),1) --engine $(or $(ENGINE),local)

goldens: $(DEV) ## ask istiod's own code (`oracle`) again for every golden
	@$(BIN)/python scripts/goldens

parity: $(DEV) ## compare N random meshes of SEED with istiod's own code, and shrink what differs
	@$(BIN)/python -m tests.parity -n $(or $(N),200) --seed $(or $(SEED),1)

simulate: $(DEV) ## compare simulate with a real Envoy on N requests to random meshes of SEED
	@$(BIN)/python -m tests.simulate -n $(or $(N),500) --seed $(or $(SEED),1)

format: $(DEV) ## format the code
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .
	@test ! -x services/node_modules/.bin/biome || (cd services && node_modules/.bin/biome check --write --log-level=error .)
	@! command -v gofmt >/dev/null || gofmt -w services/gokit services/*/*.go

clean: ## remove what is built and installed here
	@test ! -x $(BIN)/mesh || $(BIN)/mesh down
	rm -rf services/build services/node_modules .venv .mesh .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
