# A fresh machine needs make and Python 3.11 or later; all else comes from PyPI into .venv.

PYTHON3 ?= python3
CONFIG ?= kernels/showcase/config.toml

VENV := .venv/installed
PYTHON := .venv/bin/python
export ZIG_GLOBAL_CACHE_DIR := $(CURDIR)/build/zig
export ZIG_LOCAL_CACHE_DIR := $(CURDIR)/build/zig

.DELETE_ON_ERROR:
.PHONY: all bytecode boot test slow bench lint types docs clean help

all: firmware kernels bytecode  ## build the ROM and the kernels (the default)

include firmware/firmware.mk
include kernels/kernels.mk
include kernels/stock/stock.mk

# Where Python is told to keep no bytecode (PYTHONDONTWRITEBYTECODE), each start would compile it all again.
bytecode: $(VENV)
	@$(PYTHON) -m compileall -q mksim

boot: all  ## boot the showcase; another machine with CONFIG=path/to/config.toml
	@$(PYTHON) -m mksim boot $(CONFIG)

test: all  ## run the tests
	$(PYTHON) -m pytest

slow: all  ## run the tests that take long: stock kernels, a million random acts, cold starts
	$(PYTHON) -m pytest -m slow

bench: all  ## measure; the table also goes to build/bench.json
	$(PYTHON) -m mksim bench

lint: $(VENV)  ## ruff
	$(PYTHON) -m ruff check .

types: $(VENV)  ## mypy
	$(PYTHON) -m mypy

docs: $(VENV)  ## write the pages of docs/ that are made from the code
	$(PYTHON) -m docs.generate

clean:  ## remove what was built, but not .venv
	rm -rf build .pytest_cache .ruff_cache .mypy_cache .hypothesis

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The packages that pyproject.toml names. The stamp is written last: what broke off is done again.
$(VENV): pyproject.toml
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mksim needs Python 3.11 or later; name one by: make PYTHON3=/path/to/python3" >&2; exit 1; }
	@$(PYTHON3) -c 'import venv, ensurepip' 2> /dev/null || \
		{ echo "$(PYTHON3) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up .venv with the packages of pyproject.toml, from PyPI (1.1 GB on disk). This happens once."
	@$(PYTHON3) -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
