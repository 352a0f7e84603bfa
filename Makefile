# Trendlark. `make` alone prints what there is.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.trendlark

.DEFAULT_GOAL := help
.PHONY: help up test test-terraform test-containers test-foreign check train-deps images lock manifests pipelines test-pipeline clean

help:  ## print what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# Each stamp holds the settings of the package that was installed, so a changed pyproject.toml installs anew.
$(STAMP)-run: pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"Found Python {v[0]}.{v[1]}; Trendlark needs 3.11 or newer. Name one: make PYTHON=python3.12 up")'
	@# Debian's python3 has no ensurepip; then pip is fetched from the package index.
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) 2>/dev/null || \
	  { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(BIN)/python tools/bootstrap_pip.py; }
	@echo "Installing Trendlark into $(VENV) (once, a minute or two) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(STAMP)-dev: pyproject.toml $(STAMP)-run
	@echo "Installing what the tests need into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

$(STAMP)-train: pyproject.toml $(STAMP)-dev
	@echo "Installing what training needs into $(VENV) (PyTorch, some GB on Linux) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev,train,pipeline]'
	@touch $@

up: $(STAMP)-run  ## collect, analyse, summarise every hour and serve the dashboard
	@exec $(BIN)/trendlark up

test: $(STAMP)-dev  ## install what the tests need and pass them
	@$(BIN)/python -m pytest -q -n auto

check: $(STAMP)-train  ## lint, format, types, import layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/house_numbers.py

test-terraform: $(STAMP)-dev  ## check deploy/terraform: form, own tests, the guide walked in a stand-in for AWS
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --prefix tests/deploy/iam; fi
	@$(BIN)/python -m pytest -q -m "not containers" tests/deploy/test_terraform*.py tests/deploy/test_aws*.py

test-containers: $(STAMP)-dev  ## build the image and run the services in containers (root; podman, mmdebstrap)
	@$(BIN)/python -m pytest -q -m containers tests/containers

test-foreign: $(STAMP)-dev  ## let Triton's and KServe's clients and schemathesis ask the API (installs them)
	@TEST_FOREIGN=1 $(BIN)/python -m pytest -q tests/foreign

train-deps: $(STAMP)-train  ## install what training and its tests need

# Another base image: make images BASE_IMAGE=registry.example/python:3.11
# With podman, whose own form of images has no health check: BUILDAH_FORMAT=docker make images ENGINE=podman
IMAGES := trendlark
ENGINE ?= docker
TARGETS ?= service train
BASE_IMAGE ?= python:3.11-slim-bookworm
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' src/trendlark/__init__.py)
REVISION := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

images:  ## build the container images trendlark/service and trendlark/train
	@for target in $(TARGETS); do \
	  $(ENGINE) build $(BUILD_FLAGS) --file deploy/docker/Dockerfile --target $$target --tag $(IMAGES)/$$target:$(VERSION) \
	    --build-arg BASE_IMAGE=$(BASE_IMAGE) --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) . || exit 1; \
	done

LOCK := uv pip compile --quiet --upgrade --generate-hashes --only-binary :all: --no-header \
  --python-version 3.11 --python-platform x86_64-manylinux_2_28
LOCKS := deploy/docker
# These come as source only; their builds need setuptools, which requirements-build.in holds.
FROM_SOURCE := --no-binary kfp --no-binary kfp-server-api

# Hashes of all files of a release are listed, so the images are built on ARM, too.
lock: $(STAMP)-run  ## choose the newest allowed versions of what the images hold, with their hashes
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@$(BIN)/$(LOCK) $(LOCKS)/requirements-build.in --output-file $(LOCKS)/requirements-build.txt
	@$(BIN)/$(LOCK) pyproject.toml --constraint $(LOCKS)/constraints.in --output-file $(LOCKS)/requirements-service.txt
	@$(BIN)/$(LOCK) pyproject.toml --extra train --extra pipeline --extra notebook $(FROM_SOURCE) \
	  --constraint $(LOCKS)/requirements-service.txt --output-file $(LOCKS)/requirements-train.txt

manifests:  ## render the Kubernetes overlays into tests/deploy/rendered (needs kubectl)
	@for folder in deploy/kubernetes/overlays/*; do \
	  kubectl kustomize $$folder > tests/deploy/rendered/$$(basename $$folder).yaml || exit 1; \
	done

pipelines: $(STAMP)-train  ## compile the training pipelines into deploy/kubeflow/compiled
	@for name in train reanalyze; do \
	  $(BIN)/trendlark pipeline compile $$name --out deploy/kubeflow/compiled/$$name.yaml || exit 1; \
	done

test-pipeline: $(STAMP)-train  ## run the training pipelines to their ends on small data
	@$(BIN)/python -m pytest -q -m pipeline -n 2 tests/training

clean:  ## take away the virtual environment and caches (not the lake)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
