# Everything runs from here with git, make and Python 3.11 or newer; the rest goes into .venv/ and .cache/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

# Where it is set, each of the hundreds of processes of the tests would compile all packages anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON_IN_VENV := .venv/bin/python
# Another lock, another package list or another place of the checkout: installed anew.
INSTALLED := .venv/installed-$(shell { cat requirements/all.txt pyproject.toml requirements/install.sh; pwd; } | cksum | tr ' ' -)
LOCK := $(PYTHON_IN_VENV) -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command "make lock"

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED):
	@requirements/install.sh $@

.PHONY: install
install: $(INSTALLED) ## Install all packages into .venv (the other targets do so by themselves)

.PHONY: demo
# What install.sh builds while it installs; the same for test below.
demo: export BUILD_MEANWHILE := $(if $(KEEP),,--least)
demo: $(INSTALLED) ## The operator at its work on a real API server, in half a minute; KEEP=1 leaves it running
	@$(PYTHON_IN_VENV) -m demo $(if $(KEEP),--keep)

.PHONY: cluster
cluster: $(INSTALLED) ## Only the control plane, until Ctrl-C; prints KUBECONFIG
	@$(PYTHON_IN_VENV) -m devcluster up

# Tests wait for other processes half of their time, so there are two workers more than cores. A file stays in one worker.
CORES := $(shell getconf _NPROCESSORS_ONLN)
WORKERS ?= $(shell echo $$(( $(CORES) + 2 )))
SPREAD = --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: test
test: export BUILD_MEANWHILE := --all
test: $(INSTALLED) ## All tests; ARGS='-k word' chooses some, WORKERS=0 runs them one after the other
	@$(PYTHON_IN_VENV) -m devcluster build --all
	@PYTHONHASHSEED=0 $(PYTHON_IN_VENV) -m pytest $(SPREAD) $(ARGS) # sets in one order: what a search has found is found again

.PHONY: quick
quick: $(INSTALLED) ## In less than a minute: check, and the tests of core, resources and coldsend with short searches
	@$(MAKE) --jobs --output-sync check quick-tests

.PHONY: quick-tests
quick-tests: WORKERS := $(CORES)
quick-tests: $(INSTALLED)
	@PYTHONHASHSEED=0 HYPOTHESIS_PROFILE=quick $(PYTHON_IN_VENV) -m pytest -q $(SPREAD) $(ARGS) \
		tests/core tests/resources tests/coldsend

.PHONY: test-cluster
test-cluster: $(INSTALLED) ## The chart and Argo CD where pods run (Linux, root); APT=1 installs the Debian packages it needs
	@$(PYTHON_IN_VENV) -m devcluster.whole run -- $(PYTHON_IN_VENV) -m pytest tests/cluster $(ARGS)

.PHONY: test-kind
test-kind: $(INSTALLED) ## The same on kind, with Docker
	@tests/cluster/kind.sh $(ARGS)

.PHONY: soak
soak: $(INSTALLED) ## Kill the operator at random instants for a long time; SECONDS=600, or KILLS=, SEED=
	@$(PYTHON_IN_VENV) -m devcluster build
	@$(PYTHON_IN_VENV) -m tests.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(KILLS),--kills $(KILLS)) \
		$(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: $(INSTALLED) ## Figures beside their goals, into docs/benchmarks/; CHECK=1 compares counts only; CASES='single thousand' chooses (core single lifted thousand smtp native fifty failover tenants)
	@$(PYTHON_IN_VENV) -m devcluster build
	@$(PYTHON_IN_VENV) -m tests.bench $(if $(CHECK),--check) $(CASES)

.PHONY: check
check: $(INSTALLED) ## Linters, types, import contracts, generated files
	$(PYTHON_IN_VENV) -m ruff check
	$(PYTHON_IN_VENV) -m ruff format --check
	$(PYTHON_IN_VENV) -m mypy
	$(PYTHON_IN_VENV) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(PYTHON_IN_VENV) -m vulture
	$(PYTHON_IN_VENV) -m coldsend_operator crds --check crds
	$(PYTHON_IN_VENV) -m coldsend_operator.reference --check docs/reference
	$(PYTHON_IN_VENV) charts/document.py --check
	$(PYTHON_IN_VENV) argocd/generate.py --check
	$(PYTHON_IN_VENV) -m release version --check

.PHONY: generate
generate: $(INSTALLED) ## Make crds/, docs/reference/, docs/images/ and argocd/ from the code
	$(PYTHON_IN_VENV) -c 'from pathlib import Path; from coldsend_operator.resources.crd import write_crds; write_crds(Path("crds"))'
	$(PYTHON_IN_VENV) -m coldsend_operator.reference docs/reference
	$(PYTHON_IN_VENV) argocd/generate.py
	$(PYTHON_IN_VENV) -m tests.argocd
	$(PYTHON_IN_VENV) -m tests.pictures
	$(PYTHON_IN_VENV) -m release version
	@$(MAKE) chart
	$(PYTHON_IN_VENV) -m release kustomize

.PHONY: docs
docs: $(INSTALLED) ## Build the pages of docs/ into .cache/site; a warning is an error
	@NO_MKDOCS_2_WARNING=1 $(PYTHON_IN_VENV) -m mkdocs build --strict --site-dir .cache/site
	@echo "Built: .cache/site/index.html"

.PHONY: chart
chart: $(INSTALLED) ## Make the chart's README.md and its copy of crds/
	$(PYTHON_IN_VENV) charts/document.py

.PHONY: release-check
release-check: $(INSTALLED) ## Make a release on this machine, push it to a registry of its own and install it from there
	@$(PYTHON_IN_VENV) -m devcluster build
	@$(PYTHON_IN_VENV) -m release programs >/dev/null
	@$(PYTHON_IN_VENV) -m pytest tests/publishing $(ARGS)

.PHONY: image
image: $(INSTALLED) ## Build the image with docker, podman or buildah, and its SBOM in dist/; BASE= and IMAGE= choose
	@image/build.sh

.PHONY: format
format: $(INSTALLED) ## Format the code and mend what ruff can mend
	$(PYTHON_IN_VENV) -m ruff check --fix
	$(PYTHON_IN_VENV) -m ruff format

.PHONY: lock
lock: $(INSTALLED) ## Lock the packages again; UPGRADE=1 takes the newest
	$(LOCK) $(if $(UPGRADE),--upgrade) --all-extras --output-file requirements/all.txt
	$(LOCK) --constraint requirements/all.txt --output-file requirements/operator.txt

.PHONY: clean
clean: ## Remove .venv/, .cache/ and everything else that was made here
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist operator/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
