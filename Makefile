# Needs git, make and Python 3.11 or newer; everything else is installed into .venv/ and .cache/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

# If it were set, each of the hundreds of test processes would compile all packages again.
unexport PYTHONDONTWRITEBYTECODE

PYTHON_IN_VENV := .venv/bin/python
# The packages are installed again if the locks, the package list or the path of the checkout change.
INSTALLED := .venv/installed-$(shell { cat requirements/all.txt pyproject.toml requirements/install.sh; pwd; } | cksum | tr ' ' -)
LOCK := $(PYTHON_IN_VENV) -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command "make lock"

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED):
	@requirements/install.sh $@

.PHONY: install
install: $(INSTALLED) ## Install all packages into .venv (the other targets do this too)

.PHONY: demo
# The programs that install.sh builds while it installs; also for test below.
demo: export BUILD_MEANWHILE := $(if $(KEEP),,--least)
demo: $(INSTALLED) ## Show the operator with a real API server, in half a minute; KEEP=1 keeps it running
	@$(PYTHON_IN_VENV) -m demo $(if $(KEEP),--keep)

.PHONY: cluster
cluster: $(INSTALLED) ## Run only the control plane, until Ctrl-C; prints KUBECONFIG
	@$(PYTHON_IN_VENV) -m devcluster up

# Tests wait for other processes half of the time, so there are two more workers than cores. A file runs in one worker.
CORES := $(shell getconf _NPROCESSORS_ONLN)
WORKERS ?= $(shell echo $$(( $(CORES) + 2 )))
SPREAD = --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: test
test: export BUILD_MEANWHILE := --all
test: $(INSTALLED) ## Run all tests; ARGS='-k word' selects some, WORKERS=0 runs them one after the other
	@$(PYTHON_IN_VENV) -m devcluster build --all
	@PYTHONHASHSEED=0 $(PYTHON_IN_VENV) -m pytest $(SPREAD) $(ARGS) # a fixed order of sets, so that searches are reproducible

.PHONY: quick
quick: $(INSTALLED) ## Run check, and the tests of core, resources and coldsend with short searches, in about a minute
	@$(MAKE) --jobs --output-sync check quick-tests

.PHONY: quick-tests
quick-tests: WORKERS := $(CORES)
quick-tests: $(INSTALLED)
	@PYTHONHASHSEED=0 HYPOTHESIS_PROFILE=quick $(PYTHON_IN_VENV) -m pytest -q $(SPREAD) $(ARGS) \
		tests/core tests/resources tests/coldsend

.PHONY: search
search: EXAMPLES ?= 2000
search: $(INSTALLED) ## The searches of tests/core with other and longer examples each time; EXAMPLES=2000 of each
	@PYTHONHASHSEED=0 HYPOTHESIS_PROFILE=deep EXAMPLES=$(EXAMPLES) $(PYTHON_IN_VENV) -m pytest \
		--numprocesses $(CORES) --dist load tests/core/test_simulation.py tests/core/test_hostile_tenant.py $(ARGS)

.PHONY: test-cluster
test-cluster: $(INSTALLED) ## Test chart and Argo CD in a cluster with pods (Linux, root); APT=1 installs missing Debian packages
	@$(PYTHON_IN_VENV) -m devcluster.whole run -- $(PYTHON_IN_VENV) -m pytest tests/cluster $(ARGS)

.PHONY: test-kind
test-kind: $(INSTALLED) ## Run the tests of test-cluster on kind, with Docker
	@tests/cluster/kind.sh $(ARGS)

.PHONY: soak
soak: $(INSTALLED) ## Kill the operator at random times for a long time; SECONDS=600, or KILLS=, SEED=
	@$(PYTHON_IN_VENV) -m devcluster build
	@$(PYTHON_IN_VENV) -m tests.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(KILLS),--kills $(KILLS)) \
		$(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: $(INSTALLED) ## Measure figures against their goals, into docs/benchmarks/; CHECK=1 only compares counts; CASES='single thousand' selects (core single lifted thousand smtp native fifty failover tenants)
	@$(PYTHON_IN_VENV) -m devcluster build
	@$(PYTHON_IN_VENV) -m tests.bench $(if $(CHECK),--check) $(CASES)

.PHONY: check
check: $(INSTALLED) ## Check linters, types, import contracts and generated files
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
generate: $(INSTALLED) ## Generate crds/, docs/reference/, docs/images/, argocd/, kustomize/ and the chart's README.md from the code
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
chart: $(INSTALLED) ## Generate the chart's README.md and its copy of crds/
	$(PYTHON_IN_VENV) charts/document.py

.PHONY: release-check
release-check: $(INSTALLED) ## Make a release, push it to a local registry and install it from there
	@$(PYTHON_IN_VENV) -m devcluster build
	@$(PYTHON_IN_VENV) -m release programs >/dev/null
	@$(PYTHON_IN_VENV) -m pytest tests/publishing $(ARGS)

.PHONY: image
image: $(INSTALLED) ## Build the image with docker, podman or buildah, and its SBOM in dist/; BASE= sets the base image, IMAGE= the name
	@image/build.sh

.PHONY: format
format: $(INSTALLED) ## Format the code, and fix what ruff can fix
	$(PYTHON_IN_VENV) -m ruff check --fix
	$(PYTHON_IN_VENV) -m ruff format

.PHONY: lock
lock: $(INSTALLED) ## Update the locks of packages; UPGRADE=1 upgrades to the newest versions
	$(LOCK) $(if $(UPGRADE),--upgrade) --all-extras --output-file requirements/all.txt
	$(LOCK) --constraint requirements/all.txt --output-file requirements/operator.txt

.PHONY: clean
clean: ## Remove .venv/, .cache/ and all other generated files
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist operator/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
