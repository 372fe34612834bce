# musicgen: everything a developer or a user runs. `make` alone lists the targets.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PORT ?= 8000
PROMPT ?= lofi hip hop, rainy night, 80 bpm
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help install generate serve dev test test-slow train lint format bench bench-server bench-diffrhythm clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): setup.cfg constraints.txt | $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(INSTALLED_DEV): $(INSTALLED)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(INSTALLED)  ## make the virtual environment with what musicgen needs

generate: $(INSTALLED)  ## make a track: make generate PROMPT="slow blues in E"
	@$(BIN)/flask --app wsgi generate "$(PROMPT)"

serve: $(INSTALLED)  ## serve the API under gunicorn on PORT
	PORT=$(PORT) $(BIN)/gunicorn --config python:musicgen.web.gunicorn_settings wsgi:app

dev: $(INSTALLED)  ## serve with reload, for development
	$(BIN)/flask --app wsgi run --debug --port $(PORT)

test: $(INSTALLED_DEV)  ## run the whole test suite, a process for each core
	$(BIN)/pytest --numprocesses auto --dist loadfile

test-slow: $(INSTALLED_DEV)  ## run the tests that take minutes
	$(BIN)/pytest -m slow

lint: $(INSTALLED_DEV)  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED_DEV)  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED_DEV)  ## measure time by stage, speed and memory
	$(BIN)/python -m benchmarks.generation

bench-server: $(INSTALLED_DEV)  ## measure the server: tracks a minute, GETs under load, first sound, hanging up
	$(BIN)/python -m benchmarks.server

bench-diffrhythm: $(INSTALLED_DEV)  ## measure a step of DiffRhythm at its full size, random weights (half an hour)
	$(BIN)/python -m benchmarks.diffrhythm --size full --dtypes bf16

train: $(INSTALLED_DEV)  ## train the lead-sheet network: make train DATA=folder RUN=folder UNTIL=HH:MM (resumes)
	$(BIN)/python -m musicgen.composer.lead_sheet_network.training.train --data $(DATA) --run $(RUN) --until $(UNTIL)

clean:  ## remove the virtual environment and caches; tracks and database stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
