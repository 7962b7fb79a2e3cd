# Everything is installed into .venv from PyPI, in the versions that constraints.txt pins.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo physics verify fuzz docs test lint types imports install clean

help:
	@echo "make demo    install, then the main job on the shipped sample: events to verified firmware and a report"
	@echo "make physics run every configuration on the shipped sample; an hour, resumable; refreshes docs/physics.md and hardware.md"
	@echo "make verify  every configuration, back end and I/O type; hours, resumable; refreshes docs/verification.md"
	@echo "make fuzz    NETWORKS random networks from SEED through every emulator; most of an hour"
	@echo "make docs    install, then the site of docs/ into docs/_build, its references to keys and commands written anew"
	@echo "make test    install, then the tests"
	@echo "make lint    ruff, mypy and import-linter"
	@echo "make clean   remove the environment, the site and generated projects"

demo: $(VENV)/.runtime
	$(BIN)/trigger-ad run configs/student.yaml

physics: $(VENV)/.development
	for configuration in $(filter-out configs/scan_%,$(wildcard configs/*.yaml)); do $(BIN)/trigger-ad run $$configuration || exit; done
	$(BIN)/python docs/refresh_physics.py
	$(BIN)/python docs/refresh_hardware.py

verify: $(VENV)/.development
	$(BIN)/python docs/verify.py

NETWORKS ?= 2000
SEED ?= 1

fuzz: $(VENV)/.development
	$(BIN)/python -m pytest tests/fuzz -v --networks $(NETWORKS) --seed $(SEED)

docs: $(VENV)/.development
	$(BIN)/python docs/refresh_reference.py
	$(BIN)/python docs/refresh_commands.py
	$(BIN)/python -m sphinx -W --keep-going docs docs/_build

test: $(VENV)/.development
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(VENV)/.development

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "trigger-ad needs Python 3.11 or newer; set PYTHON" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.runtime: $(VENV)/.created pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[rtl,scan]'
	touch $@

$(VENV)/.development: $(VENV)/.created pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --prefer-binary --editable '.[dev,docs,rtl,scan,simulate]'
	touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) build docs/_build *.egg-info
	find hls_projects -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
