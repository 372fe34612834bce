# musicgen: everything a developer or a user runs. `make` alone lists the targets.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PORT ?= 8000
PROMPT ?= lofi hip hop, rainy night, 80 bpm
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
# Node is needed to build the page only; this npm brings its own where the machine has none.
NPM := VENV=$(abspath $(VENV)) frontend/scripts/npm
PAGE := musicgen/web/page/index.html
PAGE_SOURCES := frontend/index.html frontend/vite.config.ts \
	$(shell find frontend/src -type f -not -name '*.test.*' -not -path '*/testing/*')
CHROMIUM ?= /usr/bin/chromium
# What drives a browser: our server's Python, and where the browser is.
BROWSER_RUN := PYTHON=$(abspath $(BIN))/python CHROMIUM=$(CHROMIUM) $(NPM) run
PAGE_TOOLS := frontend/node_modules/.installed
PAGE_TOOLS_DEV := frontend/node_modules/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help install generate serve dev test test-slow train lint format bench bench-server bench-diffrhythm clean
.PHONY: page page-dev page-test page-e2e page-lint page-format page-types page-screenshots

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

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

serve: $(INSTALLED)  ## serve the page and the API under gunicorn on PORT
	@$(MAKE) --no-print-directory page || echo "The page could not be built: / shows the plain form instead." >&2
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

$(PAGE_TOOLS): frontend/package.json frontend/package-lock.json | $(INSTALLED)
	$(NPM) ci --omit=dev
	@touch $@

$(PAGE_TOOLS_DEV): frontend/package.json frontend/package-lock.json | $(INSTALLED)
	$(NPM) ci
	@touch $(PAGE_TOOLS) $@

$(PAGE): $(PAGE_SOURCES) $(PAGE_TOOLS)
	$(NPM) run build

page: $(PAGE)  ## build the page into the package, where its sources have changed

page-dev: $(PAGE_TOOLS)  ## serve the page with reload on port 5173, beside `make dev` on PORT
	PORT=$(PORT) $(NPM) run dev

page-test: $(PAGE_TOOLS_DEV)  ## run the tests of the page
	$(NPM) run test

$(CHROMIUM):
	@echo "Chromium is needed: apt-get install chromium, or CHROMIUM=/path/to/it" >&2; exit 1

page-e2e: $(PAGE_TOOLS_DEV) $(PAGE) | $(CHROMIUM)  ## run the tests of the page in a browser, against gunicorn
	$(BROWSER_RUN) test-in-browser

page-screenshots: $(PAGE_TOOLS_DEV) $(PAGE) | $(CHROMIUM)  ## make docs/screenshots again
	$(BROWSER_RUN) screenshots

page-lint: $(PAGE_TOOLS_DEV) $(PAGE)  ## check style, types and size of the page
	$(NPM) run lint
	$(NPM) run check-types
	$(NPM) run check-size

page-format: $(PAGE_TOOLS_DEV)  ## format the code of the page
	$(NPM) run format

page-types: $(PAGE_TOOLS_DEV)  ## write the page's types anew, after a change of the API
	$(BIN)/flask --app wsgi openapi print > frontend/openapi.json
	$(NPM) run write-types

train: $(INSTALLED_DEV)  ## train the lead-sheet network: make train DATA=folder RUN=folder UNTIL=HH:MM [ARGS="--layers 2 ..."] (resumes)
	$(BIN)/python -m musicgen.composer.lead_sheet_network.training.train --data $(DATA) --run $(RUN) --until $(UNTIL) $(ARGS)

clean:  ## remove the virtual environment, the built page and caches; tracks and database stay
	rm -rf $(VENV) frontend/node_modules musicgen/web/page build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
