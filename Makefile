# make demo   the main job on the virtual testbed; installs and builds what is missing
# make test   linters, types and tests
# make bench  benchmarks, one JSON object a line; make bench BENCH=name runs one

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NATIVE := $(CURDIR)/build/native
STAMPS := build/stamps
BENCH ?= all

# The demo and the tests need network namespaces, tap devices and, where there is one, /dev/kvm.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -E)

.PHONY: demo test bench setup native image lint types pytest clean

demo: setup
	$(SUDO) $(BIN)/python -m pytest suites/ipv4_routing --testbed=virtual
	@echo "report: $$(readlink -f reports/latest)/index.html"

test: setup lint types pytest

setup: system $(STAMPS)/venv native image

.PHONY: system
system:
	@scripts/system-packages system-packages.txt

$(STAMPS)/venv: pyproject.toml | system
	@mkdir -p $(STAMPS)
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

native: | system
	@$(MAKE) --no-print-directory -C lab/vtrex/engine OUT=$(NATIVE)
	@$(MAKE) --no-print-directory -C lab/dut/model-dut OUT=$(NATIVE)
	@$(MAKE) --no-print-directory -C lab/simulation/kernel OUT=$(NATIVE)
	@$(MAKE) --no-print-directory -C firmware-images/pix/bench/host OUT=$(NATIVE)

image: | system
	@$(MAKE) --no-print-directory -j$$(nproc) -C firmware-images/pix

lint: $(STAMPS)/venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMPS)/venv
	$(BIN)/mypy

# Both parts run whatever becomes of the first. A worker takes whole files, so what a file builds or boots is there once.
pytest: setup
	@failed=0; \
	$(SUDO) $(BIN)/python -m pytest tests -m side_by_side -n logical --dist loadfile --benchmark-disable || failed=1; \
	$(SUDO) $(BIN)/python -m pytest tests -m "not side_by_side" || failed=1; \
	exit $$failed

bench: setup
	@$(SUDO) $(BIN)/python -m lab.bench $(BENCH)

clean:
	rm -rf build firmware-images/*/build
