# SPDX-License-Identifier: GPL-2.0-only
# make setup      Debian packages (as root or by sudo) and a virtual environment with kzc
# make demo       the main job on a real kernel: a series and a tree, to a verdict
# make test       everything, with real kernels where this machine can run them
# make test-fast  what needs no kernel: under a minute or two
# make test-full  the long runs as well
# make clean      what these targets made; kzc's cache is cleaned by `kzc clean`

VENV ?= .venv
PYTHON ?= python3
DEMO_SOURCE ?= debian:linux-source-6.12
DEMO_TREE ?= 6.12
DEMO_SERIES ?= scm-zc-notification
PYTEST_FLAGS ?=
# one for each core of a small machine, and one more as some tests wait
WORKERS ?= 3
# mypy knows by content what it has checked, in this clone or in another one
CHECKED := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kzc-mypy
export MYPY_CACHE_DIR ?= $(CHECKED)

BIN := $(VENV)/bin
PACKAGES := scripts/apt-packages.txt
TEST_PACKAGES := scripts/apt-packages-tests.txt
STAMP := $(VENV)/.kzc-setup
PYTEST := $(BIN)/pytest $(PYTEST_FLAGS)

.PHONY: setup packages venv demo test test-fast test-full test-vm lint clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make /  make /p' Makefile

setup: packages venv

packages:
	@scripts/install-packages $(PACKAGES)

venv: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "kzc needs Python 3.11 or newer: name one with make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) has no ensurepip: as root, apt-get install -y python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup
	$(BIN)/kzc doctor
	$(BIN)/kzc tree show $(DEMO_TREE) >/dev/null 2>&1 || \
		$(BIN)/kzc tree add $(DEMO_TREE) $(DEMO_SOURCE)
	$(BIN)/kzc run $(DEMO_SERIES) --tree $(DEMO_TREE)

lint: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test-fast: lint
	$(PYTEST) -n $(WORKERS) -m 'not vm and not full'

# a machine without the packages, and without the right to install them, still runs the rest
test: try-packages test-fast
	@$(MAKE) --no-print-directory test-vm SELECT='vm and not full'

test-full: try-packages test-fast
	@$(MAKE) --no-print-directory test-vm SELECT='vm or full' BESIDE=

.PHONY: try-packages
try-packages:
	@scripts/install-packages $(PACKAGES) $(TEST_PACKAGES) || echo "Going on without: kzc doctor will tell."

# Guests side by side, as much of each is waiting; the long runs have up to eight at once by
# themselves. Only status 3 says that this machine cannot; any other of the doctor is a failure
SELECT ?= vm and not full
BESIDE ?= -n 2 --dist loadgroup --no-loadscope-reorder
test-vm: venv
	@status=0; $(BIN)/kzc doctor || status=$$?; \
	case $$status in \
	0) echo "$(PYTEST) $(BESIDE) -m '$(SELECT)'"; $(PYTEST) $(BESIDE) -m '$(SELECT)' ;; \
	3) echo "NOT RUN: the tests with real kernels ($(SELECT)): this machine cannot, see above" ;; \
	*) exit $$status ;; \
	esac

clean:
	rm -rf dist "$(CHECKED)" .pytest_cache .ruff_cache
	[ ! -e $(STAMP) ] || rm -rf $(VENV)
	find kzc tests bench -name __pycache__ -prune -exec rm -rf {} +
